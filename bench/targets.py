"""What each bench must reach."""

import operator
from collections.abc import Mapping
from typing import Any

_COMPARE = {"≥": operator.ge, "≤": operator.le, "=": operator.eq}
_PAGE = {"share_of_bare": "≥ 0.18", "sql": "≤ 6", "wire_kb": "≤ 45"}
TARGETS: dict[str, dict[str, str]] = {
    "reserve": {"share_of_bare": "≥ 0.22", "sql": "≤ 12", "rate_with_many": "≥ 0.6"},
    "checkout": {"share_of_bare": "≥ 0.08", "transactions_during_call": "= 0"},
    "webhook": {"share_of_bare": "≥ 0.09", "p99_ms": "≤ 150"},
    "scan": {"share_of_bare": "≥ 0.28", "sql": "≤ 8", "rate_with_many": "≥ 0.75"},
    "oversell": {"taken": "= 50", "errors": "= 0"},
    "home": _PAGE,
    "conference": _PAGE,
    "reserve_form": _PAGE,
    "pdf_one": {"cpu_ms": "≤ 45"},
    "pdf_many": {"cpu_ms": "≤ 25", "peak_mb": "≤ 120", "grows_mb": "≤ 10"},
    # SQLite may keep up to 8 MB of its file (settings.py); all rows as objects would take 30 MB.
    "export": {"seconds": "≤ 1", "grows_mb": "≤ 10"},
    "mail": {"first_s": "≤ 10", "link_s": "≤ 10"},
    "floods": {"slowest_s": "≤ 2"},
    "footprint": {
        "worker_mb": "≤ 90",
        "all_mb": "≤ 350",
        "idle_percent": "≤ 0.5",
        "cold_start_s": "≤ 1.5",
        "packages": "≤ 60",
    },
}
# PostgreSQL answers evenly. On SQLite writers wait for one lock, and some of them long.
ON_ONE_DATABASE: dict[tuple[str, str], dict[str, str]] = {
    ("reserve", "PostgreSQL"): {"p99_of_bare": "≤ 8"},
    ("reserve", "SQLite"): {"p99_ms": "≤ 500"},
}


def judged(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures with their `target`, and `missed`: the names of those that miss it."""
    bench, database = figures["bench"], figures["database"]
    target = TARGETS[bench] | ON_ONE_DATABASE.get((bench, database), {})
    missed = [name for name, bound in target.items() if not _reaches(figures[name], bound)]
    return {**figures, "target": target, "missed": missed}


def _reaches(value: float, bound: str) -> bool:
    how, number = bound.split()
    return bool(_COMPARE[how](value, float(number)))


def table(lines: list[dict[str, Any]]) -> str:
    """All figures that have a target, one a line, for people."""
    return "\n".join(
        f"{line['bench']:<13} {line['database']:<11} {name:<25} {line[name]:>8g}  {bound:<8} "
        + ("MISSED" if name in line["missed"] else "reached")
        for line in lines
        for name, bound in line["target"].items()
    )

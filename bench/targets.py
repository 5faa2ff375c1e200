"""What each bench must reach."""

from collections.abc import Callable, Mapping
from typing import Any

Figures = Mapping[str, Any]
_AT_LEAST, _AT_MOST, _EXACTLY = "≥", "≤", "="
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    _AT_LEAST: lambda value, bound: value >= bound,
    _AT_MOST: lambda value, bound: value <= bound,
    _EXACTLY: lambda value, bound: value == bound,
}
_PAGE = {
    "share_of_bare": (_AT_LEAST, 0.30),
    "sql": (_AT_MOST, 6),
    "wire_kb": (_AT_MOST, 60),
    "blocking_scripts": (_EXACTLY, 0),
}
TARGETS: dict[str, dict[str, tuple[str, float]]] = {
    "reserve": {
        "share_of_bare": (_AT_LEAST, 0.25),
        "sql": (_AT_MOST, 14),
        "p99_of_bare": (_AT_MOST, 5),
        "rate_with_many": (_AT_LEAST, 0.7),
    },
    "checkout": {"share_of_bare": (_AT_LEAST, 0.08), "transactions_during_call": (_EXACTLY, 0)},
    "webhook": {"share_of_bare": (_AT_LEAST, 0.10), "p99_ms": (_AT_MOST, 100)},
    "scan": {
        "share_of_bare": (_AT_LEAST, 0.30),
        "sql": (_AT_MOST, 8),
        "rate_with_many": (_AT_LEAST, 0.8),
    },
    "oversell": {"taken": (_EXACTLY, 50), "errors": (_EXACTLY, 0)},
    "home": _PAGE,
    "conference": _PAGE,
    "reserve_form": _PAGE,
    "pdf_one": {"cpu_ms": (_AT_MOST, 50), "kb": (_AT_MOST, 60)},
    "pdf_many": {"cpu_ms": (_AT_MOST, 25), "peak_mb": (_AT_MOST, 120)},
    "pdf_memory": {"grows_mb": (_AT_MOST, 10)},
    "export": {"seconds": (_AT_MOST, 1), "is_streamed": (_EXACTLY, 1), "grows_mb": (_AT_MOST, 5)},
    "footprint": {
        "worker_mb": (_AT_MOST, 90),
        "cold_start_s": (_AT_MOST, 1.5),
        "migrate_s": (_AT_MOST, 10),
        "packages": (_AT_MOST, 60),
    },
}
# Rates and waits are held to what the service does for many at once, not for one alone.
_FOR_MANY_ONLY = ("share_of_bare", "p99_of_bare", "p99_ms")


def judged(figures: Figures) -> dict[str, Any]:
    """The figures with `target`, what they are held to, and `missed`, the names of those that miss.

    A line for one client alone, or with very many places taken, is not held to the rates.
    """
    held = {
        name: bound
        for name, bound in TARGETS[figures["bench"]].items()
        if name in figures and not (name in _FOR_MANY_ONLY and not _is_for_many(figures))
    }
    missed = [
        name for name, (how, bound) in held.items() if not _COMPARE[how](figures[name], bound)
    ]
    target = {name: f"{how} {bound:g}" for name, (how, bound) in held.items()}
    return {**figures, "target": target, "missed": missed}


def _is_for_many(figures: Figures) -> bool:
    return figures["concurrency"] > 1 and "rate_with_many" not in figures


def table(lines: list[dict[str, Any]]) -> str:
    """All figures with a target, one a line, for people."""
    rows = [
        (
            f"{line['bench']} ({line['concurrency']} at once)",
            line["database"],
            f"{name} {line[name]:g}",
            bound,
            "MISSED" if name in line["missed"] else "reached",
        )
        for line in lines
        for name, bound in line["target"].items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)] if rows else []
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )

"""The whole suite: `python -m tests`, which `make test` calls after its set-up.

Everything on SQLite, browser journeys included; then all that touches the database once more on
a real PostgreSQL. The last line counts both runs.
"""

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.postgres import postgres

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "tests"
PROCESSES = 2


def run(name: str, database_url: str | None, *options: str) -> tuple[int, int, int]:
    """Run pytest on one database; returns how many tests passed, failed and were skipped."""
    print(f"\n== Tests on {name} ==", flush=True)
    report = RESULTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    env = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if database_url:
        env["DATABASE_URL"] = database_url
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(PROCESSES), "--dist", "worksteal"]
    status = subprocess.call([*command, f"--junitxml={report}", *options], cwd=ROOT, env=env)
    if not report.exists():
        return 0, 1, 0
    passed, failed, skipped = count(report)
    # pytest may fail beyond its tests: nothing collected, a broken conftest, an interruption.
    return passed, max(failed, 1) if status else failed, skipped


def count(report: Path) -> tuple[int, int, int]:
    """How many tests of a JUnit report passed, failed (errors among them) and were skipped."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    """Both runs; prints 'N passed, N failed' as the last line and returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    RESULTS.mkdir(parents=True, exist_ok=True)
    runs = [run("SQLite", None, *sys.argv[1:])]
    with postgres() as url:
        runs.append(run("PostgreSQL", url, "-m", "database and not journey", *sys.argv[1:]))
    passed, failed, skipped = (sum(column) for column in zip(*runs, strict=True))
    total = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    (RESULTS / "total.txt").write_text(f"{total}\n")
    print(f"\n{total}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

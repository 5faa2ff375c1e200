"""The long drill: `python -m tests.chaos [--minutes 10] [--bookings 1000] [--seed N]`.

Ends in a table for each database; the exit status is 1 unless every fault is at nothing.
"""

import argparse
import signal
import sys
import time

from tests.chaos.drill import LOGS, Outcome, drill
from tests.chaos.plan import Plan

DATABASES = ("sqlite", "postgresql")
# In a long drill parts are away for longer than anybody waits for them: mail is given up after
# 20 s, SQLite's lock and Stripe's answer after 10.
LONGEST = 25.0
BETWEEN_KILLS = (1.0, 5.0)
SHOWN = 5  # cases of each fault


def table(outcome: Outcome) -> str:
    """The figures, then every fault with its number and its first cases."""
    lines = [f"{outcome.database}, {outcome.seconds:.0f} s"]
    lines += [_line(name, figure) for name, figure in outcome.figures.items()]
    lines.append("Each of these must be 0:")
    for name, cases in outcome.faults.items():
        lines.append(_line(name, len(cases)))
        lines += [f"      {case}" for case in cases[:SHOWN]]
    return "\n".join(lines)


def _line(name: str, figure: int | str) -> str:
    return f"  {name:<68} {figure:>9}"


def main() -> int:
    """Run it on the databases that are asked for; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--bookings", type=int, default=1000)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    plan = Plan(
        seconds=options.minutes * 60,
        bookings=options.bookings,
        seed=options.seed,
        at_once=12,
        between_kills=BETWEEN_KILLS,
        longest=LONGEST,
        quiet_within=900.0,
    )
    outcomes = []
    for name in DATABASES if options.database == "both" else (options.database,):
        print(
            f"{name}: {plan.bookings} bookings, {options.minutes:g} min of kills, seed {plan.seed}"
        )
        outcomes.append(drill(plan, name))
        kills = ", ".join(f"{what} {times}" for what, times in sorted(outcomes[-1].kills.items()))
        print(f"\n{table(outcomes[-1])}\n  Done to it: {kills}.\n  Log: {LOGS}", flush=True)
    return 0 if all(outcome.is_well for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())

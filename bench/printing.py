"""PDF tickets, made as a worker makes them: in a process with Django that does nothing else."""

from typing import Any

from bench.stage import Stage

TICKETS = 500


def pdf_one(stage: Stage) -> dict[str, Any]:
    """Documents of one ticket."""
    return dict(stage.site(taken=TICKETS).call("renders", "one"))


def pdf_many(stage: Stage) -> dict[str, Any]:
    """Five hundred tickets in one go, and what the process keeps of a thousand documents."""
    site = stage.site(taken=TICKETS)
    return {**site.call("renders", "many"), "grows_mb": site.call("renders", "growth_mb")}

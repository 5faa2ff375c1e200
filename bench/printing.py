"""PDF tickets, made as a worker makes them: in a process with Django that does nothing else."""

from collections.abc import Iterator
from typing import Any

from bench.stage import Stage

TICKETS = 500


def pdf_one(stage: Stage) -> Iterator[dict[str, Any]]:
    """One ticket, when the fonts are loaded."""
    yield _line("pdf_one", stage, "renders.one")


def pdf_many(stage: Stage) -> Iterator[dict[str, Any]]:
    """Five hundred tickets in one go."""
    yield _line("pdf_many", stage, "renders.many")


def pdf_memory(stage: Stage) -> Iterator[dict[str, Any]]:
    """A thousand renders in one process."""
    yield _line("pdf_memory", stage, "renders.memory")


def _line(bench: str, stage: Stage, function: str) -> dict[str, Any]:
    site = stage.site()
    site.prepare("tickets", count=TICKETS)
    line = {"bench": bench, "database": stage.databases.name, "concurrency": 1}
    return line | site.prepare(function)

"""What `printing` measures, run in a site's settings by `python -m bench.within`."""

import time

from django.db.models import QuerySet

from bench.programs import memory_mb
from conference import pdf
from tickets import documents
from tickets.models import Ticket

RENDERS = 60
MANY_RENDERS = 1_000
WARM_UP = 30  # renders until fonts and styles are read, and memory has reached its level


def one() -> dict[str, float]:
    """Processor time for a document of one ticket, in milliseconds."""
    tickets = _warmed_up()
    began = time.process_time()
    for ticket in tickets[:RENDERS]:
        documents.tickets_pdf([ticket])
    return {"cpu_ms": _ms_each(began, RENDERS)}


def many() -> dict[str, float]:
    """All tickets of a conference: processor time for each, and the process's peak of memory."""
    pdf.warm_up()
    tickets = _tickets()
    began = time.process_time()
    for _document in documents.tickets_pdf_many(tickets.iterator(50)):
        pass
    return {
        "tickets": tickets.count(),
        "cpu_ms": _ms_each(began, tickets.count()),
        "peak_mb": round(memory_mb("self", "VmHWM"), 1),
    }


def growth_mb() -> float:
    """The memory that a process has more after a thousand documents of one ticket."""
    tickets = _warmed_up()
    before = memory_mb("self", "VmRSS")
    for number in range(MANY_RENDERS):
        documents.tickets_pdf([tickets[number % len(tickets)]])
    return round(memory_mb("self", "VmRSS") - before, 1)


def _tickets() -> QuerySet[Ticket]:
    return Ticket.objects.select_related("ticket_type", "order__conference__organisation")


def _warmed_up() -> list[Ticket]:
    """The tickets, after some renders that are not measured."""
    pdf.warm_up()
    tickets = list(_tickets())
    for ticket in tickets[:WARM_UP]:
        documents.tickets_pdf([ticket])
    return tickets


def _ms_each(began: float, count: int) -> float:
    return round((time.process_time() - began) / count * 1000, 1)

"""What `printing` measures, run in the site's own settings by `python -m bench.inside`."""

import time
from typing import Any

from bench.client import Load
from bench.programs import memory_mb
from conference import pdf
from tickets import documents
from tickets.models import Ticket

SINGLE, THOUSAND = 60, 1_000
# Renders until memory has found its level: fonts, parsed styles, the allocator's own pools.
WARM_UP = 30


def one() -> dict[str, Any]:
    """Tickets one by one: the processor's time for each, and the size of the file."""
    tickets = _tickets()[: WARM_UP + SINGLE]
    _warm_up(tickets)
    load = Load()
    began, used = time.perf_counter(), time.process_time()
    for ticket in tickets[WARM_UP:]:
        at = time.perf_counter()
        content = documents.tickets_pdf([ticket])
        load.waits.append(time.perf_counter() - at)
    load.seconds = time.perf_counter() - began
    return {
        "per_s": round(load.per_s, 1),
        "p50_ms": round(load.ms(50), 1),
        "p99_ms": round(load.ms(99), 1),
        "cpu_ms": round((time.process_time() - used) / len(load.waits) * 1000, 1),
        "kb": round(len(content) / 1000, 1),
    }


def many() -> dict[str, Any]:
    """All tickets of a conference in documents of a few dozen: time for each, peak of memory."""
    pdf.warm_up()
    count = Ticket.objects.count()
    began, used = time.perf_counter(), time.process_time()
    size = sum(len(content) for content in documents.tickets_pdf_many(_query().iterator(50)))
    seconds = time.perf_counter() - began
    return {
        "per_s": round(count / seconds, 1),
        "tickets": count,
        "seconds": round(seconds, 1),
        "cpu_ms": round((time.process_time() - used) / count * 1000, 1),
        "kb": round(size / 1000, 1),
        "peak_mb": round(memory_mb("self", "VmHWM"), 1),
    }


def memory() -> dict[str, Any]:
    """A thousand documents of one ticket: what the process keeps of them."""
    tickets = _tickets()
    _warm_up(tickets)
    before = memory_mb("self", "VmRSS")
    began = time.perf_counter()
    for number in range(THOUSAND):
        documents.tickets_pdf([tickets[number % len(tickets)]])
    return {
        "per_s": round(THOUSAND / (time.perf_counter() - began), 1),
        "renders": THOUSAND,
        "before_mb": round(before, 1),
        "grows_mb": round(memory_mb("self", "VmRSS") - before, 1),
    }


def _query() -> Any:
    return Ticket.objects.select_related("ticket_type", "order__conference__organisation")


def _tickets() -> list[Ticket]:
    return list(_query())


def _warm_up(tickets: list[Ticket]) -> None:
    pdf.warm_up()
    for ticket in tickets[:WARM_UP]:
        documents.tickets_pdf([ticket])

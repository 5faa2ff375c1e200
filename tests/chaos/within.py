"""What a drill does in the site's own settings: `python -m bench.within tests.chaos.within …`."""

import json
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import F, QuerySet
from django_tasks_db.models import DBTaskResult

from conference.models import Mail
from donations.models import Payment, Refund, StripeEvent
from tests.chaos.counting import count
from tests.chaos.plan import Booking
from tests.factories import make_conference
from tickets.models import Order

LOOK_EVERY = 0.5  # seconds


def prepare(*, few: int, ample: int) -> dict[str, Any]:
    """Make the tables and a conference with so many places of two kinds."""
    call_command("migrate", interactive=False, verbosity=0)
    conference = make_conference(types={"few": few, "ample": ample})
    kinds = {kind.name: kind.pk for kind in conference.ticket_types.all()}
    return {"slug": conference.slug, "kinds": kinds}


def let_time_pass(*, minutes: int) -> None:
    """Let the rows that wait for something be so many minutes older; nothing may be running.

    Retries of mail wait for minutes, the sweep takes what a dead worker left for ten, and places
    are kept for forty. Moving the rows into the past is the same to the service as waiting. The
    machine's clock stays as it is, and so do the heartbeats: a clock that leaps is another matter.
    """
    live = Payment.objects.live()
    unfinished = Refund.objects.filter(status__in=["begun", "pending"])
    waiting: list[tuple[QuerySet[Any], tuple[str, ...]]] = [
        (DBTaskResult.objects.running(), ("started_at",)),
        (Mail.objects.filter(status="sending"), ("claimed_at",)),
        (Mail.objects.filter(status__in=Mail.UNFINISHED), ("created_at", "next_try_at")),
        (StripeEvent.objects.filter(outcome="waiting"), ("received_at",)),
        (live, ("created_at", "check_at", "session_expires_at")),
        (unfinished, ("created_at", "check_at")),
        (Order.objects.filter(status="reserved"), ("created_at", "expires_at")),
        (Order.objects.filter(status="confirmed", mailed_at=None), ("confirmed_at",)),
    ]
    with transaction.atomic():
        for rows, names in waiting:
            rows.update(**{name: F(name) - timedelta(minutes=minutes) for name in names})


def left_to_do() -> dict[str, int]:
    """How much of each kind is still to be done; nothing of it once all is quiet."""
    left = {
        "tasks": DBTaskResult.objects.filter(status__in=["READY", "RUNNING"]).count(),
        "mails": Mail.objects.filter(status__in=Mail.UNFINISHED).count(),
        "events": StripeEvent.objects.filter(outcome="waiting").count(),
        "payments": Payment.objects.live().count(),
        "refunds": Refund.objects.filter(status__in=["begun", "pending"]).count(),
        "orders reserved": Order.objects.filter(status="reserved").count(),
        "orders unmailed": Order.objects.filter(status="confirmed", mailed_at=None).count(),
    }
    return {name: number for name, number in left.items() if number}


def wait_and_count(*, folder: str, within: float) -> dict[str, Any]:
    """Wait until all is done, for so many seconds at most, and count what it came to."""
    deadline = time.monotonic() + within
    while (left := left_to_do()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    told = json.loads((Path(folder) / "bookings.json").read_text())
    counted = count([Booking(**booking) for booking in told], Path(folder) / "letters")
    counted.fault("still to be done", [f"{number} {name}" for name, number in left.items()])
    failed = DBTaskResult.objects.failed()
    counted.fault(
        "tasks that failed", [f"{one.task_path}: {one.exception_class_path}" for one in failed]
    )
    parked = Payment.objects.filter(status="parked")
    counted.fault("payments parked", [payment.problem for payment in parked])
    return asdict(counted)

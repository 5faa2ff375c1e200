"""After a backup was restored: what was waiting to be sent in it waits for an organiser's answer.

Some of it may have been sent after the backup was made. Whatever is written from then on is sent
as usual.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

import donations.unknown
from conference import clocks, mail, queue
from conference.audit import record
from conference.models import Mail, Restore, User
from tickets.models import Order
from tickets.tasks import mail_tickets

logger = logging.getLogger(__name__)


class NothingToAnswer(Exception):
    """Somebody has answered already, or no backup was restored."""


@dataclass(frozen=True)
class Withheld:
    """What waits for an answer since a backup of `backup_at` was restored."""

    backup_at: datetime
    mails: int
    orders: list[str]  # the references of those whose tickets have not been mailed


def notice(*, now: datetime) -> None:
    """Withhold what is waiting, if the database has turned out to be a restored backup."""
    backup_at = clocks.restored_backup(now)
    if backup_at is not None:
        _withhold(backup_at, now)


def say_restored(*, now: datetime) -> bool:
    """Withhold what is waiting because somebody says so; False if that is known already."""
    if Restore.objects.unanswered().exists():
        return False
    return _withhold(clocks.last_beat() or now, now)


def withheld() -> Withheld | None:
    """What waits for an answer; None if nothing does."""
    restores = list(Restore.objects.unanswered().order_by("noticed_at"))
    if not restores:
        return None
    return Withheld(
        backup_at=restores[-1].backup_at,
        mails=Mail.objects.filter(status=Mail.Status.WITHHELD).count(),
        orders=list(_set_aside(restores).order_by("reference").values_list("reference", flat=True)),
    )


def send_withheld(*, by: User, now: datetime) -> None:
    """Send what was withheld. Raises NothingToAnswer."""
    with transaction.atomic():
        orders = _set_aside(_answered(now))
        pks = list(orders.values_list("pk", flat=True))
        Order.objects.filter(pk__in=pks).update(mailed_at=None)
        for pk in pks:
            mail_tickets.enqueue(pk)
        mail.send_withheld(now=now)
        queue.take_up()
        record("waiting mails sent", "mails", by=by, now=now)


def drop_withheld(*, by: User, now: datetime) -> None:
    """Delete the mails that were withheld; their orders count as mailed. Raises NothingToAnswer."""
    with transaction.atomic():
        _answered(now)
        mail.drop_withheld()
        queue.drop_set_aside()
        record("waiting mails dropped", "mails", by=by, now=now)


def _withhold(backup_at: datetime, now: datetime) -> bool:
    with transaction.atomic():
        # Worker and sweep may notice it at once: for the second one it is there already.
        _restore, is_new = Restore.objects.get_or_create(
            backup_at=backup_at, defaults={"noticed_at": now}
        )
        if not is_new:
            return False
        mail.withhold()
        queue.set_aside()
        unmailed = Order.objects.filter(status=Order.Status.CONFIRMED, mailed_at__isnull=True)
        unmailed.update(mailed_at=now)
        donations.unknown.look_back_to(backup_at)
        record("backup restored", f"backup:{backup_at:%Y-%m-%d %H:%M}", now=now)
    logger.warning(
        "The database is a backup of %s UTC. What was waiting to be sent waits for an answer at "
        "the desk.",
        f"{backup_at:%Y-%m-%d %H:%M}",
    )
    return True


def _answered(now: datetime) -> list[Restore]:
    """The restored backups that waited for an answer, now answered. Raises NothingToAnswer."""
    restores = list(Restore.objects.unanswered().select_for_update())
    if not restores:
        raise NothingToAnswer
    Restore.objects.filter(pk__in=[restore.pk for restore in restores]).update(answered_at=now)
    return restores


def _set_aside(restores: list[Restore]) -> QuerySet[Order]:
    """The orders whose tickets were to be mailed when these backups were restored."""
    return Order.objects.filter(
        status=Order.Status.CONFIRMED, mailed_at__in=[restore.noticed_at for restore in restores]
    )

"""Mail: written to the database first, then sent by a worker and retried if that fails.

A message is a row with states: no visitor waits for a mail server, and nothing is lost while it
is down. Each app lists the mails that it sends in its `mails.py`, one function a mail, and only
those call `write`. The sending itself is in `conference/delivery.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string

from conference.audit import record
from conference.delivery import WAITS
from conference.models import Mail, MailAttachment, User
from conference.queue import LARGE_MAIL, SMALL_MAIL, enqueue_once
from conference.tasks import deliver_mail

# The most mails that visitors can have us send to one address in a day, whichever way leads there:
# bookings, lost links, sign-ups. The second is for an address that somebody else gave, the third
# for one order to all its addresses together (ten attendees and the holder, twice).
MOST_TO_AN_ADDRESS = 10
MOST_TO_ANOTHER = 4
MOST_OF_AN_ORDER = 22
A_DAY = timedelta(days=1)
# A message that is SENDING for longer was left behind by a worker that died.
STUCK_AFTER = timedelta(minutes=10)
# Clocks of several machines may differ by this much.
CLOCKS_DIFFER = timedelta(minutes=2)
# No next try lies further ahead by a clock that is right.
FURTHEST_TRY = timedelta(minutes=WAITS[-1]) + CLOCKS_DIFFER
# How long a mail is kept, in case somebody asks the organisers about it.
KEPT_FOR = timedelta(days=30)


class NotFailed(Exception):
    """The message has not failed, so it cannot be tried again by hand."""


@dataclass(frozen=True)
class Attachment:
    """A file attached to a message."""

    name: str
    mime_type: str
    content: bytes


def write(
    *,
    key: str,
    to: str,
    template: str,
    context: dict[str, Any],
    now: datetime,
    about: str = "",
    sender: str = "",
    attachments: Sequence[Attachment] = (),
    headers: dict[str, str] | None = None,
    is_withheld: bool = False,
    counts: bool = True,
) -> Mail:
    """Write a message to the database and have a worker send it.

    A message without attachments goes first. `key` names the message: a second call with the same
    key writes nothing and returns the first message. `template` is a path without its ending:
    'tickets/emails/tickets' stands for three files, which end in .subject.txt, .txt and .html.
    `about` is what the message concerns, such as an order's reference. `sender` defaults to
    DEFAULT_FROM_EMAIL. A message that `is_withheld` is only sent once an organiser has said so. One
    that `counts` takes of the room that its inbox has in a day.
    """
    parts = _rendered(template, context | {"base_url": settings.BASE_URL})
    with transaction.atomic():
        mail, is_new = Mail.objects.get_or_create(
            key=key,
            defaults={
                "to": to,
                "inbox": inbox_of(to) if counts else "",
                "about": about,
                "sender": sender or settings.DEFAULT_FROM_EMAIL,
                **parts,
                "headers": headers or {},
                "status": Mail.Status.WITHHELD if is_withheld else Mail.Status.QUEUED,
                "created_at": now,
                "next_try_at": now,
            },
        )
        if is_new:
            MailAttachment.objects.bulk_create(
                MailAttachment(mail=mail, name=a.name, mime_type=a.mime_type, content=a.content)
                for a in attachments
            )
            # The queue is in the same database, so the task exists exactly if the message does.
            if not is_withheld:
                priority = _priority(bool(attachments))
                deliver_mail.using(priority=priority).enqueue(str(mail.pk))
    return mail


def has_room(to: str, *, now: datetime, most: int = MOST_TO_AN_ADDRESS) -> bool:
    """Whether fewer than `most` mails were written to this address's inbox within a day.

    Asked before a mail is written that a visitor caused, so that nobody can have us fill somebody
    else's inbox. Counted from the mails themselves: no way to write one can go round it.
    """
    written = Mail.objects.filter(inbox=inbox_of(to), created_at__gt=now - A_DAY)
    return written.count() < most * settings.LIMIT_FACTOR


def inbox_of(address: str) -> str:
    """The address in the one spelling by which its inbox is counted.

    Without what follows a plus sign, which many providers ignore, and for Google's without dots.
    """
    name, _at, domain = address.lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def may_be_written_about(about: str, *, now: datetime) -> bool:
    """Whether fewer than MOST_OF_AN_ORDER mails were written about this order within a day."""
    written = Mail.objects.filter(about=about, created_at__gt=now - A_DAY)
    return written.count() < MOST_OF_AN_ORDER * settings.LIMIT_FACTOR


def withdraw(*, about: str, to: str) -> None:
    """Delete the messages to `to` about `about` that have not been sent: the address was wrong."""
    not_sent = [Mail.Status.QUEUED, Mail.Status.FAILED, Mail.Status.WITHHELD]
    Mail.objects.filter(about=about, to=to, status__in=not_sent).delete()


def retry(mail: Mail, *, by: User | None, now: datetime) -> None:
    """Queue a failed message again, with all its tries. Raises NotFailed for any other message."""
    with transaction.atomic():
        changed = Mail.objects.filter(pk=mail.pk, status=Mail.Status.FAILED).update(
            status=Mail.Status.QUEUED, attempts=0, next_try_at=now
        )
        if not changed:
            raise NotFailed(mail.pk)
        record("mail tried again", mail.about or str(mail.pk), by=by, now=now)
        deliver_mail.enqueue(str(mail.pk))


def withhold() -> None:
    """Hold back every message that is waiting to be sent."""
    Mail.objects.filter(status__in=Mail.UNFINISHED).update(status=Mail.Status.WITHHELD)


def send_withheld(*, now: datetime) -> None:
    """Queue the messages that were held back. Called inside the transaction that decides it."""
    withheld = Mail.objects.filter(status=Mail.Status.WITHHELD)
    pks = list(withheld.values_list("pk", flat=True))
    withheld.filter(pk__in=pks).update(status=Mail.Status.QUEUED, attempts=0, next_try_at=now)
    for pk in pks:
        deliver_mail.enqueue(str(pk))


def drop_withheld() -> None:
    """Delete the messages that were held back."""
    Mail.objects.filter(status=Mail.Status.WITHHELD).delete()


def sweep(now: datetime) -> None:
    """Queue the messages of dead workers again, enqueue those that are due, delete old ones."""
    # The mail server may have accepted such a message already. A ticket that comes twice is
    # better than none, and both copies have one Message-ID, so mail programs can drop the second.
    Mail.objects.filter(status=Mail.Status.SENDING, claimed_at__lt=now - STUCK_AFTER).update(
        status=Mail.Status.QUEUED, next_try_at=now
    )
    # Written or tried while the clock was ahead: they would wait until it has caught up.
    ahead = Q(created_at__gt=now + CLOCKS_DIFFER) | Q(next_try_at__gt=now + FURTHEST_TRY)
    Mail.objects.filter(ahead, status=Mail.Status.QUEUED).update(created_at=now, next_try_at=now)
    # A new message has a task of its own. Once it is two minutes old, that task was lost.
    overdue = Mail.objects.due(now).exclude(attempts=0, created_at__gt=now - timedelta(minutes=2))
    longest_waiting = overdue.order_by("next_try_at").values_list("pk", "attachments")[:200]
    for priority in (SMALL_MAIL, LARGE_MAIL):
        wanted = {pk for pk, file in longest_waiting if _priority(file is not None) == priority}
        enqueue_once(deliver_mail.using(priority=priority), map(str, wanted))
    undecided = [*Mail.UNFINISHED, Mail.Status.WITHHELD]
    Mail.objects.filter(created_at__lt=now - KEPT_FOR).exclude(status__in=undecided).delete()


def _rendered(template: str, context: dict[str, Any]) -> dict[str, str]:
    """The subject, in one line, and both parts of a message."""
    subject = " ".join(render_to_string(f"{template}.subject.txt", context).split())
    return {
        "subject": subject[:300],
        "text": render_to_string(f"{template}.txt", context).strip() + "\n",
        "html": render_to_string(f"{template}.html", context),
    }


def _priority(has_files: bool) -> int:
    return LARGE_MAIL if has_files else SMALL_MAIL

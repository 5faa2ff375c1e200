"""What is kept of people, why, and for how long: one table, which is shown and carried out.

The privacy page shows every row, and the sweep runs `forget` of each that has one. Both take the
time from the row's `kept_for`, so what is said and what is done cannot differ.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_tasks_db.models import DBTaskResult

import donations.erasing
import signup.actions
import signup.models
import tickets.tasks
from conference import mail, queue, searches
from conference.database import AWAY
from conference.models import Allowance, AuditEntry, Mail, MailAttachment, User
from donations.models import Donation, Payment, Refund
from signup.models import Consent, Subscriber, Suppression
from tickets import actions
from tickets.models import ERASED_EMAIL, ERASED_NAME, Document, Order, Scan, Ticket

logger = logging.getLogger(__name__)

# How many rows of a kind one run takes on. The sweep runs each minute.
AT_ONCE = 500


class Forget(Protocol):
    """Forgets what is from before `before`, a part at a time. Idempotent."""

    def __call__(self, *, before: datetime, now: datetime) -> None: ...


@dataclass(frozen=True)
class Row:
    """One kind of thing that is kept. `how_long` has %(time)s where `kept_for` is to stand."""

    what: Promise
    why: Promise
    how_long: Promise
    # The models in which it is kept: a test sees that none with people in it is left out.
    models: tuple[type[models.Model], ...]
    stays: Promise | None = None
    kept_for: timedelta | None = None
    # None where something else forgets it: the comment beside it says what.
    forget: Forget | None = None

    @property
    def time(self) -> str:
        """How long it is kept, in words."""
        return str(self.how_long) % {"time": _in_words(self.kept_for or timedelta())}


def months(count: int) -> timedelta:
    """So many months, in whole days; a year is 365."""
    return timedelta(days=365 * count // 12)


def _in_words(kept_for: timedelta) -> str:
    if kept_for >= months(3):
        count = round(kept_for.days * 12 / 365)
        return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}
    if kept_for >= timedelta(days=1):
        count = kept_for.days
        return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
    count = kept_for // timedelta(hours=1)
    return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}


def _delete_accounts(*, before: datetime, now: datetime) -> None:
    """Delete closed accounts; what they did stays on record without a name."""
    since = Coalesce("closed_at", "last_login", "date_joined")
    closed = User.objects.filter(is_active=False).annotate(since=since)
    with transaction.atomic():
        accounts = list(closed.filter(since__lt=before).values_list("pk", flat=True)[:AT_ONCE])
        if not accounts:
            return
        # Django's own log of the settings names an account by its address.
        about_users = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(User),
            object_id__in=[str(pk) for pk in accounts],
        )
        about_users.delete()
        User.objects.filter(pk__in=accounts).delete()


def _forget_who_did_it(*, before: datetime, now: datetime) -> None:
    """Take out of the audit log who of the staff it was; delete what Django's own log has."""
    named = AuditEntry.objects.filter(by__isnull=False, at__lt=before)
    oldest = list(named.values_list("pk", flat=True)[:AT_ONCE])
    AuditEntry.objects.filter(pk__in=oldest).update(by=None)
    logged = LogEntry.objects.filter(action_time__lt=before).order_by()
    LogEntry.objects.filter(pk__in=list(logged.values_list("pk", flat=True)[:AT_ONCE])).delete()


def _erase_attendees(*, before: datetime, now: datetime) -> None:
    actions.erase_past_attendees(ended_before=before, most=AT_ONCE, now=now)


def _erase_givers(*, before: datetime, now: datetime) -> None:
    donations.erasing.erase_past_givers(
        ended_before=before, most=AT_ONCE, name=ERASED_NAME, email=ERASED_EMAIL, now=now
    )


def _delete_scans(*, before: datetime, now: datetime) -> None:
    actions.delete_past_scans(ended_before=before, now=now)


def _forget_those_who_left(*, before: datetime, now: datetime) -> None:
    signup.actions.forget_those_who_left(before=before, most=AT_ONCE, now=now)


TABLE: tuple[Row, ...] = (
    Row(
        what=_("Bookings: the names and e-mail addresses of those who book and those who come"),
        why=_("To keep your places, to send the tickets, and to help if something went wrong."),
        how_long=_(
            "Until %(time)s after the conference; longer only while a payment or refund is not "
            "settled."
        ),
        stays=_("The booking's number, the kinds of ticket and the times, without any name."),
        models=(Order, Ticket),
        kept_for=months(12),
        forget=_erase_attendees,
    ),
    Row(
        what=_("Donations: the giver's name and e-mail address"),
        why=_("To thank you, and to give money back where that is right."),
        how_long=_(
            "Until %(time)s after the conference; longer only while a payment or refund is not "
            "settled."
        ),
        stays=_(
            "The sum, the date and Stripe's numbers, without your name: charities must keep their "
            "accounts for six years after the end of the year."
        ),
        models=(Donation, Payment),
        kept_for=months(12),
        forget=_erase_givers,
    ),
    Row(
        what=_("The door: which ticket was scanned, when, at which door and by which volunteer"),
        why=_("So that one ticket lets one person in, and we know how many are in the building."),
        how_long=_("Until %(time)s after the conference."),
        stays=_("How many people came with each kind of ticket."),
        models=(Scan,),
        kept_for=months(3),
        forget=_delete_scans,
    ),
    Row(
        what=_("Copies of the mails that we send"),
        why=_("To see whether a mail went out. Its attachments are deleted once it is sent."),
        how_long=_("For %(time)s."),
        models=(Mail, MailAttachment),
        kept_for=mail.KEPT_FOR,  # by mail.sweep
    ),
    Row(
        what=_("PDF files of tickets that you open from the page of your booking"),
        why=_("So that the page can show them. They are made again when you ask for them."),
        how_long=_("For %(time)s."),
        models=(Document,),
        kept_for=tickets.tasks.DOCUMENT_KEPT_FOR,  # by tickets.sweep
    ),
    Row(
        what=_("The Bulletin: an e-mail address that was entered but not confirmed"),
        why=_("So that we only write to people who have confirmed."),
        how_long=_("For %(time)s."),
        models=(Subscriber, Consent),
        kept_for=signup.models.PENDING_FOR,  # by signup.actions.sweep
    ),
    Row(
        what=_(
            "The Bulletin: your e-mail address, your name if you gave it, and when, where and in "
            "which words you agreed"
        ),
        why=_("To send it to you, and to be able to show that you wanted it."),
        how_long=_("As long as you receive the Bulletin."),
        models=(Subscriber, Consent),
    ),
    Row(
        what=_("The Bulletin: the same details for people who have left it"),
        why=_("To be able to show that you had wanted it."),
        how_long=_("Until %(time)s after you left."),
        stays=_(
            "If you complained about a mail or asked us to erase you: a scrambled form of your "
            "address, which nobody can read and which stops us from ever writing to it again."
        ),
        models=(Subscriber, Consent, Suppression),
        kept_for=months(24),
        forget=_forget_those_who_left,
    ),
    Row(
        what=_("Accounts of those who organise or help at the door: name and e-mail address"),
        why=_("So that only they see what they need for their work."),
        how_long=_(
            "As long as somebody helps; a closed account until %(time)s after it was closed."
        ),
        stays=_("What was done with it, without a name."),
        models=(User, LogEntry),
        kept_for=months(12),
        forget=_delete_accounts,
    ),
    Row(
        what=_("The record of changes to bookings and settings, and which of us made them"),
        why=_("To find mistakes and misuse, and to put them right."),
        how_long=_("Who made a change: for %(time)s."),
        stays=_("What was changed and when. It never contains the name of anybody attending."),
        models=(AuditEntry, LogEntry, Refund),
        kept_for=months(24),
        forget=_forget_who_did_it,
    ),
    Row(
        what=_("Log-ins of those who work here"),
        why=_("So that they need not log in for every page."),
        how_long=_("For %(time)s at most."),
        models=(Session,),
        kept_for=timedelta(seconds=settings.SESSION_COOKIE_AGE),  # by the sweep's `sessions`
    ),
    Row(
        what=_("What organisers search for at their desk, which may be your name"),
        why=_("So that no name stands in the address of a page."),
        how_long=_("For %(time)s."),
        models=(Session,),
        kept_for=searches.KEPT_FOR,  # by searches.forget_old
    ),
    Row(
        what=_("How often something was asked for from one network or for one address"),
        why=_("To stop abuse. Networks and addresses are kept only in a scrambled form."),
        how_long=_("For %(time)s at most."),
        models=(Allowance,),
        kept_for=timedelta(days=1),  # the longest window of any limit; by limits.forget_old
    ),
    Row(
        what=_("Work that waits for its turn, such as a mail to be written to an address"),
        why=_("So that nothing is lost if something stops."),
        how_long=_("For %(time)s after it is done."),
        models=(DBTaskResult,),
        kept_for=queue.KEPT_FOR,  # by the sweep's `queue`
    ),
    Row(
        what=_("Backups of all this"),
        why=_("So that nothing is lost if a machine breaks."),
        how_long=_("Until they are overwritten by newer ones."),
        models=(),
    ),
    Row(
        what=_("At Stripe: your payment, your e-mail address, and your card details"),
        why=_("Stripe takes the payment for us and has its own legal duties."),
        how_long=_("As long as Stripe's own rules and the law say."),
        stays=_("Ask us if your e-mail address should be removed there as well: we pass it on."),
        models=(),
    ),
)


def sweep(now: datetime) -> None:
    """Forget what is due by the table. One row that fails does not stop the others."""
    for row in TABLE:
        if row.forget is None or row.kept_for is None:
            continue
        try:
            row.forget(before=now - row.kept_for, now=now)
        except AWAY:
            raise
        except Exception:
            logger.exception("not forgotten: %s", row.what)

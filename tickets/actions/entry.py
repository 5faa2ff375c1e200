"""The door: a code is scanned, and one Scan says what came of it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from conference import codes
from conference.audit import record
from conference.models import User
from tickets.models import Gate, Order, ReplacedCode, Scan, Ticket

# Built once at import: on SQLite all doors wait while one of them has the lock.
_LOCKED_TICKETS = (
    Ticket.objects.select_for_update(of=("self",), no_key=True)
    .select_related("order", "ticket_type")
    .only(
        *("attendee_name", "reference", "status", "order__status", "order__conference"),
        *("ticket_type__name", "ticket_type__is_online", "ticket_type__is_private"),
    )
)
# The gate is read only if the door shows it.
_ENTRIES = Scan.objects.standing_entries().only("at", "gate")


class CannotUndo(Exception):
    """The scan admitted nobody, is undone already, or is too long ago."""


@dataclass(frozen=True)
class Result:
    """What came of a code at the door: the scan as it was written down, and the ticket it names.

    `first` is the earlier entry by that ticket, if it has one that was not undone.
    """

    scan: Scan
    ticket: Ticket | None
    first: Scan | None = None


def scan(*, scan_id: uuid.UUID, text: str, gate: Gate, by: User, now: datetime) -> Result:
    """Judge a scanned or typed code at a gate, and admit whoever shows it if it is valid.

    `text` is a signed code or a short one. A second call with the same `scan_id` returns the
    first one's result. A ticket is admitted once, however many doors scan it at the same time.
    """
    wanted, is_signed = _ticket_named_by(text)
    # What our own signature is on was a ticket once: the list is older, or lost it.
    missing = Scan.Outcome.UNLISTED if is_signed else Scan.Outcome.UNKNOWN
    # Most tickets have no entry yet, and where one has, a constraint refuses a second. So it is
    # looked for only then: a tenth more scans a second than with a look before each.
    try:
        return _scan(scan_id, wanted, missing, gate, by, now, may_be_in=False)
    except IntegrityError:
        return _concluded(scan_id) or _scan(scan_id, wanted, missing, gate, by, now, may_be_in=True)


def _scan(
    scan_id: uuid.UUID,
    wanted: Q | None,
    missing: Scan.Outcome,
    gate: Gate,
    by: User,
    now: datetime,
    *,
    may_be_in: bool,
) -> Result:
    """Judge a code and write the scan down; `missing` is the outcome if there is no such ticket.

    Raises IntegrityError if there is a scan with this id, or, unless `may_be_in`, if the ticket is
    in already.
    """
    with transaction.atomic():
        ticket = entry = None
        if wanted is None:
            outcome = Scan.Outcome.NOT_A_TICKET
        elif ticket := _locked_ticket(wanted):
            entry = _entry_by(ticket) if may_be_in else None
            outcome = _judge(ticket, gate, entry)
        else:
            ticket = _ticket_replaced_under(wanted)
            outcome = Scan.Outcome.REPLACED if ticket else missing
        made = Scan.objects.create(
            id=scan_id,
            conference_id=gate.conference_id,
            gate=gate,
            ticket=ticket,
            by=by,
            outcome=outcome,
            at=now,
            received_at=now,
        )
    return Result(made, ticket, entry)


def _concluded(scan_id: uuid.UUID) -> Result | None:
    """The result of a scan that was written down before; None if there is none with this id."""
    written = Scan.objects.select_related("ticket__order", "ticket__ticket_type")
    seen = written.filter(pk=scan_id).first()
    if seen is None:
        return None
    entry = _entry_by(seen.ticket) if seen.ticket else None
    return Result(seen, seen.ticket, None if entry == seen else entry)


def undo(*, scan_id: uuid.UUID, by: User, now: datetime) -> Scan:
    """Undo an entry of the last ten minutes; the scan stays on record. Raises CannotUndo."""
    with transaction.atomic():
        entry = (
            Scan.objects.select_for_update(of=("self",), no_key=True)
            .select_related("ticket__order")
            .filter(pk=scan_id)
            .first()
        )
        if entry is None or entry.ticket is None or not entry.may_be_undone(now):
            raise CannotUndo
        entry.undone_at = now
        entry.undone_by = by
        entry.save(update_fields=["undone_at", "undone_by"])
        ticket = entry.ticket
        record("entry undone", ticket.order.reference, by=by, now=now, ticket=ticket.reference)
    return entry


def _ticket_named_by(text: str) -> tuple[Q | None, bool]:
    """How to find the ticket that a code names, and whether the code is signed by us.

    None if it is neither a signed nor a short code of ours.
    """
    try:
        return Q(number=codes.read(text).number), True
    except (codes.BadSignature, codes.UnknownKey):
        return None, False
    except codes.NotATicket:
        pass
    try:
        return Q(reference=codes.normalise_short(text)), False
    except codes.NotATicket:
        return None, False


def _locked_ticket(named: Q) -> Ticket | None:
    """The ticket with the columns needed here, locked so that doors judge it one by one."""
    try:
        return _LOCKED_TICKETS.get(named)
    except Ticket.DoesNotExist:
        return None


def _ticket_replaced_under(named: Q) -> Ticket | None:
    """The ticket that had this code until the code was replaced."""
    replaced = (
        ReplacedCode.objects.select_related("ticket__order", "ticket__ticket_type")
        .filter(named)
        .first()
    )
    return replaced.ticket if replaced else None


def _judge(ticket: Ticket, gate: Gate, entry: Scan | None) -> Scan.Outcome:
    if ticket.order.conference_id != gate.conference_id:
        return Scan.Outcome.OTHER_CONFERENCE
    if ticket.status == Ticket.Status.CANCELLED:
        return Scan.Outcome.CANCELLED
    if ticket.status != Ticket.Status.VALID or ticket.order.status != Order.Status.CONFIRMED:
        return Scan.Outcome.NOT_CONFIRMED
    return Scan.Outcome.ADMITTED if entry is None else Scan.Outcome.ALREADY_IN


def _entry_by(ticket: Ticket) -> Scan | None:
    """The entry by this ticket that was not undone, if there is one."""
    try:
        return _ENTRIES.get(ticket=ticket)
    except Scan.DoesNotExist:
        return None

"""The door's judgement: every outcome, once each, and taken back only for a while."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conference import codes
from conference.models import AuditEntry, User
from tests.factories import make_conference, make_gate, make_order, make_user
from tickets import actions
from tickets.actions import CannotUndo, Result
from tickets.models import Gate, Order, Scan, Ticket

pytestmark = pytest.mark.django_db

NOW = timezone.now()
Outcome = Scan.Outcome


@pytest.fixture
def gate() -> Gate:
    return make_gate(make_conference())


@pytest.fixture
def volunteer() -> User:
    return make_user("volunteer")


@pytest.fixture
def ticket(gate: Gate) -> Ticket:
    """A valid ticket of the gate's conference."""
    return make_order(gate.conference).tickets.get()


def scan(
    text: str, gate: Gate, by: User, minutes: float = 0, again: Result | None = None
) -> Result:
    return actions.scan(
        scan_id=again.scan.pk if again else uuid.uuid4(),
        text=text,
        gate=gate,
        by=by,
        now=NOW + timedelta(minutes=minutes),
    )


def test_good_code_is_admitted_and_written_down(
    gate: Gate, volunteer: User, ticket: Ticket
) -> None:
    result = scan(ticket.code, gate, volunteer)
    assert (result.ticket, result.first) == (ticket, None)
    row = Scan.objects.get()
    assert (row.outcome, row.ticket, row.gate, row.by, row.at) == (
        Outcome.ADMITTED,
        ticket,
        gate,
        volunteer,
        NOW,
    )


def test_second_scan_tells_of_the_first(gate: Gate, volunteer: User, ticket: Ticket) -> None:
    first = scan(ticket.code, gate, volunteer)
    other_gate = make_gate(gate.conference, "Garden door")
    second = scan(ticket.reference, other_gate, volunteer, minutes=5)
    assert (second.scan.outcome, second.first) == (Outcome.ALREADY_IN, first.scan)


def test_same_scan_again_is_the_same(gate: Gate, volunteer: User, ticket: Ticket) -> None:
    first = scan(ticket.code, gate, volunteer)
    again = scan(ticket.code, gate, volunteer, minutes=5, again=first)
    assert (again.scan, again.ticket, again.first) == (first.scan, ticket, None)
    second = scan(ticket.code, gate, volunteer, minutes=6)
    again = scan(ticket.code, gate, volunteer, minutes=7, again=second)
    assert (again.scan, again.first) == (second.scan, first.scan)
    assert Scan.objects.count() == 2


def test_unpaid_order_is_not_confirmed(gate: Gate, volunteer: User) -> None:
    held = make_order(gate.conference, gift_pence=500).tickets.get()
    assert scan(held.code, gate, volunteer).scan.outcome == Outcome.NOT_CONFIRMED


def test_cancelled_ticket_is_cancelled(gate: Gate, volunteer: User) -> None:
    order = make_order(gate.conference, names=("A", "B"))
    one, other = order.tickets.all()
    actions.cancel_ticket(ticket=one, now=NOW)
    assert scan(one.code, gate, volunteer).scan.outcome == Outcome.CANCELLED
    assert scan(other.code, gate, volunteer).scan.outcome == Outcome.ADMITTED


def test_cancelled_order_is_cancelled(gate: Gate, volunteer: User, ticket: Ticket) -> None:
    actions.cancel_order(order=ticket.order, now=NOW)
    assert scan(ticket.code, gate, volunteer).scan.outcome == Outcome.CANCELLED


def test_replaced_code_says_so_and_the_new_one_is_good(
    gate: Gate, volunteer: User, ticket: Ticket
) -> None:
    old_code, old_reference = ticket.code, ticket.reference
    actions.reissue(ticket=ticket, by=make_user(), now=NOW)
    ticket.refresh_from_db()
    seen = [
        scan(text, gate, volunteer).scan.outcome
        for text in (old_code, old_reference, ticket.code, ticket.reference)
    ]
    assert seen == [Outcome.REPLACED, Outcome.REPLACED, Outcome.ADMITTED, Outcome.ALREADY_IN]


def test_corrected_name_keeps_the_printed_ticket(
    gate: Gate, volunteer: User, ticket: Ticket
) -> None:
    code = ticket.code
    actions.correct_name(ticket=ticket, attendee_name="Ada King", now=NOW)
    result = scan(code, gate, volunteer)
    assert result.ticket is not None
    assert (result.scan.outcome, result.ticket.attendee_name) == (Outcome.ADMITTED, "Ada King")


def test_ticket_of_another_conference_is_not_admitted(gate: Gate, volunteer: User) -> None:
    other = make_order(make_conference()).tickets.get()
    result = scan(other.code, gate, volunteer)
    assert (result.scan.outcome, result.scan.conference) == (
        Outcome.OTHER_CONFERENCE,
        gate.conference,
    )


def test_short_code_of_no_ticket_is_unknown(gate: Gate, volunteer: User) -> None:
    assert scan("AAAA-BBBB", gate, volunteer).scan.outcome == Outcome.UNKNOWN


def test_code_signed_by_us_without_a_ticket_is_unlisted(gate: Gate, volunteer: User) -> None:
    first = scan(codes.sign(12345), gate, volunteer)
    assert (first.scan.outcome, first.ticket) == (Outcome.UNLISTED, None)
    again = scan(codes.sign(12345), gate, volunteer, again=first)
    assert (again.scan, Scan.objects.count()) == (first.scan, 1)


@pytest.mark.parametrize(
    "text",
    ["", "https://example.org/", "OD1", "WIFI:S:x;;", "5901234123457", "Ada", "\x00", "x" * 5000],
)
def test_any_other_code_is_no_ticket(gate: Gate, volunteer: User, text: str) -> None:
    result = scan(text, gate, volunteer)
    assert (result.scan.outcome, result.ticket) == (Outcome.NOT_A_TICKET, None)


def test_forged_code_is_no_ticket(
    gate: Gate, volunteer: User, ticket: Ticket, settings: LazySettings
) -> None:
    ours = settings.TICKET_SIGNING_KEYS
    settings.TICKET_SIGNING_KEYS = {1: bytes(range(32))}
    forged = ticket.code
    settings.TICKET_SIGNING_KEYS = ours
    assert scan(forged, gate, volunteer).scan.outcome == Outcome.NOT_A_TICKET


@pytest.mark.parametrize("change", ["lower", "spaces", "dash", "bare", "misread"])
def test_short_code_may_be_typed_badly(
    gate: Gate, volunteer: User, ticket: Ticket, change: str
) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(reference="AB01-C1DE")
    typed = {
        "lower": "ab01-c1de",
        "spaces": " AB01 C1DE ",
        "dash": "AB01–C1DE",
        "bare": "AB01C1DE",
        "misread": "ABO1-CIDE",
    }[change]
    assert scan(typed, gate, volunteer).scan.outcome == Outcome.ADMITTED


@pytest.mark.parametrize(("minutes", "works"), [(0, True), (10, True), (10.1, False)])
def test_entry_is_taken_back_within_ten_minutes(
    gate: Gate, volunteer: User, ticket: Ticket, minutes: float, works: bool
) -> None:
    entry = scan(ticket.code, gate, volunteer).scan
    later = NOW + timedelta(minutes=minutes)
    if not works:
        with pytest.raises(CannotUndo):
            actions.undo(scan_id=entry.pk, by=volunteer, now=later)
        return
    undone = actions.undo(scan_id=entry.pk, by=volunteer, now=later)
    assert (undone.outcome, undone.undone_at, undone.undone_by) == (
        Outcome.ADMITTED,
        later,
        volunteer,
    )
    assert AuditEntry.objects.get(verb="entry undone").by == volunteer
    assert scan(ticket.code, gate, volunteer, minutes=11).scan.outcome == Outcome.ADMITTED


def test_only_a_standing_entry_is_taken_back(gate: Gate, volunteer: User, ticket: Ticket) -> None:
    entry = scan(ticket.code, gate, volunteer).scan
    refused = scan(ticket.code, gate, volunteer).scan
    unknown = scan("AAAA-BBBB", gate, volunteer).scan
    actions.undo(scan_id=entry.pk, by=volunteer, now=NOW)
    for scan_id in (entry.pk, refused.pk, unknown.pk, uuid.uuid4()):
        with pytest.raises(CannotUndo):
            actions.undo(scan_id=scan_id, by=volunteer, now=NOW)


def test_undone_entry_sent_again_does_not_come_back(
    gate: Gate, volunteer: User, ticket: Ticket
) -> None:
    first = scan(ticket.code, gate, volunteer)
    actions.undo(scan_id=first.scan.pk, by=volunteer, now=NOW)
    again = scan(ticket.code, gate, volunteer, again=first)
    assert again.scan.undone_at == NOW
    assert Scan.objects.count() == 1


def test_two_standing_entries_cannot_even_be_written(
    gate: Gate, volunteer: User, ticket: Ticket
) -> None:
    entry = scan(ticket.code, gate, volunteer).scan
    entry.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_let_in_with_an_order_that_is_being_cancelled() -> None:
    gate, volunteer = make_gate(make_conference()), make_user("volunteer")
    for _ in range(8):
        order = make_order(gate.conference, names=("A", "B"))
        codes_of_both = [ticket.code for ticket in order.tickets.all()]
        together = Barrier(3)

        def cancel(order: Order = order, together: Barrier = together) -> str:
            together.wait()
            try:
                actions.cancel_order(order=order, now=NOW)
            except actions.TooLate:
                return "too late"
            finally:
                connection.close()
            return "cancelled"

        def enter(code: str, together: Barrier = together) -> str:
            together.wait()
            try:
                return str(scan(code, gate, volunteer).scan.outcome)
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as threads:
            cancelled = threads.submit(cancel)
            entries = set(threads.map(enter, codes_of_both))
        assert (cancelled.result(), "admitted" in entries) in (
            ("cancelled", False),
            ("too late", True),
        )


def test_who_is_in_cannot_give_the_place_back(gate: Gate, volunteer: User, ticket: Ticket) -> None:
    entry = scan(ticket.code, gate, volunteer).scan
    with pytest.raises(actions.TooLate):
        actions.cancel_ticket(ticket=ticket, now=NOW)
    with pytest.raises(actions.TooLate):
        actions.cancel_order(order=ticket.order, now=NOW)
    actions.undo(scan_id=entry.pk, by=volunteer, now=NOW)
    actions.cancel_ticket(ticket=ticket, now=NOW)
    assert scan(ticket.code, gate, volunteer).scan.outcome == Outcome.CANCELLED

"""What is kept of people goes by itself, by one table that the privacy page shows."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import signup.actions
from conference import retention
from conference.audit import record
from conference.management.commands.sweep import sweep
from conference.models import AuditEntry, Conference, Mail, User
from donations.models import Donation, Payment, Refund, StripeEvent
from donations.settlement import settle
from sandbox.server import Sandbox
from signup.models import Consent, Subscriber
from tests.clock import Clock
from tests.factories import make_conference, make_gate, make_order, make_subscriber, make_user
from tests.html import page, words
from tests.remains import places_of
from tickets import actions
from tickets.door.counts import counts
from tickets.models import Gate, Order, Scan, Ticket, TicketType

pytestmark = pytest.mark.django_db


def past(days: int, **fields: Any) -> Conference:
    """A conference that ended so many days ago, after it was booked."""
    conference = make_conference(**fields)
    end(conference, days)
    return conference


def end(conference: Conference, days: int, *, changed: timedelta = timedelta(days=8)) -> None:
    """Let it have ended so many days ago, by a change of its day that was made so long ago."""
    now = timezone.now()
    ends_at = now - timedelta(days=days)
    Conference.objects.filter(pk=conference.pk).update(
        starts_at=ends_at - timedelta(hours=7), ends_at=ends_at, changed_at=now - changed
    )


def names() -> list[str]:
    return list(Ticket.objects.order_by("pk").values_list("attendee_name", flat=True))


def test_names_go_a_year_after_the_day_and_not_before() -> None:
    order = make_order(names=("Ada", "Grace"))
    end(order.conference, 364)
    retention.sweep(timezone.now())
    assert names() == ["Ada", "Grace"]
    end(order.conference, 366)
    retention.sweep(timezone.now())
    assert names() == ["Erased", "Erased"]


def test_day_that_was_moved_counts_as_it_stands_now() -> None:
    order = make_order()
    end(order.conference, 400)
    end(order.conference, -30)
    retention.sweep(timezone.now())
    assert names() == ["Ada Lovelace"]


def test_mistyped_year_erases_nobody_before_there_was_a_week_to_notice() -> None:
    order = make_order(gift_pence=500)
    volunteer = make_user("volunteer")
    gate = make_gate(order.conference)
    Scan.objects.create(
        conference=order.conference,
        gate=gate,
        by=volunteer,
        outcome="unknown",
        at=timezone.now(),
        received_at=timezone.now(),
    )
    end(order.conference, 730, changed=timedelta(days=6))
    retention.sweep(timezone.now())
    end(order.conference, -60, changed=timedelta())
    retention.sweep(timezone.now())
    assert (names(), Donation.objects.get().name) == (["Ada Lovelace"], "Ada Lovelace")
    assert Scan.objects.count() == 1


def test_much_goes_in_parts_and_one_cut_short_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    conference = make_conference()
    for _ in range(5):
        make_order(conference)
    end(conference, 400)
    for erased in (2, 4, 5, 5):
        retention.sweep(timezone.now())
        assert names().count("Erased") == erased
    entries = AuditEntry.objects.filter(verb="names erased").order_by("pk")
    assert [entry.detail for entry in entries] == [{"orders": n} for n in (2, 2, 1)]


@pytest.mark.parametrize("open_matter", ["processing", "parked", "refund", "event"])
def test_people_are_known_until_the_money_is_settled(stripe: Sandbox, open_matter: str) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    settled = settle(str(payment.session_id), now=now)
    assert settled is not None
    end(order.conference, 400)
    match open_matter:
        case "processing" | "parked":
            Payment.objects.update(status=open_matter)
        case "refund":
            Refund.objects.create(
                payment=settled,
                amount_pence=1500,
                reason="asked",
                status="failed",
                created_at=now,
                check_at=now,
            )
        case _:
            StripeEvent.objects.create(
                event_id="evt_1",
                type="charge.dispute.created",
                payment_intent_id=settled.payment_intent_id,
                outcome="attention",
                received_at=now,
            )
    retention.sweep(now)
    assert (Donation.objects.get().name, names()) == ("Ada Lovelace", ["Ada Lovelace"])
    Payment.objects.update(status="paid")
    Refund.objects.update(status="succeeded")
    StripeEvent.objects.update(outcome="done")
    retention.sweep(now)
    assert (Donation.objects.get().name, names()) == ("Erased", ["Erased"])


def test_giver_without_an_order_is_forgotten_too() -> None:
    now = timezone.now()
    Donation.objects.create(
        conference=past(400), name="Ada", email="ada@example.org", amount_pence=500, created_at=now
    )
    retention.sweep(now)
    donation = Donation.objects.get()
    assert (donation.name, donation.amount_pence) == ("Erased", 500)


def test_scan_of_an_old_ticket_by_somebody_who_tries_a_scanner_is_not_counted() -> None:
    order = make_order(names=("Ada", "Grace"))
    now = timezone.now()
    ada, grace = order.tickets.all()
    gate, by = make_gate(order.conference), make_user("volunteer")
    actions.scan(scan_id=uuid.uuid4(), text=ada.code, gate=gate, by=by, now=now)
    end(order.conference, 92)
    retention.sweep(now)
    for ticket in (ada, grace):
        actions.scan(scan_id=uuid.uuid4(), text=ticket.code, gate=gate, by=by, now=now)
    assert counts(order.conference)["in"] == 1
    retention.sweep(now)
    assert (Scan.objects.count(), counts(order.conference)["in"]) == (0, 1)


def test_who_left_the_bulletin_goes_after_two_years_who_reads_it_stays() -> None:
    now = timezone.now()
    subscriber = make_subscriber()
    signup.actions.confirm(subscriber=subscriber, now=now)
    retention.sweep(now + timedelta(days=4000))
    assert Consent.objects.count() == 2
    unsubscribe_at(subscriber, now)
    retention.sweep(now + timedelta(days=729))
    assert Consent.objects.count() == 3
    retention.sweep(now + timedelta(days=731))
    assert (Subscriber.objects.count(), Consent.objects.count()) == (0, 0)
    assert not signup.actions.is_suppressed("ada@example.org")


def unsubscribe_at(subscriber: Subscriber, now: Any) -> None:
    signup.actions.unsubscribe(subscriber=subscriber, source=Consent.Source.ONE_CLICK, now=now)


def test_who_complained_is_forgotten_and_still_never_written_to() -> None:
    now = timezone.now()
    make_subscriber()
    Subscriber.objects.update(status="complained", ended_at=now - timedelta(days=731))
    retention.sweep(now)
    assert Subscriber.objects.count() == 0
    assert signup.actions.is_suppressed("ada@example.org")


def test_closed_account_goes_a_year_later_and_an_open_one_stays() -> None:
    now = timezone.now()
    old = now - timedelta(days=366)
    for email, is_active, last_login in (
        ("open@example.org", True, old),
        ("closed@example.org", False, old),
        ("lately@example.org", False, now),
        ("never@example.org", False, None),
    ):
        make_user(email=email, is_active=is_active, last_login=last_login, date_joined=old)
    # By mistake perhaps, of somebody who comes once a year: there is time to notice.
    make_user(email="just@example.org", is_active=False, date_joined=old, closed_at=now)
    closed = User.objects.get(email="closed@example.org")
    record("setting changed", f"user: {closed.pk}", by=closed, now=now)
    LogEntry.objects.create(
        user=User.objects.get(email="open@example.org"),
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(closed.pk),
        object_repr="closed@example.org",
        action_flag=2,
    )
    retention.sweep(now)
    emails = User.objects.order_by("email").values_list("email", flat=True)
    assert list(emails) == ["just@example.org", "lately@example.org", "open@example.org"]
    assert AuditEntry.objects.get(verb="setting changed").by is None
    assert places_of("closed@") == []


def test_audit_log_forgets_after_two_years_who_did_it() -> None:
    now, by = timezone.now(), make_user()
    for days in (729, 731):
        record("tickets sent again", f"AAAA-{days}", by=by, now=now - timedelta(days=days))
    retention.sweep(now)
    entries = AuditEntry.objects.order_by("at").values_list("subject", "by")
    assert list(entries) == [("AAAA-731", None), ("AAAA-729", by.pk)]


def test_search_is_gone_from_the_session_after_an_hour(clock: Clock) -> None:
    make_conference()
    desk = Client()
    desk.force_login(make_user())
    found = desk.post("/desk/attendees/", {"words": "zebedee"}).url
    sweep(clock.advance(minutes=59))
    assert "zebedee" in desk.get(found).content.decode()
    sweep(clock.advance(minutes=2))
    assert places_of("zebedee") == []
    assert desk.get(found).status_code == 200
    assert "zebedee" not in desk.get(found).content.decode()
    assert desk.get("/desk/").status_code == 200, "still logged in"


def test_row_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order()
    end(order.conference, 400)

    def fail(**_when: Any) -> None:
        raise RuntimeError

    broken = replace(retention.TABLE[0], forget=fail)
    monkeypatch.setattr(retention, "TABLE", (broken, *retention.TABLE))
    retention.sweep(timezone.now())
    assert names() == ["Erased"]


def test_sweep_with_nothing_to_forget_asks_little_however_much_was_forgotten() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            retention.sweep(timezone.now())
        return len(captured)

    few = statements()
    conference = make_conference()
    for _ in range(3):
        make_order(conference)
    end(conference, 400)
    retention.sweep(timezone.now())
    assert statements() == few


# -- the table ----------------------------------------------------------------------------------


def test_privacy_page_shows_every_row_with_its_time(client: Client) -> None:
    text = words(page(client.get("/privacy/")))
    for row in retention.TABLE:
        for said in (row.what, row.time, row.why, row.stays or ""):
            assert str(said) in text, said
    times = {row.time.partition(";")[0].rstrip(".") + "." for row in retention.TABLE}
    assert {
        "Until 12 months after the conference.",
        "Until 3 months after the conference.",
        "Until 24 months after you left.",
        "For 30 days.",
        "For 1 day.",
        "For 7 days.",
        "For 14 hours at most.",
        "For 1 hour.",
    } <= times


def test_time_that_is_changed_is_what_is_said_and_done(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    order = make_order()
    end(order.conference, 100)
    shorter = replace(retention.TABLE[0], kept_for=retention.months(3))
    monkeypatch.setattr(retention, "TABLE", (shorter,))
    retention.sweep(timezone.now())
    assert names() == ["Erased"]
    assert "Until 3 months after the conference; longer" in words(page(client.get("/privacy/")))


# Models that have something in them which looks like a person, and hold none.
NO_PERSON = {
    "conference.Organisation": "the organisation itself, as it shows itself to everybody",
    "conference.Conference": "a day, a place and what organisers publish",
    "conference.Heartbeat": "the names of background processes",
    "tickets.TicketType": "the names of kinds",
    "tickets.Gate": "the names of doors",
    "auth.Group": "Django's, not used",
    "auth.Permission": "Django's, what may be done",
}


def looks_personal(model: type[models.Model]) -> bool:
    """Whether a model has a field in which somebody could be named."""
    for field in model._meta.get_fields():
        is_text = isinstance(field, (models.CharField, models.TextField))
        if (
            isinstance(field, (models.EmailField, models.JSONField, models.BinaryField))
            or (is_text and any(word in field.name for word in ("name", "email", "text", "data")))
            or (isinstance(field, models.ForeignKey) and field.related_model is User)
        ):
            return True
    return False


def test_no_model_with_people_in_it_is_left_out_of_the_table() -> None:
    claimed = {model for row in retention.TABLE for model in row.models}
    personal = {model for model in apps.get_models() if looks_personal(model)}
    forgotten = {model._meta.label for model in personal - claimed}
    assert forgotten == set(NO_PERSON)
    assert {Order, Ticket, Scan, Donation, Payment, Mail, Session, Subscriber} <= claimed
    assert looks_personal(TicketType)
    assert looks_personal(Gate)

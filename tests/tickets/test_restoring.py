"""A restored backup: nothing that was waiting is sent unasked, and what it forgot is found."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference import clocks
from conference.clocks import Reading
from conference.management.commands.sweep import sweep_once
from conference.models import AuditEntry, Conference, Heartbeat, Mail, Restore, User
from donations.models import StripeEvent
from donations.settlement import settle
from sandbox.server import Sandbox
from tests.backups import put_back, take_backup
from tests.clock import Clock
from tests.factories import make_conference, make_order, make_user
from tests.webhooks import deliver_all
from tickets import actions
from tickets.actions import restoring
from tickets.models import Order
from tickets.tasks import mail_links, mail_tickets

pytestmark = pytest.mark.django_db

Work = Callable[[], int]


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    """This machine's own folder, without a mark yet."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def organiser() -> User:
    return make_user()


@pytest.fixture
def desk(client: Client, organiser: User) -> Client:
    client.force_login(organiser)
    return client


def sweep(clock: Clock, **later: float) -> None:
    """One sweep, as the command does it, so much later."""
    now = clock.advance(**later)
    clocks.declare_right(now=now)  # PostgreSQL has a clock that no test moves on
    sweep_once(Reading(now, "start", now.timestamp()))


def book(conference: Conference, name: str, *, gift_pence: int = 0, clock: Clock) -> Order:
    address = f"{name.lower()}@example.org"
    return make_order(
        conference, names=(name,), email=address, gift_pence=gift_pence, now=clock.now()
    )


def open_page(order: Order, clock: Clock) -> str:
    """The session at Stripe that the order's gift is paid by."""
    return str(actions.start_payment(order=order, now=clock.now()).session_id)


def mailed() -> dict[str, str]:
    """The state of the mails to each address."""
    return dict(Mail.objects.values_list("to", "status"))


@pytest.fixture
def restored(stripe: Sandbox, clock: Clock, work: Work) -> Conference:
    """A backup was put back after an hour in which people booked and paid, and swept once.

    In it waited Ann's tickets, Ben's mail, and Cat's open payment page, which was paid since.
    Dot (at once) and Eve (by her bank) have booked since; nothing here knows of them.
    """
    conference = make_conference()
    sweep(clock, minutes=1)
    book(conference, "Ann", clock=clock)
    mail_tickets.call(book(conference, "Ben", clock=clock).pk)
    session = open_page(book(conference, "Cat", gift_pence=500, clock=clock), clock)
    backup = take_backup()

    stripe.pay(session)
    assert settle(session, now=clock.now())
    work()
    sweep(clock, minutes=10)
    for name, pence, pay in (("Dot", 700, stripe.pay), ("Eve", 900, stripe.pay_later)):
        session = open_page(book(conference, name, gift_pence=pence, clock=clock), clock)
        pay(session)
        assert settle(session, now=clock.now())
    work()
    assert set(mailed()) == {f"{name}@example.org" for name in ("ann", "ben", "cat", "dot")}
    sweep(clock, minutes=50)

    put_back(backup)
    sweep(clock, minutes=1)
    work()
    return conference


def matters() -> list[str]:
    """What is at the desk of sessions unknown here."""
    found = StripeEvent.objects.filter(outcome="attention")
    return sorted(", ".join(event.problem.split(", ")[1:3]) for event in found)


def test_nothing_that_was_waiting_is_sent_unasked(
    restored: Conference, clock: Clock, work: Work, client: Client
) -> None:
    for _ in range(4):
        sweep(clock, minutes=11)
        work()
    assert mailed() == {"ben@example.org": "withheld"}
    waiting = restoring.withheld()
    assert waiting is not None
    names = Order.objects.filter(reference__in=waiting.orders).values_list("name", flat=True)
    assert (waiting.mails, set(names)) == (1, {"Ann", "Cat"})
    assert waiting.backup_at == Restore.objects.get().backup_at
    checks = client.get("/readyz").json()["checks"]
    assert (checks["restored"]["ok"], checks["mail"]["ok"]) == (False, True)


def test_who_books_afterwards_gets_the_mail_at_once(
    restored: Conference, clock: Clock, work: Work
) -> None:
    book(restored, "Flo", clock=clock)
    work()
    assert mailed() == {"ben@example.org": "withheld", "flo@example.org": "sent"}


def test_organiser_has_it_sent(
    restored: Conference, clock: Clock, work: Work, desk: Client, organiser: User
) -> None:
    content = desk.get("/desk/attention/").content.decode()
    assert "1 e-mail<" in content
    assert "the tickets of 2 bookings" in content
    assert "Say whether to send what was waiting" in desk.get("/desk/").content.decode()
    for _ in range(2):
        assert desk.post("/desk/attention/withheld/send/").url == "/desk/attention/"
    work()
    sweep(clock, minutes=11)
    work()
    assert mailed() == {f"{name}@example.org": "sent" for name in ("ann", "ben", "cat")}
    assert restoring.withheld() is None
    assert "E-mails held back since the backup" not in desk.get("/desk/attention/").content.decode()
    verbs = AuditEntry.objects.filter(by=organiser).values_list("verb", flat=True)
    assert list(verbs) == ["waiting mails sent"]


def test_organiser_has_it_dropped(
    restored: Conference, clock: Clock, work: Work, desk: Client, organiser: User
) -> None:
    desk.post("/desk/attention/withheld/drop/")
    for _ in range(3):
        sweep(clock, minutes=11)
        work()
    assert mailed() == {}
    assert set(Order.objects.values_list("name", "status")) == {
        (name, "confirmed") for name in ("Ann", "Ben", "Cat")
    }
    verbs = AuditEntry.objects.filter(by=organiser).values_list("verb", flat=True)
    assert list(verbs) == ["waiting mails dropped"]


def test_sessions_paid_since_come_to_the_desk_once(
    restored: Conference, stripe: Sandbox, clock: Clock, work: Work, desk: Client
) -> None:
    for _ in range(3):
        sweep(clock, minutes=11)
    assert matters() == ["£7, paid", "£9, on its way from the bank"]
    deliver_all(stripe, "checkout.session.completed")
    work()
    sweep(clock, minutes=11)
    assert matters() == ["£7, paid", "£9, on its way from the bank"]
    content = desk.get("/desk/attention/").content.decode()
    assert content.count("Somebody has paid for a booking that is not here") == 2
    for event in StripeEvent.objects.filter(outcome="attention"):
        desk.post(f"/desk/attention/events/{event.event_id}/")
    sweep(clock, minutes=11)
    deliver_all(stripe, "checkout.session.completed")
    work()
    assert matters() == []


def test_backup_of_a_version_that_never_looked_is_looked_back_to(
    stripe: Sandbox, clock: Clock
) -> None:
    conference = make_conference()
    sweep(clock, minutes=1)
    Heartbeat.objects.filter(name="stripe sessions").delete()
    backup = take_backup()
    session = open_page(book(conference, "Dot", gift_pence=700, clock=clock), clock)
    stripe.pay(session)
    sweep(clock, days=2)
    put_back(backup)
    for _ in range(4):
        sweep(clock, minutes=1)
    assert matters() == ["£7, paid"]


def test_places_of_before_that_run_out_are_released_without_a_mail(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    conference = make_conference()
    sweep(clock, minutes=1)
    book(conference, "Ann", gift_pence=500, clock=clock)
    backup = take_backup()
    sweep(clock, minutes=30)
    put_back(backup)
    sweep(clock, minutes=1)
    later = book(conference, "Ben", gift_pence=500, clock=clock)
    sweep(clock, minutes=60)
    work()
    assert set(Order.objects.values_list("status", flat=True)) == {"expired"}
    assert mailed() == {"ann@example.org": "withheld", later.email: "sent"}


def test_tasks_that_were_waiting_wait_too(stripe: Sandbox, clock: Clock, work: Work) -> None:
    make_order(email="ann@example.org", now=clock.now())
    work()
    Mail.objects.all().delete()
    mail_links.enqueue("ann@example.org")
    call_command("restored", stdout=StringIO())
    sweep(clock, minutes=11)
    assert (work(), Mail.objects.count()) == (0, 0)
    mail_links.enqueue("ann@example.org")  # asked for anew
    assert (work(), Mail.objects.count()) == (2, 1)
    restoring.send_withheld(by=make_user(), now=clock.now())
    assert work() >= 1


# Which database is a restored backup


def beaten(ago: timedelta, now: Reading) -> None:
    Heartbeat.objects.filter(name="sweep").update(seen_at=now.now - ago)


@pytest.fixture
def reading() -> Reading:
    return Reading(timezone.now(), "start", 5000.0)


def test_database_of_this_machine_is_no_backup(reading: Reading) -> None:
    clocks.beat(reading)
    assert clocks.restored_backup(reading.now) is None
    assert clocks.restored_backup(reading.now + timedelta(days=9)) is None


def test_database_older_than_the_mark_is_a_backup(reading: Reading) -> None:
    clocks.beat(reading)
    for minutes, is_backup in ((1, False), (3, True), (9000, True)):
        beaten(timedelta(minutes=minutes), reading)
        assert (clocks.restored_backup(reading.now) is not None) == is_backup
    assert clocks.restored_backup(reading.now) == Heartbeat.objects.get(name="sweep").seen_at


def test_new_database_is_no_backup(reading: Reading) -> None:
    clocks.beat(reading)
    Heartbeat.objects.all().delete()
    assert clocks.restored_backup(reading.now) is None


def test_old_database_in_a_new_place_is_a_backup(reading: Reading, data_dir: Path) -> None:
    clocks.beat(reading)
    (data_dir / "last_sweep.json").unlink()
    for minutes, is_backup in ((4, False), (6, True)):
        beaten(timedelta(minutes=minutes), reading)
        assert (clocks.restored_backup(reading.now) is not None) == is_backup


def test_database_of_a_version_that_left_no_mark_is_no_backup(reading: Reading) -> None:
    Heartbeat.objects.create(name="sweep", seen_at=reading.now - timedelta(hours=5))
    assert clocks.restored_backup(reading.now) is None


def test_machine_without_a_sweep_remembers_its_database(reading: Reading, data_dir: Path) -> None:
    clocks.beat(reading)
    (data_dir / "last_sweep.json").unlink()
    clocks.remember()
    beaten(timedelta(hours=-1), reading)  # a sweep elsewhere
    assert clocks.restored_backup(reading.now + timedelta(hours=2)) is None
    beaten(timedelta(hours=1), reading)
    assert clocks.restored_backup(reading.now + timedelta(hours=2)) is not None


def test_command_says_it_by_hand_and_once(reading: Reading, work: Work) -> None:
    make_order()
    said = StringIO()
    for _ in range(2):
        call_command("restored", stdout=said)
    assert (work(), Mail.objects.count(), Restore.objects.count()) == (0, 0, 1)
    assert said.getvalue().count("Noted.") == 1
    assert said.getvalue().count("This is known already.") == 1

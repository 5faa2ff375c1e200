"""A clock that leaps stops the sweep, which says so, and goes on when the clock is right again."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference import clocks
from conference.clocks import Reading, Trouble
from conference.desk.open_matters import open_matters
from conference.management.commands.sweep import sweep_once
from conference.models import AuditEntry, Heartbeat, Mail, User
from sandbox.server import Sandbox
from tests.factories import make_order
from tickets.models import Order

pytestmark = pytest.mark.django_db

# PostgreSQL has a clock of its own, which no test can move on.
ONE_CLOCK = pytest.mark.skipif(connection.vendor != "sqlite", reason="the database has a clock")


class Machine:
    """A machine whose clock a test can set, and that can be started anew."""

    def __init__(self) -> None:
        self.reading = Reading(timezone.now(), "first start", 5000.0)

    def run(self, **for_: float) -> Reading:
        """Let time pass, as the clock shows it."""
        span = timedelta(**for_)
        up = self.reading.up + span.total_seconds()
        self.reading = replace(self.reading, now=self.reading.now + span, up=up)
        return self.reading

    def leap(self, **by: float) -> Reading:
        """Set the clock by so much, in no time."""
        self.reading = replace(self.reading, now=self.reading.now + timedelta(**by))
        return self.reading

    def restart(self) -> Reading:
        """Start the machine anew."""
        self.reading = replace(self.reading, boot_id=f"{self.reading.boot_id}+", up=20.0)
        return self.reading


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Machine:
    """A machine that has swept once."""
    settings.DATA_DIR = tmp_path
    machine = Machine()
    clocks.beat(machine.reading)
    return machine


@pytest.mark.parametrize("days", [2, -2])
def test_leap_stops_the_sweep_before_it_does_anything(
    machine: Machine,
    stripe: Sandbox,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    days: int,
) -> None:
    for _ in range(3):
        make_order(gift_pence=1500)
    machine.leap(days=days)
    for _ in range(2):
        sweep_once(machine.run(seconds=30))
    assert set(Order.objects.values_list("status", flat=True)) == {"reserved"}
    assert (Mail.objects.count(), AuditEntry.objects.exclude(verb="reserved").count()) == (0, 0)
    assert stripe.calls == []
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 2
    assert "the clock has leapt" in said[0]
    assert client.get("/readyz").json()["checks"]["clock"] == {"ok": False}
    machine.leap(days=-days)
    sweep_once(machine.run(seconds=30))
    assert clocks.known_trouble() is None
    assert client.get("/readyz").json()["checks"]["clock"] == {"ok": True}
    assert Heartbeat.objects.get(name="sweep").seen_at == machine.reading.now


@ONE_CLOCK
@pytest.mark.parametrize("minutes", [1.5, -1.5])
def test_clock_that_is_set_a_little_is_believed(machine: Machine, minutes: float) -> None:
    machine.run(minutes=1)
    assert clocks.note_trouble(machine.leap(minutes=minutes)) is None


@ONE_CLOCK
@pytest.mark.parametrize("minutes", [10, -10])
def test_small_leap_is_waited_out(machine: Machine, minutes: float) -> None:
    machine.run(minutes=1)
    machine.leap(minutes=minutes)
    assert clocks.note_trouble(machine.reading) == Trouble.WAITING
    assert clocks.note_trouble(machine.run(minutes=9)) == Trouble.WAITING
    assert clocks.note_trouble(machine.run(minutes=2)) is None
    clocks.beat(machine.reading)
    assert clocks.known_trouble() is None
    assert clocks.note_trouble(machine.run(minutes=1)) is None


@ONE_CLOCK
def test_long_stop_on_a_machine_that_runs_on_is_no_leap(machine: Machine) -> None:
    assert clocks.note_trouble(machine.run(days=3)) is None


@ONE_CLOCK
def test_start_after_a_long_stop_is_waited_out(machine: Machine) -> None:
    machine.run(hours=3)
    assert clocks.note_trouble(machine.restart()) == Trouble.WAITING
    assert clocks.note_trouble(machine.run(minutes=8)) == Trouble.WAITING
    machine.restart()  # the wait begins anew: who knows how long it was off
    assert clocks.note_trouble(machine.run(minutes=8)) == Trouble.WAITING
    assert clocks.note_trouble(machine.run(minutes=11)) is None


def test_start_after_a_short_stop_is_not_waited_out(machine: Machine) -> None:
    machine.run(minutes=1)
    assert clocks.note_trouble(machine.restart()) is None


@ONE_CLOCK
def test_start_with_the_clock_set_back_is_a_leap(machine: Machine) -> None:
    machine.leap(hours=-5)
    assert clocks.note_trouble(machine.restart()) == Trouble.LEAPT


def test_organisers_word_makes_the_next_sweep_go_on(
    machine: Machine, client: Client, organiser: User
) -> None:
    machine.run(minutes=1)
    machine.leap(days=-2)
    assert clocks.note_trouble(machine.reading) == Trouble.LEAPT
    client.force_login(organiser)
    content = client.get("/desk/attention/").content.decode()
    assert "This site's clock has jumped" in content
    assert client.post("/desk/attention/clock/").url == "/desk/attention/"
    # Once it is right there is nothing more to say.
    assert client.post("/desk/attention/clock/").url == "/desk/attention/"
    assert AuditEntry.objects.get(verb="clock called right").by == organiser
    assert open_matters(timezone.now()).clock is None
    # What the organiser saw is the time of the machine that shows the desk.
    now = replace(machine.reading, now=timezone.now())
    assert clocks.note_trouble(now) is None
    clocks.beat(now)
    assert clocks.note_trouble(replace(now, now=now.now + timedelta(days=2))) == Trouble.LEAPT


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the database has no clock")
def test_clock_that_differs_from_the_databases_is_a_leap(machine: Machine) -> None:
    machine.run(seconds=100)
    assert clocks.note_trouble(machine.reading) is None
    machine.run(minutes=2)  # only ours has moved on
    assert clocks.note_trouble(machine.reading) == Trouble.LEAPT


def test_beat_is_never_a_little_earlier_than_another_machines(machine: Machine) -> None:
    ahead = machine.reading.now + timedelta(minutes=1)
    Heartbeat.objects.filter(name="sweep").update(seen_at=ahead)
    clocks.beat(machine.run(seconds=10))
    assert Heartbeat.objects.get(name="sweep").seen_at == ahead


def test_mark_is_private_and_says_what_the_database_says(machine: Machine, tmp_path: Path) -> None:
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    beat = json.loads(file.read_text())["beat"]
    assert beat == Heartbeat.objects.get(name="sweep").seen_at.isoformat()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"beat": 1}', '{"beat": null, "x": 1}', "null"])
def test_mark_that_cannot_be_read_is_no_mark(machine: Machine, tmp_path: Path, text: str) -> None:
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert clocks.note_trouble(machine.run(minutes=1)) is None


def test_mark_that_cannot_be_written_stops_nothing(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    machine = Machine()
    clocks.remember()
    clocks.beat(machine.reading)
    assert Heartbeat.objects.get(name="sweep").seen_at == machine.reading.now
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_real_clock_keeps_pace_with_the_machine(
    settings: Settings, tmp_path: Path, stripe: Sandbox
) -> None:
    settings.DATA_DIR = tmp_path
    for _ in range(2):
        call_command("sweep")
    assert clocks.known_trouble() is None
    assert clocks.read().up > 0

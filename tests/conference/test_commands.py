"""The background processes and the sample data, as the command line starts them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from conference.health import beat
from conference.models import Conference, Heartbeat, Mail, Organisation, Restore, User
from sandbox.server import Sandbox
from signup.models import Edition
from tests.factories import make_order
from tickets.models import TicketType

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds that a process may take on a busy machine

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(process_env: dict[str, str]) -> Iterator[Start]:
    """Starts `manage.py` with these words on this test's database; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=process_env | {"TRIAL": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_works_beats_and_stops_when_told(start: Start, number: signal.Signals) -> None:
    make_order()
    worker = start("worker")
    wait_until(lambda: Mail.objects.filter(status=Mail.Status.SENT).exists())
    seen_at = Heartbeat.objects.get(name="worker").seen_at
    assert (timezone.now() - seen_at).total_seconds() < PATIENCE
    worker.send_signal(number)
    worker.communicate(timeout=20)
    assert worker.returncode == 0
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}


def test_worker_finishes_what_it_is_at_before_it_stops(start: Start) -> None:
    for _ in range(30):
        make_order()
    worker = start("worker")
    wait_until(lambda: DBTaskResult.objects.running().exists())
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    statuses = set(DBTaskResult.objects.values_list("status", flat=True))
    assert worker.returncode == 0
    assert statuses <= {"READY", "SUCCESSFUL"}
    assert "READY" in statuses


def test_worker_sends_nothing_of_a_restored_backup(start: Start, tmp_path: Path) -> None:
    make_order()
    for name in ("sweep", "mark"):
        beat(name, now=timezone.now() - timedelta(hours=2))
    worker = start("worker", DATA_DIR=str(tmp_path))
    wait_until(lambda: Heartbeat.objects.filter(name="worker").exists())
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    assert (Restore.objects.count(), Mail.objects.count()) == (1, 0)
    assert DBTaskResult.objects.ready().count() == 0


def test_two_workers_do_each_task_once(start: Start) -> None:
    orders = [make_order() for _ in range(6)]
    workers = [start("worker", "--interval", "0.05") for _ in range(2)]
    wait_until(lambda: Mail.objects.filter(status=Mail.Status.SENT).count() == len(orders))
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20)
    assert Mail.objects.count() == len(orders)
    assert {len(task.worker_ids) for task in DBTaskResult.objects.all()} == {1}


def test_sweep_goes_round_until_it_is_told_to_stop(start: Start, stripe: Sandbox) -> None:
    sweep = start("sweep", "--every", "0.2", STRIPE_API_BASE=stripe.base_url)
    wait_until(lambda: Heartbeat.objects.filter(name="sweep").exists())
    first = Heartbeat.objects.get(name="sweep").seen_at
    wait_until(lambda: Heartbeat.objects.get(name="sweep").seen_at > first)
    sweep.send_signal(signal.SIGTERM)
    sweep.communicate(timeout=20)
    assert sweep.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("worker",), ["next try in 1 s", "next try in 2 s"]),
        (("sweep", "--every", "0.2"), ["no such table", "no such table"]),
    ],
)
def test_database_that_does_not_work_is_a_line_for_each_try(
    start: Start, tmp_path: Path, words: tuple[str, ...], said: list[str]
) -> None:
    process = start(*words, DATABASE_URL=f"sqlite:///{tmp_path}/without-tables.sqlite3")
    assert process.stdout is not None
    for expected in said:
        line = process.stdout.readline()
        assert "the database does not work" in line
        assert expected in line


@pytest.mark.django_db
def test_sweep_once_is_one_round(stripe: Sandbox) -> None:
    call_command("sweep")
    names = set(Heartbeat.objects.values_list("name", flat=True))
    assert names == {"sweep", "mark", "stripe sessions"}


@pytest.mark.django_db
def test_demo_twice_is_demo_once(settings: LazySettings) -> None:
    settings.TRIAL = True
    said = StringIO()
    for _ in range(2):
        call_command("demo", stdout=said)
    counts = [
        model.objects.count() for model in (Organisation, Conference, TicketType, User, Edition)
    ]
    assert counts == [1, 1, 3, 2, counts[4]]
    assert counts[4] >= 1
    assert "organiser@example.org" in said.getvalue()


@pytest.mark.django_db
def test_demo_refuses_a_real_site(settings: LazySettings) -> None:
    settings.TRIAL = False
    with pytest.raises(CommandError):
        call_command("demo")
    assert (User.objects.count(), Organisation.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_demo_leaves_the_data_of_an_organiser_alone(settings: LazySettings) -> None:
    settings.TRIAL = True
    Organisation.objects.create(name="Ours", short_name="Ours", email="a@example.org")
    call_command("demo", stdout=StringIO())
    assert (Organisation.objects.get().name, Conference.objects.count()) == ("Ours", 0)

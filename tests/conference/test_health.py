"""What monitors and load balancers are told."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django.fixtures import Settings

from conference import health
from conference.health import beat
from conference.models import Heartbeat, Mail
from tests.factories import make_order


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    """The status, and what is not well."""
    answer = client.get("/readyz")
    told = answer.json()
    assert told["ok"] == (answer.status_code == 200)
    return answer.status_code, {k: v for k, v in told["checks"].items() if not v["ok"]}


def all_alive() -> None:
    for name in ("worker", "sweep"):
        beat(name, now=timezone.now())


def test_process_answers_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_all_is_well(client: Client) -> None:
    all_alive()
    assert ready(client) == (200, {})
    assert "no-store" in client.get("/readyz")["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_without_worker_and_sweep(client: Client) -> None:
    never = {"ok": False, "seen_s_ago": None}
    assert ready(client) == (503, {"worker": never, "sweep": never})


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "minutes"), [("worker", 1), ("sweep", 5)])
def test_not_ready_when_one_has_not_been_seen_lately(
    client: Client, name: str, minutes: int
) -> None:
    all_alive()
    ago = timedelta(minutes=minutes)
    for seconds, status in ((-5, 200), (5, 503)):
        seen_at = timezone.now() - ago - timedelta(seconds=seconds)
        Heartbeat.objects.filter(name=name).update(seen_at=seen_at)
        assert ready(client)[0] == status


def written(ago: timedelta, **fields: Any) -> None:
    """A mail that was written so long ago and waits to be sent."""
    mail = {"key": "x", "to": "ada@example.org", "sender": "tickets@example.org", "subject": "x"}
    at = timezone.now() - ago
    Mail.objects.create(**mail | {"created_at": at, "next_try_at": timezone.now()} | fields)


@pytest.mark.django_db
def test_not_ready_when_mail_has_waited_for_two_minutes(client: Client) -> None:
    all_alive()
    written(timedelta(minutes=1, seconds=55))
    assert ready(client)[0] == 200
    Mail.objects.update(created_at=timezone.now() - timedelta(minutes=2, seconds=5))
    status, wrong = ready(client)
    assert (status, list(wrong), wrong["mail"]["oldest_s"] // 60) == (503, ["mail"], 2)
    Mail.objects.update(status=Mail.Status.SENT)
    assert ready(client)[0] == 200


@pytest.mark.django_db
def test_not_ready_when_tickets_have_waited_long_to_be_drawn(client: Client) -> None:
    all_alive()
    make_order()
    assert ready(client)[0] == 200
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=6))
    status, wrong = ready(client)
    assert (status, list(wrong), wrong["queue"]["oldest_s"] // 60) == (503, ["queue"], 6)
    later = timezone.now() + timedelta(hours=1)  # put off, as an address has had its mails today
    DBTaskResult.objects.update(run_after=later)
    assert ready(client)[0] == 200


@pytest.mark.django_db
def test_recipients_server_that_puts_mail_off_is_no_illness_of_ours(client: Client) -> None:
    all_alive()
    error = "SMTPRecipientsRefused: {'ada@example.org': (451, b'4.2.2 mailbox full')}"
    written(timedelta(hours=1), attempts=4, last_error=error)
    assert ready(client)[0] == 200
    Mail.objects.update(last_error="ConnectionRefusedError: [Errno 111]")
    assert ready(client)[0] == 503


@pytest.mark.django_db
def test_not_ready_when_mail_was_written_by_a_clock_ahead(client: Client) -> None:
    all_alive()
    written(-timedelta(days=2))
    status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["mail"])


@pytest.mark.django_db
def test_not_ready_before_the_database_is_up_to_date(client: Client) -> None:
    all_alive()
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("tickets")
    MigrationRecorder(connection).record_unapplied(*newest)
    status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["migrations"])


@pytest.mark.django_db
def test_nothing_of_anybody_is_told(client: Client) -> None:
    make_order()
    text = client.get("/readyz").content.decode()
    assert ("ada" in text, "sqlite" in text, "postgres" in text) == (False, False, False)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_answered(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_heartbeat_from_the_future_is_no_sign_of_life(client: Client) -> None:
    all_alive()
    ahead = timezone.now() + timedelta(hours=2)
    Heartbeat.objects.filter(name="worker").update(seen_at=ahead)
    status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["worker"])


@pytest.mark.django_db
def test_monitor_may_ask_by_address(client: Client) -> None:
    all_alive()
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"host": "192.0.2.7:8000"}).status_code == 200
    assert client.get("/", headers={"host": "192.0.2.7:8000"}).status_code == 400


@pytest.mark.django_db
def test_not_ready_when_the_disk_is_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    all_alive()
    monkeypatch.setattr(health, "LEAST_DISK_MB", 10**9)
    status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["disk"])


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="another server's disk")
def test_not_ready_when_the_disk_of_the_database_is_full(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    all_alive()
    settings.DATA_DIR = tmp_path
    room = {tmp_path: 10**12}
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: usage._replace(free=room.get(folder, 0))
    )
    status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["disk"])


@pytest.mark.django_db
def test_not_ready_when_the_database_is_away(client: Client) -> None:
    def fail(*args: object) -> None:
        raise InterfaceError("connection already closed")

    with connection.execute_wrapper(fail):
        status, wrong = ready(client)
    assert (status, list(wrong)) == (503, ["database"])

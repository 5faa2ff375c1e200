"""Many phones at the same moment."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests import factories
from tickets import actions
from tickets.models import Gate, Scan

PHONES = 8


def all_at_once(gate: Gate, bodies: list[dict[str, str]]) -> list[tuple[int, str]]:
    """Status and outcome of scans that PHONES threads send as fast as they can."""
    client = Client()
    client.force_login(factories.make_user("volunteer"))

    def send(body: dict[str, str]) -> tuple[int, str]:
        phone = Client()
        phone.cookies = client.cookies
        try:
            response = phone.post(f"/door/{gate.slug}/scan/", body)
        finally:
            connection.close()  # each thread has its own
        return response.status_code, response.json()["outcome"]

    with ThreadPoolExecutor(PHONES) as phones:
        return list(phones.map(send, bodies))


@pytest.mark.django_db(transaction=True)
def test_ticket_is_admitted_once_however_many_phones_scan_it() -> None:
    conference = factories.make_conference()
    [ticket] = factories.make_order(conference).tickets.all()
    gate = factories.make_gate(conference)
    bodies = [{"id": str(uuid.uuid4()), "code": ticket.code} for _ in range(4 * PHONES)]
    answers = Counter(all_at_once(gate, bodies))
    assert answers == {(200, "admitted"): 1, (200, "already in"): 4 * PHONES - 1}


@pytest.mark.django_db(transaction=True)
def test_ticket_let_in_and_taken_back_by_many_phones_is_never_in_twice() -> None:
    conference = factories.make_conference()
    [ticket] = factories.make_order(conference).tickets.all()
    gate = factories.make_gate(conference)
    by = factories.make_user("volunteer")

    def scan_and_undo(_: int) -> None:
        try:
            for _attempt in range(10):
                now = timezone.now()
                scan_id = uuid.uuid4()
                actions.scan(scan_id=scan_id, text=ticket.code, gate=gate, by=by, now=now)
                with suppress(actions.CannotUndo):
                    actions.undo(scan_id=scan_id, by=by, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(PHONES) as phones:
        list(phones.map(scan_and_undo, range(PHONES)))
    assert Scan.objects.count() == 10 * PHONES
    assert not Scan.objects.standing_entries().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False])
def test_same_scan_sent_at_once_is_one_scan(is_known: bool) -> None:
    conference = factories.make_conference()
    [ticket] = factories.make_order(conference).tickets.all()
    gate = factories.make_gate(conference)
    body = {"id": str(uuid.uuid4()), "code": ticket.code if is_known else "AAAA-BBBB"}
    answers = Counter(all_at_once(gate, [body] * PHONES))
    assert answers == {(200, "admitted" if is_known else "unknown"): PHONES}
    assert Scan.objects.count() == 1

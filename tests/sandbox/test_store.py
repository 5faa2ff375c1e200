"""State: what survives a restart, and what a crash leaves behind."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox, start
from sandbox.store import StateInUse, Store
from tests.sandbox.shop import SECRET, Endpoint, params

Clients = Callable[..., stripe.StripeClient]


def begin(path: Path, **more: Any) -> Sandbox:
    given = {"webhook_url": None, "webhook_secret": SECRET, "state_file": path, **more}
    return start(**given)


def test_everything_survives_a_restart(tmp_path: Path, client_of: Clients) -> None:
    path = tmp_path / "state.json"
    with begin(path) as sandbox:
        create = client_of(sandbox).v1.checkout.sessions.create
        first = create(params(), {"idempotency_key": "k"}).id
        second = create(params()).id
        sandbox.pay(first)
        sandbox.advance(60)
        events = sandbox.events
    with begin(path) as sandbox:
        sessions = client_of(sandbox).v1.checkout.sessions
        assert [s.id for s in sessions.list().data] == [second, first]
        assert sessions.create(params(), {"idempotency_key": "k"}).id == first
        assert sessions.retrieve(first).payment_status == "paid"
        assert (sandbox.events, sandbox.clock.offset) == (events, 60)
        sandbox.advance(25 * 60 * 60)
        assert sessions.retrieve(second).status == "expired"


def test_undelivered_webhook_is_taken_up_again(
    tmp_path: Path, client_of: Clients, endpoint: Endpoint
) -> None:
    path = tmp_path / "state.json"
    endpoint.answers = [500]
    with begin(path, webhook_url=endpoint.url, retry_seconds=(60,)) as sandbox:
        sandbox.pay(client_of(sandbox).v1.checkout.sessions.create(params()).id)
        while sandbox.delivery(sandbox.events[-1]["id"])["attempts"] == []:
            time.sleep(0.005)
    with begin(path, webhook_url=endpoint.url) as sandbox:
        assert sandbox.wait_for_webhooks()
    first, again = endpoint.events
    assert first.id == again.id


def test_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store = Store(path)
    for name in ("a", "b"):
        with store.change():
            store.put("things", {"id": name})
    store.close()
    path.write_bytes(path.read_bytes()[:-5])
    store = Store(path)
    assert list(store.table("things").rows) == ["a"]
    store.close()


def test_change_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store = Store(path)
    with store.change():
        store.put("things", {"id": "a", "size": 1})

    def fail() -> None:
        with store.change():
            store.put("things", {"id": "a", "size": 2})
            store.put("things", {"id": "b", "size": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    store.close()
    for kept in (store, Store(path)):
        assert list(kept.table("things").newest_first()) == [{"id": "a", "size": 1}]
        kept.close()


def test_state_file_belongs_to_one_process(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with begin(path), pytest.raises(StateInUse, match="in use by another local Stripe"):
        begin(path)
    begin(path).stop()


def test_put_outside_a_change_is_a_mistake() -> None:
    with pytest.raises(RuntimeError):
        Store().put("things", {"id": "a"})

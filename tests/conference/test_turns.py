"""Two requests of a web process at once, the others in line; waiting for Stripe hinders nobody."""

import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from conference import turns
from conference.turns import AT_ONCE, READ_AHEAD, Turns, in_turn

SOON = 5.0  # seconds


@pytest.fixture
def started() -> Iterator[Callable[..., threading.Thread]]:
    """Starts threads, which must have ended when the test does."""
    threads: list[threading.Thread] = []

    def start(target: Callable[..., Any], *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        thread.join(SOON)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_so_many_at_once_and_the_others_in_the_order_in_which_they_came(
    started: Callable[..., threading.Thread],
) -> None:
    line = Turns(2)
    go_on = [threading.Event() for _ in range(6)]
    began: list[int] = []

    def work(number: int) -> None:
        with line.taken():
            began.append(number)
            assert go_on[number].wait(SOON)

    for number in range(6):
        started(work, number)
        wait_until(lambda so_far=number: len(began) + len(line._line) == so_far + 1)
    assert began == [0, 1]
    for done, following in ((1, 2), (0, 3), (2, 4), (3, 5)):
        go_on[done].set()
        wait_until(lambda last=following: began[-1] == last)
    assert began == [0, 1, 2, 3, 4, 5]
    go_on[4].set()
    go_on[5].set()


def test_who_waits_outside_lets_others_go_on_and_queues_up_again(
    started: Callable[..., threading.Thread],
) -> None:
    line = Turns(1)
    answered, is_back, other_goes_on = (threading.Event() for _ in range(3))
    other = threading.Event()

    def ask() -> None:
        with line.taken():
            with line.given_up():
                assert answered.wait(SOON)
            is_back.set()

    def work() -> None:
        with line.taken():
            other.set()
            assert other_goes_on.wait(SOON)

    started(ask)
    started(work)
    assert other.wait(SOON)
    answered.set()
    wait_until(lambda: len(line._line) == 1)
    assert not is_back.is_set()
    other_goes_on.set()
    assert is_back.wait(SOON)


def test_a_turn_comes_back_after_an_error(started: Callable[..., threading.Thread]) -> None:
    line = Turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.taken(), line.given_up():
            raise ZeroDivisionError
    began = threading.Event()

    def work() -> None:
        with line.taken():
            began.set()

    started(work)
    assert began.wait(SOON)


def test_giving_up_a_turn_that_one_has_not_changes_nothing() -> None:
    line = Turns(1)
    with line.given_up():
        pass
    assert line._free == 1
    with turns.while_waiting_outside():
        pass


def test_a_slow_line_takes_no_turn(
    started: Callable[..., threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forms that trickle in, more of them than turns: the next one is answered meanwhile."""
    monkeypatch.setattr(turns, "_turns", Turns(AT_ONCE))
    came = threading.Event()

    class Trickle(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert came.wait(SOON)
            return super().read(size)

    application = in_turn(lambda environ, _start: environ["wsgi.input"].read())
    answers: list[bytes] = []
    for _ in range(AT_ONCE + 1):
        environ = {"CONTENT_LENGTH": "3", "wsgi.input": Trickle(b"a=1 and the next request")}
        started(lambda it=environ: answers.append(application(it, None)))
    assert application({"CONTENT_LENGTH": "2", "wsgi.input": BytesIO(b"b=")}, None) == b"b="
    assert answers == []
    came.set()
    wait_until(lambda: answers == [b"a=1"] * (AT_ONCE + 1))


@pytest.mark.parametrize("length", ["", "-1", "x", str(READ_AHEAD + 1)])
def test_only_a_forms_length_is_read_ahead(length: str) -> None:
    body = BytesIO(b"whatever")
    application = in_turn(lambda environ, _start: environ["wsgi.input"])
    assert application({"CONTENT_LENGTH": length, "wsgi.input": body}, None) is body


def test_a_line_that_is_cut_is_the_applications_to_answer() -> None:
    class Cut(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    body = Cut()
    application = in_turn(lambda environ, _start: environ["wsgi.input"])
    assert application({"CONTENT_LENGTH": "3", "wsgi.input": body}, None) is body

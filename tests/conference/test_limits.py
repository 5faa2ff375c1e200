"""Counting how often somebody asks, the same for all processes."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import RequestFactory

from conference.limits import (
    Limit,
    Wait,
    forget_old,
    give_back,
    network_of,
    take,
    wait_or_count,
)
from conference.models import Allowance

HOUR = timedelta(hours=1)
NOON = datetime(2027, 5, 1, 12, tzinfo=UTC)


def ask(times: int = 2, whose: str = "a", what: str = "signup", now: datetime = NOON) -> bool:
    return take(Limit(what, whose, times, HOUR), now=now)


@pytest.mark.django_db
def test_as_often_as_allowed_and_no_more() -> None:
    assert [ask() for _ in range(4)] == [True, True, False, False]


@pytest.mark.django_db
def test_others_and_other_things_are_counted_for_themselves() -> None:
    assert [ask(1), ask(1, whose="b"), ask(1, what="pay"), ask(1)] == [True, True, True, False]


@pytest.mark.django_db
def test_next_window_begins_anew() -> None:
    seen = [ask(1, now=NOON + timedelta(minutes=minutes)) for minutes in (0, 59, 60, 119)]
    assert seen == [True, False, True, False]


@pytest.mark.django_db
def test_nobody_is_named_in_what_is_kept() -> None:
    ask(whose="ada@example.org")
    assert "ada" not in Allowance.objects.get().key


@pytest.mark.django_db
def test_old_counts_are_forgotten() -> None:
    ask()
    forget_old(NOON + timedelta(minutes=59))
    assert Allowance.objects.count() == 1
    forget_old(NOON + timedelta(minutes=61))
    assert Allowance.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_none_is_lost_when_many_ask_at_once() -> None:
    allowed: list[bool] = []

    def several() -> None:
        allowed.extend(ask(10) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (allowed.count(True), Allowance.objects.get().count) == (10, 20)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8::9", "2001:db8::/64"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
    ],
)
def test_network_is_an_address_or_the_first_half_of_one(address: str, network: str) -> None:
    assert network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "network"),
    [
        (0, "198.51.100.1", "192.0.2.7"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.7"),
        (1, "unknown", "unknown"),
        (1, "what I like", "unknown"),
        (1, "198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8::9]:4711", "2001:db8::/64"),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: LazySettings, proxies: int, forwarded: str, network: str
) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": forwarded}
    )
    assert network_of(request) == network


WAIT = Wait("guess", "a", 2, timedelta(seconds=3), HOUR)


@pytest.mark.django_db
def test_wait_grows_after_the_free_tries_and_is_forgotten() -> None:
    now, seen = NOON, []
    for _ in range(6):
        left = wait_or_count(WAIT, now=now)
        seen.append(int(left.total_seconds()))
        if left:
            now += left
            assert not wait_or_count(WAIT, now=now)
    assert seen == [0, 0, 1, 2, 3, 3]
    assert not wait_or_count(WAIT, now=now + HOUR)
    assert Allowance.objects.get().count == 1


@pytest.mark.django_db
def test_wait_lasts_for_the_longest_of_several() -> None:
    other = Wait("guess", "b", 0, timedelta(seconds=60), HOUR)
    assert [wait_or_count(WAIT, other, now=NOON).total_seconds() for _ in range(2)] == [0, 2]
    assert sorted(Allowance.objects.values_list("count", flat=True)) == [1, 1]


@pytest.mark.django_db
def test_wait_is_not_longer_for_a_clock_that_was_set_back() -> None:
    for _ in range(2):
        wait_or_count(WAIT, now=NOON)
    assert wait_or_count(WAIT, now=NOON - timedelta(days=2)).total_seconds() == 1


@pytest.mark.django_db
def test_what_is_given_back_counts_no_more() -> None:
    limit = Limit("guess", "a", 1, HOUR)
    for _ in range(3):
        assert not wait_or_count(WAIT, now=NOON)
        assert take(limit, now=NOON)
        give_back(WAIT, limit, now=NOON)
    give_back(WAIT, limit, now=NOON)
    assert list(Allowance.objects.values_list("count", flat=True)) == [0, 0]


@pytest.mark.django_db
def test_waits_that_are_forgotten_are_swept_away() -> None:
    wait_or_count(WAIT, now=NOON)
    forget_old(NOON + timedelta(minutes=59))
    assert Allowance.objects.count() == 1
    forget_old(NOON + timedelta(minutes=61))
    assert Allowance.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_the_free_ones_need_not_wait() -> None:
    lefts: list[timedelta] = []

    def several() -> None:
        lefts.extend(wait_or_count(WAIT, now=NOON) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (lefts.count(timedelta()), Allowance.objects.get().count) == (2, 2)

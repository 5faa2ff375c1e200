"""Rate limits, and waits that grow with each wrong try, counted in the database.

Not in memory: several processes on several machines must agree. Libraries that do this
(django-ratelimit, limits, django-defender) count in a cache server, which a small site does not
have. django-axes counts in a table, but locks people out for a fixed time instead of letting them
wait, and does not know who has logged in on a device before.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest

from conference.models import Allowance

# What waits in line by `take_turn`: from here on the page says so, and for longer than that nobody
# waits, so that the line has an end.
NOTICEABLE_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
_WITH_PORT = re.compile(r"^(\[[^\]]*\]|[0-9.]+):[0-9]+$")


def network_of(request: HttpRequest) -> str:
    """The address of the caller's network: the IPv4 address, or the first 64 bits of an IPv6 one.

    Behind proxies of ours (settings.PROXIES is their number) it is what the outermost one saw.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= settings.PROXIES:
            address = forwarded[-settings.PROXIES].strip()
    try:
        # Some proxies name the port as well, which is another one for each connection.
        known = ipaddress.ip_address(_WITH_PORT.sub(r"\1", address).strip("[]"))
    except ValueError:
        return "unknown"  # all of them together, so that nobody can make up one after another
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))


@dataclass(frozen=True)
class Limit:
    """At most `times` requests for `what` by `whose` (an address, a network) per `within`.

    Windows are fixed: they begin at whole multiples of `within`.
    """

    what: str
    whose: str
    times: int
    within: timedelta

    def key(self, now: datetime) -> str:
        """The key of the current window's count; it contains `whose` only as a keyed hash."""
        window = int(now.timestamp() // self.within.total_seconds())
        return f"{self.what}:{window}:{_digest(self.whose)}"


@dataclass(frozen=True)
class Wait:
    """`free` wrong tries at `what` by `whose`, then a wait of 1, 2, 4 … seconds before each one.

    No wait is longer than `longest`. After `forgotten` without a wrong try it all begins anew.
    """

    what: str
    whose: str
    free: int
    longest: timedelta
    forgotten: timedelta

    def key(self, now: datetime) -> str:
        """The key of the count; it contains `whose` only as a keyed hash."""
        return f"{self.what}:{_digest(self.whose)}"

    def left(self, row: Allowance, now: datetime) -> timedelta:
        """How long until the next try, after those that `row` has counted."""
        beyond = row.count - self.free * settings.LIMIT_FACTOR
        if row.until <= now or beyond < 0:
            return timedelta()
        wait = min(timedelta(seconds=2 ** min(beyond, 20)), self.longest)
        last_try = row.until - self.forgotten
        # Not more than `wait`, should the clock have been set back.
        return min(max(last_try + wait - now, timedelta()), wait)


def take(*limits: Limit, now: datetime) -> bool:
    """Count one more request for each limit; return whether all of them allow it.

    Call it outside of any transaction. It commits at once, so requests with the same limit wait
    for each other only briefly.
    """
    counts = _count(limits, now)
    return all(count <= limit.times * settings.LIMIT_FACTOR for limit, count in counts.items())


def take_turn(limit: Limit, *, now: datetime) -> timedelta:
    """Take the next place in the limit's line; return how long until its turn has come.

    The first `times` have no wait, and the line moves on at that pace, so that it never lets more
    through than that. Whoever would wait for longer than LONGEST_WAIT takes no place: it is for the
    caller to refuse them. (The 'generic cell rate algorithm', with the time at which the line is
    empty in `until`.) Call it outside of any transaction.
    """
    step = limit.within / (limit.times * settings.LIMIT_FACTOR)
    key = f"{limit.what}:line:{_digest(limit.whose)}"
    with transaction.atomic():
        Allowance.objects.bulk_create([Allowance(key=key, until=now)], ignore_conflicts=True)
        line = Allowance.objects.select_for_update().get(key=key)
        empty_at = max(line.until, now) + step
        wait = max(empty_at - now - limit.within, timedelta())
        if wait <= LONGEST_WAIT:
            line.until = empty_at
            line.save(update_fields=["until"])
    return wait


def _count(limits: Iterable[Limit], now: datetime) -> dict[Limit, int]:
    """Count one more request for each limit; return each one's count in its current window."""
    wanted = {limit.key(now): limit for limit in limits}
    rows: list[object] = []
    for key in sorted(wanted):  # in one order, so that no two requests wait for each other
        until = now + wanted[key].within
        rows += [key, connection.ops.adapt_datetimefield_value(until)]
    # The ORM would need three statements in a transaction: a tenth fewer reservations a second on
    # PostgreSQL, a fifth fewer on SQLite.
    values = ", ".join(["(%s, 1, %s)"] * len(wanted))
    statement = (
        f"INSERT INTO conference_allowance (key, count, until) VALUES {values} "  # noqa: S608
        "ON CONFLICT (key) DO UPDATE SET count = conference_allowance.count + 1 "
        "RETURNING key, count"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, rows)
        counts = cursor.fetchall()
    return {wanted[key]: count for key, count in counts}


def wait_or_count(*waits: Wait, now: datetime) -> timedelta:
    """How long to wait until the next try; if no time at all, count this one as a wrong one.

    Counted before anybody knows whether it is wrong: of a hundred tries sent at once, one is looked
    at. Call `give_back` for one that was right. What comes during the wait is not counted and does
    not prolong it.
    """
    known = {wait.key(now): wait for wait in waits}
    rows = Allowance.objects.filter(key__in=known).order_by("key")
    # First without a lock: who must wait is told so without writing anything.
    if left := _longest_left(known, rows, now):
        return left
    with transaction.atomic():
        Allowance.objects.bulk_create(
            [Allowance(key=key, until=now) for key in sorted(known)], ignore_conflicts=True
        )
        counted = list(rows.select_for_update())
        left = _longest_left(known, counted, now)
        if not left:
            for row in counted:
                row.count = row.count + 1 if row.until > now else 1
                row.until = now + known[row.key].forgotten
            Allowance.objects.bulk_update(counted, ["count", "until"])
    return left


def give_back(*counted: Limit | Wait, now: datetime) -> None:
    """Count one less: what was counted should not have been."""
    keys = [each.key(now) for each in counted]
    Allowance.objects.filter(key__in=keys, count__gt=0).update(count=F("count") - 1)


def forget(wait: Wait, *, now: datetime) -> None:
    """Count nothing any more of the tries that made somebody wait."""
    Allowance.objects.filter(key=wait.key(now)).delete()


def forget_old(now: datetime) -> None:
    """Delete the counts whose window has passed, and those of waits that are forgotten."""
    Allowance.objects.filter(until__lt=now).delete()


def _longest_left(known: dict[str, Wait], rows: Iterable[Allowance], now: datetime) -> timedelta:
    return max((known[row.key].left(row, now) for row in rows), default=timedelta())


def _digest(whose: str) -> str:
    secret = settings.SECRET_KEY.encode()
    return hmac.new(secret, whose.encode(), hashlib.sha256).hexdigest()[:32]

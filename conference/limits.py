"""Rate limits, counted in the database.

Not in memory: several processes on several machines must agree. Libraries that do this
(django-ratelimit, limits) count in a cache server, which a small site does not have.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from conference.models import Allowance

# What waits in line by `take_turn`: from here on the page says so, and a longer wait is refused, so
# that the line has an end.
NOTICEABLE_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)


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
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
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
        secret = settings.SECRET_KEY.encode()
        digest = hmac.new(secret, self.whose.encode(), hashlib.sha256).hexdigest()
        return f"{self.what}:{window}:{digest[:32]}"


def take(*limits: Limit, now: datetime) -> bool:
    """Count one more request for each limit; return whether all of them allow it.

    Call it outside of any transaction. It commits at once, so requests with the same limit wait
    for each other only briefly.
    """
    counts = _count(limits, now)
    return all(count <= limit.times * settings.LIMIT_FACTOR for limit, count in counts.items())


def take_turn(limit: Limit, *, now: datetime) -> timedelta:
    """Count one more request; return how long it has to wait so that the limit's pace is kept.

    Nobody is refused: what exceeds the limit waits in line, and the line moves on at that pace.
    Call it outside of any transaction.
    """
    times = limit.times * settings.LIMIT_FACTOR
    before = _count([limit], now)[limit] - times
    return max(before, 0) * limit.within / times


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


def are_spent(limits: Iterable[Limit], *, now: datetime) -> bool:
    """Whether one of these limits is used up; counts nothing."""
    times = {limit.key(now): limit.times for limit in limits}
    counts = Allowance.objects.filter(key__in=times).values_list("key", "count")
    return any(count >= times[key] * settings.LIMIT_FACTOR for key, count in counts)


def forget_old(now: datetime) -> None:
    """Delete the counts whose window has passed."""
    Allowance.objects.filter(until__lt=now).delete()

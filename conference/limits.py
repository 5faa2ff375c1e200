"""How often somebody may ask for something, counted in the database.

No in-memory counter: several processes on several machines must agree. Libraries that do this
(django-ratelimit, limits) count in a cache server, which a small site does not have.
"""

import hashlib
import hmac
import ipaddress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from conference.models import Allowance


def network_of(request: HttpRequest) -> str:
    """The address of the caller's network: the IPv4 address, or the first 64 bits of an IPv6 one.

    Behind settings.PROXIES proxies of ours it is the address that the outermost of them saw.
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


def is_allowed(what: str, whose: str, *, times: int, within: timedelta, now: datetime) -> bool:
    """Count one more `what` of `whose`, and say whether that is still at most `times` `within`.

    `whose` (an address or a network) is kept only as a keyed hash, until the window has passed.
    Windows are fixed: they begin at whole multiples of `within`.
    """
    window = int(now.timestamp() // within.total_seconds())
    digest = hmac.new(settings.SECRET_KEY.encode(), whose.encode(), hashlib.sha256).hexdigest()
    key = f"{what}:{window}:{digest[:32]}"
    # One statement that both databases know: of two processes at once neither is lost.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO conference_allowance (key, count, until) VALUES (%s, 1, %s) "
            "ON CONFLICT (key) DO UPDATE SET count = conference_allowance.count + 1 "
            "RETURNING count",
            [key, connection.ops.adapt_datetimefield_value(now + within)],
        )
        (count,) = cursor.fetchone()
    return count <= times * settings.LIMIT_FACTOR


def forget_old(now: datetime) -> None:
    """Erase the counts whose window has passed."""
    Allowance.objects.filter(until__lt=now).delete()

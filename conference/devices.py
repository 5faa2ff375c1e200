"""Devices on which somebody has logged in before, known by a signed cookie.

What strangers try then makes nobody wait who logs in where they did before: OWASP's 'device
cookies'. No kept library does it: django-axes, django-defender and django-ratelimit count by
address and network, not by device. Django's signer is all that it takes.
"""

import secrets
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponseBase

from conference.models import User

KEPT_FOR = timedelta(days=400)  # the longest that browsers keep a cookie
# People may share a device: a tablet at the door, the office's computer.
MOST_PEOPLE = 5


def number_of(request: HttpRequest, user: User) -> str | None:
    """This device's number, if `user` has logged in on it and kept their password since."""
    for mark in _marks(request):
        with suppress(BadSignature):
            return _signer(user).unsign(mark, max_age=KEPT_FOR)
    return None


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let this device be known as one on which `user` has logged in."""
    theirs = _signer(user)
    others = [mark for mark in _marks(request) if not _is_by(theirs, mark)]
    marks = [theirs.sign(secrets.token_hex(8)), *others][:MOST_PEOPLE]
    response.set_cookie(
        _cookie(),
        ".".join(marks),
        max_age=KEPT_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest) -> bool:
    """Whether anybody at all may have logged in on this device."""
    return _cookie() in request.COOKIES


def _cookie() -> str:
    """The cookie's name. A browser takes '__Host-' from this very host alone, and by HTTPS."""
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"


def _marks(request: HttpRequest) -> list[str]:
    marks = request.COOKIES.get(_cookie(), "").split(".")[:MOST_PEOPLE]
    return [mark for mark in marks if mark]


def _signer(user: User) -> TimestampSigner:
    # Who it is stands in the signature alone, together with what a new password changes.
    return TimestampSigner(salt=f"device:{user.pk}:{user.get_session_auth_hash()}")


def _is_by(signer: TimestampSigner, mark: str) -> bool:
    with suppress(BadSignature):
        signer.unsign(mark)
        return True
    return False

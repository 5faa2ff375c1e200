"""Error pages, and a filter that keeps secrets and strangers' lines out of the log."""

import errno
import logging
import re
import textwrap
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core import signing
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache

from conference.database import AWAY

logger = logging.getLogger("conference.errors")

# The parts of URLs that give access without a log-in.
_SECRET_IN_PATH = re.compile(
    r"(/orders/|/bulletin/confirm/|/bulletin/unsubscribe/|/c/pay/|/password/new/[^/\s]+/)"
    r"[^/\s\"'?]+"
)
# What could end a line of the log and begin another, or move the cursor of who reads it.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LONGEST_LINE = 1000  # characters; an address may have 32 kB

# The field that says whom a form was given to.
ASKED_OF = "asked_of"
# Raised for a request that is malformed or incomplete.
_UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)


class TooOften(Exception):
    """A rate limit was exceeded."""


class WithoutSecrets(logging.Filter):
    """Removes the secret part of links from the log, and makes each message one line.

    What strangers send (a path, a name) is in messages and tracebacks. The lines of a traceback
    are indented, so that none of them can pass for a message.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        text = _CONTROL.sub(_escaped, _without_secrets(record.getMessage()))
        record.msg = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
        record.args = ()
        if record.name.startswith("django.security."):
            # A request that was refused, for its Host perhaps. No fault of ours has to be found.
            record.exc_info = record.exc_text = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = textwrap.indent(_without_secrets(record.exc_text), "  ")
        return True


def _without_secrets(text: str) -> str:
    return _SECRET_IN_PATH.sub(r"\1…", text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def branded_errors(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: our own error page for any exception in a view, with or without DEBUG.

    Django's technical pages show settings and local variables. The log has the traceback.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        # No URL of ours has a zero byte, and PostgreSQL rejects text with one.
        if "\0" in request.path:
            return not_found(request)
        if "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request)
        try:
            # Parsed here, so that a body that is too large or cut off gets our own page.
            _ = request.POST
        except _UNREADABLE as error:
            return bad_request(request, error)
        response = get_response(request)
        if response.status_code == HTTPStatus.NOT_FOUND and settings.DEBUG:
            return not_found(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            page = _page(request, HTTPStatus.METHOD_NOT_ALLOWED)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse:
        if isinstance(error, Http404):
            return not_found(request, error)
        if isinstance(error, PermissionDenied):
            return forbidden(request, error)
        if isinstance(error, TooOften):
            return _page(request, HTTPStatus.TOO_MANY_REQUESTS)
        if isinstance(error, _UNREADABLE):
            return bad_request(request, error)
        if _disk_is_full(error):
            # Without the traceback: the log may be on the same disk.
            logger.error("%s %s: the disk is full", request.method, request.path)
            return unavailable(request, is_full=True)
        logger.error("%s %s", request.method, request.path, exc_info=error)
        return unavailable(request) if isinstance(error, AWAY) else broken(request)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, HTTPStatus.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    """The page for an internal error; rendered without context, since anything may be broken."""
    return HttpResponse(render_to_string("500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest, *, is_full: bool = False) -> HttpResponse:
    """The page for a database that is locked, unreachable, or (`is_full`) out of disk space.

    Rendered without the database. It contains the submitted form, so that people can send it again
    and lose nothing.
    """
    page = render_to_string("503.html", {"sent": _form_as_sent(request), "is_full": is_full})
    response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = "10"
    response["Cache-Control"] = "no-store, private"
    return response


def _disk_is_full(error: Exception) -> bool:
    """Whether SQLite, PostgreSQL or the file system is out of disk space."""
    cause = error.__cause__ or error
    return (
        getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL"
        or getattr(cause, "sqlstate", "") == "53100"  # PostgreSQL's disk_full
        or getattr(cause, "errno", 0) == errno.ENOSPC
    )


def _form_as_sent(request: HttpRequest) -> list[tuple[str, str]]:
    """The (name, value) pairs of the submitted form; empty if it had a password or files."""
    if request.FILES or any("password" in name for name in request.POST):
        return []
    return fields_sent(request)


def fields_sent(request: HttpRequest) -> list[tuple[str, str]]:
    """The (name, value) pairs of the submitted form."""
    return [(name, value) for name, values in request.POST.lists() for value in values]


def asked_of(request: HttpRequest) -> str:
    """Who is logged in, signed: for a form that nobody else may be given to send again."""
    return signing.dumps(request.user.pk, salt="errors.asked_of")


def _was_somebody_elses(request: HttpRequest) -> bool:
    """Whether the form was given to somebody who is not logged in any more, to be sent again."""
    given_to = request.POST.get(ASKED_OF)
    if given_to is None:
        return False
    try:
        return bool(signing.loads(given_to, salt="errors.asked_of") != request.user.pk)
    except signing.BadSignature:
        return True


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that failed the CSRF check with the same form, to be sent again.

    Not if another site sent it, which Django recognises by the origin: one click would do what
    that site wants. Nor if it was given to somebody else, who used this browser before.
    """
    is_ours = reason == REASON_NO_CSRF_COOKIE or reason.startswith("CSRF token")
    is_ours = is_ours and not _was_somebody_elses(request)
    sent = [pair for pair in _form_as_sent(request) if pair[0] != "csrfmiddlewaretoken"]
    context = {"sent": sent if is_ours else []}
    return render(request, "403_csrf.html", context, status=HTTPStatus.FORBIDDEN)


def _page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    return render(request, f"{status.value}.html", status=status)

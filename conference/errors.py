"""What people see when something does not work, and what the log may say about it."""

import errno
import logging
import re
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache

logger = logging.getLogger("conference.errors")

# The parts of our addresses that open something without a log-in.
_SECRET_IN_PATH = re.compile(
    r"(/orders/|/bulletin/confirm/|/bulletin/unsubscribe/|/c/pay/)[^/\s\"'?]+"
)


# What the sender got wrong, or cut short.
_UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)


class TooOften(Exception):
    """Somebody asks for more of something than a person would."""


class WithoutSecrets(logging.Filter):
    """Takes the secret part of links out of every line that is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRET_IN_PATH.sub(r"\1…", record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _SECRET_IN_PATH.sub(r"\1…", record.exc_text)
        return True


def branded_errors(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: our own pages for whatever a view raises, with DEBUG as without.

    Django's technical pages show settings and local variables; the log has what a developer needs.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        # No address of ours has a zero byte, and PostgreSQL takes no text with one.
        if "\0" in request.path:
            return not_found(request)
        if "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request)
        try:
            # Too large, too many fields, cut off: found out here, ahead of Django's own page.
            _ = request.POST
        except _UNREADABLE as error:
            return bad_request(request, error)
        response = get_response(request)
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
            # One line: a log of every request with its traceback would need room as well.
            logger.error("%s %s: the disk is full", request.method, request.path)
            return unavailable(request, is_full=True)
        logger.error("%s %s", request.method, request.path, exc_info=error)
        return unavailable(request) if isinstance(error, OperationalError) else broken(request)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, HTTPStatus.FORBIDDEN)


def not_found(
    request: HttpRequest, exception: Exception | None = None, rest: str = ""
) -> HttpResponse:
    return _page(request, HTTPStatus.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    """The page for our own mistakes; rendered without context, since anything may be broken."""
    return HttpResponse(render_to_string("500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest, *, is_full: bool = False) -> HttpResponse:
    """The page for a database that is locked, out of reach, or (`is_full`) has no room left.

    The database is not asked for it. A form that was sent is in the page, to be sent again:
    nothing typed is lost.
    """
    page = render_to_string("503.html", {"sent": _form_as_sent(request), "is_full": is_full})
    response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = "10"
    response["Cache-Control"] = "no-store, private"
    return response


def _disk_is_full(error: Exception) -> bool:
    """Whether SQLite, PostgreSQL or the file system refused to write for want of room."""
    cause = error.__cause__ or error
    return (
        getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL"
        or getattr(cause, "sqlstate", "") == "53100"  # PostgreSQL's disk_full
        or getattr(cause, "errno", 0) == errno.ENOSPC
    )


def _form_as_sent(request: HttpRequest) -> list[tuple[str, str]]:
    """The names and values of the form that was sent; nothing where it held a password or files."""
    if request.FILES or any("password" in name for name in request.POST):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values]


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form that came without our cookie: the form, to be sent again.

    A form that another site sent (Django names its origin as the reason) is not given back: one
    press would do what that site wants.
    """
    try:
        resolve(request.path_info)
    except Resolver404:
        return not_found(request)
    is_ours = reason == REASON_NO_CSRF_COOKIE or reason.startswith("CSRF token")
    sent = [pair for pair in _form_as_sent(request) if pair[0] != "csrfmiddlewaretoken"]
    context = {"sent": sent if is_ours else []}
    return render(request, "403_csrf.html", context, status=HTTPStatus.FORBIDDEN)


def _page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    return render(request, f"{status.value}.html", status=status)

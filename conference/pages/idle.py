"""The end of a desk that nobody uses: after an hour it asks to log in again.

The session itself goes on, for 14 hours after the log-in: at the door nobody may be logged out.
"""

from datetime import datetime, timedelta

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from conference.errors import ASKED_OF, asked_of, fields_sent

ENDS_AFTER = timedelta(minutes=60)
_WRITTEN_EVERY = timedelta(minutes=1)
_USED_AT = "desk_used_at"


def note_use(request: HttpRequest, *, now: datetime) -> None:
    """Keep in the session that the desk was used, or that somebody logged in, at `now`."""
    request.session[_USED_AT] = int(now.timestamp())


def has_ended(request: HttpRequest, *, now: datetime) -> bool:
    """Whether the desk was last used more than an hour ago."""
    return _unused_for(request, now) > ENDS_AFTER


def asked_again(request: HttpRequest, *, now: datetime) -> HttpResponse | None:
    """The answer that asks to log in again, or None, for a use of the desk that is noted.

    Nothing that was typed is lost: the answer to a form has all of it, to be sent again.
    """
    if not has_ended(request, now=now):
        if _unused_for(request, now) >= _WRITTEN_EVERY or _USED_AT not in request.session:
            note_use(request, now=now)
        return None
    if request.method != "POST":
        return redirect_to_login(request.get_full_path(), resolve_url("conference:login"))
    ours = ("csrfmiddlewaretoken", ASKED_OF)
    sent = [pair for pair in fields_sent(request) if pair[0] not in ours]
    kept = [(name, value) for name, value in sent if "password" not in name]
    context = {
        "sent": kept,
        "is_all": len(kept) == len(sent) and not request.FILES,
        "asked_of": asked_of(request),
    }
    response = render(request, "conference/log_in_again.html", context, status=403)
    response["Cache-Control"] = "no-store, private"
    return response


def _unused_for(request: HttpRequest, now: datetime) -> timedelta:
    # Sessions without a time are those from before it was kept.
    return timedelta(seconds=now.timestamp() - request.session.get(_USED_AT, now.timestamp()))

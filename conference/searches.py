"""What organisers search for, which may be anybody's name: kept in their session, for an hour.

No name or e-mail address may stand in a URL, which ends up in histories and logs. So a search is
sent by POST and kept in the session, and the URL has only the key under which it is kept.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest

KEPT_FOR = timedelta(hours=1)
_IN_SESSION = "desk_searches"
# How many searches a session keeps; older ones are forgotten.
_MOST = 20


def remember(request: HttpRequest, wanted: dict[str, str], now: datetime) -> str:
    """Keep a search in the session, and return the key under which `recall` finds it."""
    key = secrets.token_urlsafe(6)
    kept = _fresh(request.session.get(_IN_SESSION, {}), now)
    kept[key] = {"wanted": wanted, "until": (now + KEPT_FOR).timestamp()}
    request.session[_IN_SESSION] = dict(list(kept.items())[-_MOST:])
    return key


def recall(request: HttpRequest, key: str, now: datetime) -> dict[str, str]:
    """The search with this key; an empty one if it is forgotten or of another session."""
    kept = _fresh(request.session.get(_IN_SESSION, {}), now)
    wanted: dict[str, str] = kept.get(key, {}).get("wanted", {})
    return wanted


def forget_old(now: datetime) -> None:
    """Take the searches whose hour is over out of all sessions, which live for longer."""
    for session in Session.objects.iterator():
        _keep(session, lambda searches: _fresh(searches, now))


def forget_all() -> None:
    """Take every search out of every session: somebody was erased whose name may be among them."""
    for session in Session.objects.iterator():
        _keep(session, lambda _searches: {})


def _keep(session: Session, those: Any) -> None:
    """Keep of a session's searches those that are to stay."""
    data = session.get_decoded()
    searches = data.get(_IN_SESSION, {})
    stay = those(searches)
    if stay == searches:
        return
    data[_IN_SESSION] = stay
    # Unless its owner has changed it meanwhile: then it is looked at again in a minute.
    Session.objects.filter(pk=session.pk, session_data=session.session_data).update(
        session_data=SessionStore().encode(data)
    )


def _fresh(searches: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {key: one for key, one in searches.items() if one.get("until", 0) > now.timestamp()}

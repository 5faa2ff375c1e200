"""Who may see the desk: organisers alone. Volunteers at the door never see a list of people."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone

from conference.models import User
from conference.pages import idle

View = Callable[..., HttpResponseBase]


class DeskRequest(HttpRequest):
    """A request that `desk_page` has let through: an organiser's."""

    user: User


def desk_page(view: View) -> View:
    """A page for organisers: whoever is not logged in is asked to log in, others are refused.

    Whoever has not used the desk or the settings for an hour is asked to log in again. No cache
    keeps what it shows.
    """

    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path(), resolve_url("conference:login"))
        if not request.user.is_organiser:
            raise PermissionDenied
        again = idle.asked_again(request, now=timezone.now())
        response = again or view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        response["X-Robots-Tag"] = "noindex"
        return response

    return page

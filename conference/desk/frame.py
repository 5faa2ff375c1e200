"""The frame of the desk's pages: which conference they are about, and how they are shown."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from conference.desk.access import DeskRequest, View, desk_page
from conference.models import Conference

P = ParamSpec("P")
ConferenceView = Callable[Concatenate[DeskRequest, Conference, P], HttpResponseBase]


def chosen_conference(request: DeskRequest) -> Conference | None:
    """The conference that the address names, else the current one; None where there is none yet.

    Raises Http404 for a conference that does not exist. Unpublished ones can be looked at too.
    """
    slug = request.GET.get("conference")
    if slug:
        named = Conference.objects.filter(slug=slug).first()
        if named is None:
            raise Http404
        return named
    return Conference.objects.current(timezone.now()) or Conference.objects.first()


def conference_page(view: ConferenceView[P]) -> View:
    """A page of the desk about the chosen conference, which its view is given.

    Where there is none yet, the answer says so and leads to the settings, whatever was asked for.
    """

    @desk_page
    @wraps(view)
    def page(request: DeskRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        conference = chosen_conference(request)
        if conference is None:
            return show(request, "no_conference", {})
        return view(request, conference, *args, **kwargs)

    return page


def conference_query(request: DeskRequest, **more: str) -> str:
    """The query string that keeps the conference this request names."""
    named = request.GET.get("conference")
    query = ({"conference": named} if named else {}) | more
    return f"?{urlencode(query)}" if query else ""


def show(
    request: DeskRequest, page: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The desk's page called `page`, in its frame."""
    context = {"conference_query": conference_query(request)} | context
    return render(request, f"conference/desk/{page}.html", context, status=status)

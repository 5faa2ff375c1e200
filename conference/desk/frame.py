"""The frame of the desk's pages: the conference they are about, how they and lists are shown."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from conference.desk.access import DeskRequest, View, desk_page
from conference.models import Conference
from tickets.models import Order

_ROWS = 50  # on a page of a list
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


def rows_page(request: DeskRequest, rows: QuerySet[Any]) -> Page[Any]:
    """The page of the list that the URL asks for, or the nearest that there is."""
    return Paginator(rows, _ROWS).get_page(request.GET.get("page"))


def order_references(texts: list[str]) -> set[str]:
    """Those of the texts that are the reference of an order, so that they can be links."""
    found = Order.objects.filter(reference__in=texts)
    return set(found.values_list("reference", flat=True))

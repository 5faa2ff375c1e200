"""The lists of orders and of attendees: searched, filtered, in pages."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from conference.desk import search
from conference.desk.access import DeskRequest, desk_page
from conference.desk.forms import AttendeeSearchForm, OrderSearchForm
from conference.desk.frame import conference_query, needed_conference, show

ROWS = 50  # on a page


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def orders(request: DeskRequest) -> HttpResponse:
    """The conference's orders, newest first. POST looks for some of them."""
    conference = needed_conference(request)
    form = OrderSearchForm(searched(request))
    if request.method == "POST":
        return _look_for(request, form, "desk:orders")
    rows = search.with_tickets(search.orders(conference, chosen(form)))
    return show(request, "orders", _list(request, form, rows) | {"conference": conference})


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def attendees(request: DeskRequest) -> HttpResponse:
    """Who comes to the conference, by name. POST looks for some of them."""
    conference = needed_conference(request)
    form = AttendeeSearchForm(searched(request), conference=conference)
    if request.method == "POST":
        return _look_for(request, form, "desk:attendees")
    rows = search.attendees(conference, chosen(form)).select_related("order", "ticket_type")
    return show(request, "attendees", _list(request, form, rows) | {"conference": conference})


def searched(request: DeskRequest) -> Any:
    """What is looked for: just typed, or kept under the key that the address names."""
    if request.method == "POST":
        return request.POST
    return search.recall(request, request.GET.get("search", ""))


def chosen(form: OrderSearchForm | AttendeeSearchForm) -> dict[str, Any]:
    """What the form says; what it cannot know (a ticket type of another year) counts as empty."""
    form.is_valid()
    return form.cleaned_data


def _look_for(
    request: DeskRequest, form: OrderSearchForm | AttendeeSearchForm, view: str
) -> HttpResponse:
    chosen(form)
    wanted = form.to_remember()
    found = {"search": search.remember(request, wanted)} if wanted else {}
    return redirect(reverse(view) + conference_query(request, **found))


def _list(request: DeskRequest, form: Any, rows: Any) -> dict[str, Any]:
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    return {
        "form": form,
        "page": page,
        "rows": page.object_list,
        "is_searched": bool(form.to_remember()),
        "search_key": request.GET.get("search", ""),
    }

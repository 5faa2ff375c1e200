"""The lists of orders and of attendees: searched, filtered, in pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conference import searches
from conference.desk import search
from conference.desk.access import DeskRequest
from conference.desk.forms import AttendeeSearchForm, OrderSearchForm
from conference.desk.frame import conference_page, conference_query, rows_page, show
from conference.models import Conference


@conference_page
@require_http_methods(["GET", "HEAD", "POST"])
def orders(request: DeskRequest, conference: Conference) -> HttpResponse:
    """The conference's orders, newest first. POST searches them."""
    form = OrderSearchForm(searched(request))
    if request.method == "POST":
        return _look_for(request, form, "desk:orders")
    rows = search.with_tickets(search.orders(conference, chosen(form)))
    return _show(request, conference, _("Orders"), "orders", form, rows)


@conference_page
@require_http_methods(["GET", "HEAD", "POST"])
def attendees(request: DeskRequest, conference: Conference) -> HttpResponse:
    """Who comes to the conference, by name. POST searches them."""
    form = AttendeeSearchForm(searched(request), conference=conference)
    if request.method == "POST":
        return _look_for(request, form, "desk:attendees")
    rows = search.attendees(conference, chosen(form)).select_related("order", "ticket_type")
    return _show(request, conference, _("Attendees"), "attendees", form, rows)


def searched(request: DeskRequest) -> Any:
    """The search: just typed, or kept in the session under the key that the URL names."""
    if request.method == "POST":
        return request.POST
    return searches.recall(request, request.GET.get("search", ""), timezone.now())


def chosen(form: OrderSearchForm | AttendeeSearchForm) -> dict[str, Any]:
    """The form's valid values; others (a ticket type of another year) count as empty."""
    form.is_valid()
    return form.cleaned_data


def _look_for(
    request: DeskRequest, form: OrderSearchForm | AttendeeSearchForm, view: str
) -> HttpResponse:
    chosen(form)
    wanted = form.to_remember()
    found = {"search": searches.remember(request, wanted, timezone.now())} if wanted else {}
    return redirect(reverse(view) + conference_query(request, **found))


def _show(
    request: DeskRequest,
    conference: Conference,
    title: str,
    name: str,
    form: OrderSearchForm | AttendeeSearchForm,
    rows: QuerySet[Any],
) -> HttpResponse:
    """The page of a list. `name` is also in the names of its URLs and of its table's template."""
    page = rows_page(request, rows)
    context = {
        "conference": conference,
        "title": title,
        "table": f"conference/desk/{name}_table.html",
        "list_url": reverse(f"desk:{name}"),
        "export_csv": reverse(f"desk:export_{name}", kwargs={"kind": "csv"}),
        "export_xlsx": reverse(f"desk:export_{name}", kwargs={"kind": "xlsx"}),
        "form": form,
        "page": page,
        "rows": page.object_list,
        "is_searched": bool(form.to_remember()),
        "search_key": request.GET.get("search", ""),
    }
    return show(request, "list", context)

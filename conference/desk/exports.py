"""The lists as files. The audit log says who downloaded which, and when."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from conference import searches
from conference.audit import record
from conference.desk import sheets, tables
from conference.desk.access import DeskRequest
from conference.desk.forms import AttendeeSearchForm, OrderSearchForm
from conference.desk.frame import conference_page
from conference.desk.lists import chosen
from conference.desk.tables import Table
from conference.models import Conference

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@conference_page
@require_POST
def orders(request: DeskRequest, conference: Conference, kind: str) -> HttpResponseBase:
    """The conference's orders as CSV or XLSX: all, or those that a search found."""
    wanted = chosen(OrderSearchForm(_searched(request)))
    return _export(request, conference, "orders", kind, tables.orders, wanted)


@conference_page
@require_POST
def attendees(request: DeskRequest, conference: Conference, kind: str) -> HttpResponseBase:
    """The conference's attendees as CSV or XLSX: all, or those that a search found.

    Private kinds of ticket are named only if they were asked for, which is on record.
    """
    wanted = chosen(AttendeeSearchForm(_searched(request), conference=conference))
    table, more = tables.attendees, {}
    if request.POST.get("private_kinds"):
        table, more = partial(tables.attendees, with_private=True), {"private_kinds": True}
    return _export(request, conference, "attendees", kind, table, wanted, **more)


def _searched(request: DeskRequest) -> dict[str, str]:
    """The search that the form names, or an empty one."""
    return searches.recall(request, request.POST.get("search", ""), timezone.now())


def _export(
    request: DeskRequest,
    conference: Conference,
    what: str,
    kind: str,
    make_table: Callable[[Conference, dict[str, Any]], Table],
    wanted: dict[str, Any],
    **more: bool,
) -> HttpResponseBase:
    # What was searched for may be somebody's name, so only the names of the fields are recorded.
    chosen_by = sorted(name for name, value in wanted.items() if value)
    record(
        f"{what} exported",
        conference.slug,
        by=request.user,
        now=timezone.now(),
        file=kind,
        chosen_by=chosen_by,
        **more,
    )
    table = make_table(conference, wanted)
    name = f"{what}-{conference.slug}.{kind}"
    if kind == "xlsx":
        file = sheets.xlsx_file(table, name=what)
        return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)
    response: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(
        sheets.csv_chunks(table), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

"""The audit log, newest first."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from conference.desk import words
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import show
from conference.desk.lists import ROWS
from conference.models import AuditEntry
from tickets.models import Order


@desk_page
@require_safe
def audit(request: DeskRequest) -> HttpResponse:
    """What was done and by whom: everything, or with ?by=staff only what people here did."""
    by_staff = request.GET.get("by") == "staff"
    entries = AuditEntry.objects.select_related("by").order_by("-at", "-pk")
    if by_staff:
        entries = entries.filter(by__isnull=False)
    page = Paginator(entries, ROWS).get_page(request.GET.get("page"))
    rows = [
        (entry, words.verb(entry.verb), words.detail(entry.detail)) for entry in page.object_list
    ]
    found = [entry.subject for entry in page.object_list]
    orders = Order.objects.filter(reference__in=found).values_list("reference", flat=True)
    context = {"page": page, "rows": rows, "by_staff": by_staff, "order_references": set(orders)}
    return show(request, "audit", context)

"""The audit log, newest first."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from conference.desk import words
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import order_references, rows_page, show
from conference.models import AuditEntry


@desk_page
@require_safe
def audit(request: DeskRequest) -> HttpResponse:
    """What was done and by whom: everything, or with ?by=staff only what people here did."""
    by_staff = request.GET.get("by") == "staff"
    entries = AuditEntry.objects.select_related("by").order_by("-at", "-pk")
    if by_staff:
        entries = entries.filter(by__isnull=False)
    page = rows_page(request, entries)
    rows = [
        (entry, words.verb(entry.verb), words.detail(entry.detail)) for entry in page.object_list
    ]
    context = {
        "page": page,
        "rows": rows,
        "by_staff": by_staff,
        "order_references": order_references([entry.subject for entry in page.object_list]),
    }
    return show(request, "audit", context)

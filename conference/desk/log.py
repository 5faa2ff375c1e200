"""The audit log, newest first."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from conference.desk import words
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import order_references, rows_page, show
from conference.models import AuditEntry, User

# How the log names an account: by its number, so that no name outlasts the account.
_ACCOUNT = "user: "


@desk_page
@require_safe
def audit(request: DeskRequest) -> HttpResponse:
    """What was done and by whom: everything, or with ?by=staff only what people here did."""
    by_staff = request.GET.get("by") == "staff"
    entries = AuditEntry.objects.select_related("by").order_by("-at", "-pk")
    if by_staff:
        entries = entries.filter(by__isnull=False)
    page = rows_page(request, entries)
    names = _accounts(page.object_list)
    rows = [
        (entry, words.verb(entry.verb), _detail(entry, names.get(entry.subject, "")))
        for entry in page.object_list
    ]
    context = {
        "page": page,
        "rows": rows,
        "by_staff": by_staff,
        "order_references": order_references([entry.subject for entry in page.object_list]),
    }
    return show(request, "audit", context)


def _accounts(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The names of the accounts that entries are about, by their subject."""
    numbers = [entry.subject.removeprefix(_ACCOUNT) for entry in entries]
    wanted = [number for number in numbers if number.isdecimal()]
    users = User.objects.filter(pk__in=wanted) if wanted else []
    return {f"{_ACCOUNT}{user.pk}": str(user) for user in users}


def _detail(entry: AuditEntry, name: str) -> str:
    return ", ".join(part for part in (name, words.detail(entry.detail)) if part)

"""The door's pages, and the few answers that its phones ask for."""

import uuid
from http import HTTPStatus
from typing import Any, cast

from csp.decorators import csp_update
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from conference import codes
from conference.errors import TooOften
from conference.headers import for_scanning
from conference.models import User
from tickets import actions
from tickets.door import counts as counting
from tickets.door import search as searching
from tickets.door.access import door_page, gate_data, gate_page, gates_now, refusal
from tickets.door.forms import SearchForm
from tickets.door.words import told
from tickets.models import UNDO_WITHIN, Gate, Scan

# Longer than any code of ours, with whatever a scanner types around it.
LONGEST_CODE = 1000


@never_cache
@door_page
@require_GET
def gates(request: HttpRequest) -> HttpResponse:
    """Choose the gate; where there is only one, go to it."""
    found = list(gates_now(timezone.now()))
    if len(found) == 1:
        return redirect("door:scanner", found[0].slug)
    return render(request, "tickets/door/gates.html", {"gates": found})


@never_cache
@for_scanning
@csp_update({"script-src": ["'wasm-unsafe-eval'"], "worker-src": ["'self'"]})
@gate_page
def scanner(request: HttpRequest, gate: Gate) -> HttpResponse:
    """The scanner. Without scripts it is a form for the short code, which shows its own result."""
    result = None
    if "undo" in request.POST:
        _undo_and_say(request, gate)
        return redirect("door:scanner", gate.slug)
    if "code" in request.POST:
        result = _judge_form(request, gate)
    return render(
        request,
        "tickets/door/scanner.html",
        {
            "gate": gate,
            "counts": counting.counts(gate.conference),
            "result": result,
            "form_id": uuid.uuid4(),
            "code_prefix": codes.PREFIX,
            "undo_seconds": int(UNDO_WITHIN.total_seconds()),
            "has_other_gates": gates_now(timezone.now()).count() > 1,
        },
    )


@require_POST
@gate_data
def scan(request: HttpRequest, gate: Gate) -> HttpResponse:
    """Judge `code`. `id` is a UUID made by the phone; the same id again has the same result."""
    scan_id = _uuid(request.POST.get("id", ""))
    if scan_id is None:
        return refusal(_("This scan has no number of its own."), HTTPStatus.BAD_REQUEST)
    return JsonResponse(_judge(request, gate, scan_id, request.POST.get("code", "")))


@require_POST
@gate_data
def undo(request: HttpRequest, gate: Gate) -> HttpResponse:
    """Take the entry with this `id` back."""
    try:
        entry = _undo(request, gate, request.POST.get("id", ""))
    except actions.CannotUndo:
        return refusal(_too_late(), HTTPStatus.CONFLICT)
    return JsonResponse({"id": str(entry.pk), "said": _undone(entry)})


@never_cache
@require_GET
@gate_data
def counts(request: HttpRequest, gate: Gate) -> HttpResponse:
    """How many are in and expected."""
    return JsonResponse(counting.counts(gate.conference))


@never_cache
@gate_page
def search(request: HttpRequest, gate: Gate) -> HttpResponse:
    """Find somebody by name and check them in. By POST, so that no name is in a URL."""
    person = _person(request)
    if not person.is_organiser:
        raise PermissionDenied
    form = SearchForm(request.POST if request.method == "POST" else None)
    rows = None
    if form.is_valid():
        now = timezone.now()
        if not searching.may_search(person, now):
            raise TooOften
        rows = searching.search(words=form.cleaned_data["q"], gate=gate, now=now)
    # On a phone the focus brings up the keyboard, which would hide whom it found.
    form.fields["q"].widget.attrs["autofocus"] = not rows
    context = {
        "gate": gate,
        "form": form,
        "rows": rows,
        "most_rows": searching.MOST_ROWS,
        "form_id": uuid.uuid4(),
    }
    return render(request, "tickets/door/search.html", context)


def _person(request: HttpRequest) -> User:
    """Who is logged in; the decorators of all views here see to it that somebody is."""
    return cast(User, request.user)


def _judge(request: HttpRequest, gate: Gate, scan_id: uuid.UUID, text: str) -> dict[str, Any]:
    now = timezone.now()
    result = actions.scan(
        scan_id=scan_id, text=text[:LONGEST_CODE], gate=gate, by=_person(request), now=now
    )
    return told(result, gate, now)


def _judge_form(request: HttpRequest, gate: Gate) -> dict[str, Any] | None:
    """Judge the code typed into the form. The same form sent twice with one code is one scan."""
    text = request.POST["code"].strip()
    form_id = _uuid(request.POST.get("form", ""))
    if not text or form_id is None:
        return None
    return _judge(request, gate, uuid.uuid5(form_id, text.upper()), text)


def _undo(request: HttpRequest, gate: Gate, text: str) -> Scan:
    scan_id = _uuid(text)
    here = Scan.objects.filter(conference=gate.conference)
    if scan_id is None or not here.filter(pk=scan_id).exists():
        raise actions.CannotUndo
    return actions.undo(scan_id=scan_id, by=_person(request), now=timezone.now())


def _undo_and_say(request: HttpRequest, gate: Gate) -> None:
    try:
        entry = _undo(request, gate, request.POST["undo"])
    except actions.CannotUndo:
        messages.warning(request, _too_late())
    else:
        messages.success(request, _undone(entry))


def _undone(entry: Scan) -> str:
    return _("Undone. %(name)s is not in.") % {
        "name": entry.ticket.attendee_name if entry.ticket else ""
    }


def _too_late() -> str:
    return _("This can no longer be undone. An entry can be taken back for ten minutes.")


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

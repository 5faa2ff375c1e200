"""What the door says: every outcome in words, for the phone and for the page without scripts."""

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.models import Conference
from tickets.actions import Result
from tickets.models import UNDO_WITHIN, Gate, Scan

# How an outcome looks and sounds; any other is 'bad'.
_TONES = {
    Scan.Outcome.ADMITTED: "good",
    Scan.Outcome.ALREADY_IN: "already",
    Scan.Outcome.UNLISTED: "already",  # look again: it may well be right
}

_TITLES = {
    Scan.Outcome.ADMITTED: gettext_lazy("Admitted"),
    Scan.Outcome.ALREADY_IN: gettext_lazy("Already in"),
    Scan.Outcome.NOT_CONFIRMED: gettext_lazy("Not confirmed"),
    Scan.Outcome.CANCELLED: gettext_lazy("Cancelled"),
    Scan.Outcome.REPLACED: gettext_lazy("Replaced"),
    Scan.Outcome.OTHER_CONFERENCE: gettext_lazy("Other conference"),
    Scan.Outcome.UNKNOWN: gettext_lazy("Not on the list"),
    Scan.Outcome.UNLISTED: gettext_lazy("Genuine, but not in our list"),
    Scan.Outcome.NOT_A_TICKET: gettext_lazy("Not a ticket"),
}


def told(result: Result, gate: Gate, now: datetime) -> dict[str, Any]:
    """The answer to a scan, ready for JSON and for the template `result.html`.

    `outcome` is the scan's, or 'undone' where the entry has been taken back since. `at` and
    `first.at` are times of day in the conference's zone, with the date where that is not today;
    `may_undo_until` is a moment in ISO 8601, or None; `said` is all of it as one text to be read
    out.
    """
    scan, ticket, conference = result.scan, result.ticket, gate.conference
    first = None
    if result.first is not None and scan.outcome == Scan.Outcome.ALREADY_IN:
        at = time_of(result.first.at, conference, now)
        first = {"at": at, "gate": result.first.gate.name}
    is_undone = scan.undone_at is not None
    title = _("Undone") if is_undone else str(_TITLES[Scan.Outcome(scan.outcome)])
    lines = _lines(result, first)
    ours = None if scan.outcome == Scan.Outcome.OTHER_CONFERENCE else ticket
    name = ours.attendee_name if ours else ""
    kind = ours.ticket_type if ours else None
    until = scan.received_at + UNDO_WITHIN if scan.may_be_undone(now) else None
    return {
        "id": str(scan.pk),
        "outcome": "undone" if is_undone else scan.outcome,
        "tone": "bad" if is_undone else _TONES.get(Scan.Outcome(scan.outcome), "bad"),
        "title": title,
        "lines": lines,
        "name": name,
        "ticket_type": kind.name if kind and not kind.is_private else "",
        "at": time_of(scan.at, conference, now),
        "first": first,
        "may_undo_until": until.isoformat() if until else None,
        "said": _said(title, name, lines, first),
    }


def time_of(at: datetime, conference: Conference, now: datetime) -> str:
    """A moment as people at this conference say it: '09:42', or 'Fri 20 Nov, 09:42'."""
    local = at.astimezone(conference.zone)
    is_today = local.date() == now.astimezone(conference.zone).date()
    return date_format(local, "H:i" if is_today else "D j M, H:i")


def _lines(result: Result, first: dict[str, str] | None) -> list[str]:
    """What to know and what to do, in at most two sentences each on its own line."""
    ticket = result.ticket
    if result.scan.undone_at is not None:
        return [_("This entry was taken back."), _("Scan the ticket again to let them in.")]
    match Scan.Outcome(result.scan.outcome):
        case Scan.Outcome.ADMITTED:
            is_online = ticket is not None and ticket.ticket_type.is_online
            return [_("This ticket is for taking part online.")] if is_online else []
        case Scan.Outcome.ALREADY_IN:
            since = [_("Since %(at)s at %(gate)s.") % first] if first else []
            return [*since, _("Is this someone else's ticket? Send them to the desk.")]
        case Scan.Outcome.NOT_CONFIRMED:
            return [_("This booking was never finished."), _("Send them to the desk.")]
        case Scan.Outcome.CANCELLED:
            return [_("This place was given back."), _("Send them to the desk.")]
        case Scan.Outcome.REPLACED:
            return [_("There is a newer ticket."), _("Ask for the latest one that we sent.")]
        case Scan.Outcome.OTHER_CONFERENCE:
            name = ticket.order.conference.name if ticket else ""
            return [_("This ticket is for: %(name)s.") % {"name": name}]
        case Scan.Outcome.UNKNOWN:
            return [_("Was it typed? Check each letter."), _("Else send them to the desk.")]
        case Scan.Outcome.UNLISTED:
            return [
                _("Our list may be older than this ticket."),
                _("Let the organiser decide."),
            ]
        case _:
            return [
                _("This code is not one of ours."),
                _("Ask for the square code that we sent them."),
            ]


def _said(title: str, name: str, lines: list[str], first: dict[str, str] | None) -> str:
    if first:
        whole = _("Already in, since %(at)s at %(gate)s.") % first
        return " ".join(part for part in (whole, *lines[1:], name) if part)
    return " ".join(f"{part.rstrip('.')}." for part in (title, name, *lines) if part)

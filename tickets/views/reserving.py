"""The conference's page and the reservation form."""

import re
import uuid
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conference import kept_pages
from conference.errors import no_cookie
from conference.limits import network_of
from conference.models import Conference
from tickets import actions
from tickets.availability import OnOffer, on_offer
from tickets.forms import AttendeeFormSet, OrderForm, kinds_on_offer, rows_as_typed
from tickets.models import MOST_PLACES, Order
from tickets.views.paying import onward

# What an order needs of the conference.
_LITTLE = ("slug", "gift_presets", "is_published", "opens_at", "closes_at", "ends_at")


@require_safe
def conference_page(request: HttpRequest, slug: str) -> HttpResponse:
    """When, where, what for, and how many places are left."""
    conference = _conference(slug)
    now = timezone.now()
    offer = on_offer(conference)
    return kept_pages.render(
        request,
        "tickets/conference.html",
        {
            "conference": conference,
            "organisation": conference.organisation,
            "ticket_types": offer.ticket_types,
            "availability": offer.availability,
            "is_open": conference.is_open(now),
            "is_past": conference.is_past(now),
            "opens_later": now < conference.opens_at,
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reserve(request: HttpRequest, slug: str) -> HttpResponse:
    """The reservation form: one page, one submit."""
    now = timezone.now()
    if request.method != "POST":
        conference = _conference(slug)
        offer = on_offer(conference)
        if not conference.is_open(now) or offer.availability == "full":
            return _closed(request, conference, offer, now)
        return _empty_form(request, conference, offer)
    if "add" in request.POST or "remove" in request.POST:
        conference = _conference(slug)
        return _with_another_number_of_rows(request, conference, on_offer(conference))
    # An order needs little of the conference, and most forms need not be shown again.
    conference = get_object_or_404(Conference.objects.published().only(*_LITTLE), slug=slug)
    form = OrderForm(request.POST, conference=conference)
    # What is left is only counted where it must be: under lock, and for the form shown again.
    attendees = AttendeeFormSet(request.POST)
    if not all([form.is_valid(), attendees.is_valid()]):
        made_before = _made_before(conference, form)
        if made_before is not None:
            return onward(request, made_before, now=now)
        return _again(request, slug, form, now)
    try:
        order = _reserved(request, conference, form, attendees, now)
    except actions.TooMany:
        form.add_error(None, _wait_a_little())
        conference = _conference(slug)
        attendees = _attendees(on_offer(conference), data=request.POST)
        return _page(request, conference, form, attendees, status=HTTPStatus.TOO_MANY_REQUESTS)
    except actions.Closed:
        conference = _conference(slug)
        return _closed(request, conference, on_offer(conference), now)
    except actions.SoldOut:
        return _again(request, slug, form, now, sold_out=True)
    return onward(request, order, now=now)


def reserve_without_cookie(request: HttpRequest, slug: str) -> HttpResponse:
    """The form as it was filled in, for a browser that does not send our cookie with it."""
    conference = _conference(slug)
    offer = on_offer(conference)
    form = OrderForm(request.POST, conference=conference)
    form.add_error(None, no_cookie())
    attendees = _attendees(offer, rows_as_typed(request.POST))
    return _page(request, conference, form, attendees, status=HTTPStatus.FORBIDDEN)


reserve.without_cookie = reserve_without_cookie  # type: ignore[attr-defined]


def _conference(slug: str) -> Conference:
    published = Conference.objects.published().select_related("organisation")
    return get_object_or_404(published, slug=slug)


def _reserved(
    request: HttpRequest, conference: Conference, form: OrderForm, attendees: Any, now: datetime
) -> Order:
    data = form.cleaned_data
    return actions.reserve(
        conference=conference,
        name=data["name"],
        email=data["email"],
        places=attendees.places(),
        gift_pence=form.gift_pence,
        bulletin_wording=str(form.fields["bulletin"].label) if data["bulletin"] else "",
        submission=data["submission"],
        network=network_of(request),
        now=now,
    )


def _made_before(conference: Conference, form: OrderForm) -> Order | None:
    """The order that this very form made when it was sent before.

    Sent again, it need not be good any more: its first time may have taken the last places.
    """
    return conference.orders.filter(submission=form.cleaned_data["submission"]).first()


def _again(
    request: HttpRequest,
    slug: str,
    form: OrderForm,
    now: datetime,
    *,
    sold_out: bool = False,
) -> HttpResponse:
    """The form as it was sent, with what is to be put right."""
    conference = _conference(slug)
    offer = on_offer(conference)
    if not conference.is_open(now):
        return _closed(request, conference, offer, now)
    attendees = _attendees(offer, data=request.POST)
    attendees.is_valid()
    attendees = _to_put_right(request, offer, form, attendees, sold_out=sold_out)
    return _page(request, conference, form, attendees)


def _to_put_right(
    request: HttpRequest,
    offer: OnOffer,
    form: OrderForm,
    attendees: Any,
    *,
    sold_out: bool = False,
) -> Any:
    """The people as they are to be shown again; what is not one person's mistake goes on top."""
    is_full = offer.availability == "full"
    gone = any(row.has_error("ticket_type", "invalid_choice") for row in attendees.forms)
    if sold_out or is_full or gone:
        form.add_error(None, _what_is_left(offer))
    if is_full:
        return _attendees(offer, rows_as_typed(request.POST))
    if not attendees.forms:
        # Nothing says how many people there are: those who were typed.
        is_broken = not attendees.management_form.is_valid()
        what = "missing_management_form" if is_broken else "too_few_forms"
        form.add_error(None, attendees.error_messages[what])
        return _attendees(offer, rows_as_typed(request.POST))
    return attendees


def _attendees(
    offer: OnOffer, initial: list[dict[str, str]] | None = None, *, data: Any = None
) -> Any:
    return _people(kinds_on_offer(offer.types, offer.left), initial, data)


def _people(
    kinds: list[tuple[str, str]], initial: list[dict[str, str]] | None, data: Any = None
) -> Any:
    return AttendeeFormSet(data, initial=initial, form_kwargs={"kinds": kinds})


def _empty_form(request: HttpRequest, conference: Conference, offer: OnOffer) -> HttpResponse:
    """The form for one person, nothing filled in."""
    submission = {"submission": kept_pages.hole("submission")}
    return kept_pages.render(
        request,
        "tickets/reserve.html",
        {
            "conference": conference,
            "organisation": conference.organisation,
            "form": partial(OrderForm, conference=conference, initial=submission),
            "attendees": partial(_people, kinds_on_offer(offer.types, offer.left), [{}]),
        },
        fill={"submission": str(uuid.uuid4())},
    )


def _with_another_number_of_rows(
    request: HttpRequest, conference: Conference, offer: OnOffer
) -> HttpResponse:
    """The form as it was typed, with a person more or less; nothing is checked yet."""
    rows = rows_as_typed(request.POST)
    removed = request.POST.get("remove", "")
    if re.fullmatch("[0-9]{1,2}", removed) and int(removed) < len(rows) and len(rows) > 1:
        del rows[int(removed)]
    elif "add" in request.POST and len(rows) < MOST_PLACES:
        rows.append({})
    typed = {name: request.POST.get(name, "") for name in OrderForm.base_fields}
    form = OrderForm(conference=conference, initial=typed)
    return _page(request, conference, form, _attendees(offer, rows))


def _page(
    request: HttpRequest,
    conference: Conference,
    form: OrderForm,
    attendees: Any,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    return render(
        request,
        "tickets/reserve.html",
        {
            "conference": conference,
            "organisation": conference.organisation,
            "form": form,
            "attendees": attendees,
        },
        status=status,
    )


def _closed(
    request: HttpRequest, conference: Conference, offer: OnOffer, now: datetime
) -> HttpResponse:
    """In place of the form where nobody can reserve."""
    context = {
        "conference": conference,
        "organisation": conference.organisation,
        "is_past": conference.is_past(now),
        "is_full": conference.is_open(now) and offer.availability == "full",
        "opens_later": now < conference.opens_at,
    }
    return render(request, "tickets/closed.html", context)


def _wait_a_little() -> str:
    return _(
        "Many places were reserved from your network or for this address in a short while, so we "
        "pause it. Send the form again later, or write to us. Nothing you entered is lost."
    )


def _what_is_left(offer: OnOffer) -> str:
    """One sentence for somebody whose places went while they were filling in the form."""
    left = [
        ngettext("%(count)d place", "%(count)d places", places) % {"count": places}
        + f" ({kind.name})"
        for kind in offer.types
        if (places := offer.left.by_type[kind.pk])
    ]
    if not left:
        return _("The last places have just been taken. Nothing was reserved.")
    return _(
        "Some of these places have just been taken. Left are: %(left)s. "
        "Change the people below; what you entered is kept."
    ) % {"left": ", ".join(left)}

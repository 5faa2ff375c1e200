"""The conference's page and the reservation form."""

import re
import uuid
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conference.limits import Limit, give_back, network_of, take
from conference.models import Conference
from tickets import actions
from tickets.availability import OnOffer, on_offer
from tickets.forms import AttendeeFormSet, OrderForm, kinds_on_offer, rows_as_typed
from tickets.models import MOST_PLACES, Order
from tickets.views.paying import onward

# From one network, which many people may share.
ORDERS_AN_HOUR = 60

# Of a conference, what the form needs.
_TO_RESERVE = Conference.objects.published().only(
    *("name", "slug", "timezone", "starts_at", "ends_at", "opens_at", "closes_at", "capacity"),
    *("is_published", "gift_presets", "gift_explanation_html", "changed_at"),
)


@require_safe
def conference_page(request: HttpRequest, slug: str) -> HttpResponse:
    """When, where, what for, and how many places are left."""
    published = Conference.objects.published().select_related("organisation")
    conference = get_object_or_404(published, slug=slug)
    now = timezone.now()
    offer = on_offer(conference)
    return render(
        request,
        "tickets/conference.html",
        {
            "conference": conference,
            "organisation": conference.organisation,
            "offer": offer,
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
    conference = get_object_or_404(_TO_RESERVE, slug=slug)
    if request.method != "POST":
        empty = OrderForm(conference=conference, initial={"submission": uuid.uuid4()})
        return _form_page(request, conference, empty, AttendeeFormSet(initial=[{}]), now=now)
    if "add" in request.POST or "remove" in request.POST:
        return _with_another_number_of_rows(request, conference, now=now)
    form = OrderForm(request.POST, conference=conference)
    attendees = AttendeeFormSet(request.POST)
    status = HTTPStatus.OK
    is_sold_out = False
    if all([form.is_valid(), attendees.is_valid()]):  # a list, so that both show their errors
        # Only orders that are made count: others share the network.
        orders = Limit("order", network_of(request), ORDERS_AN_HOUR, timedelta(hours=1))
        try:
            if take(orders, now=now):
                order = _reserved(conference, form, attendees, now=now)
                if order.created_at != now:
                    give_back(orders, now=now)  # the same form once more
                return onward(request, order, now=now)
            form.add_error(None, _wait_a_little())
            status = HTTPStatus.TOO_MANY_REQUESTS
        except actions.SoldOut:
            give_back(orders, now=now)
            is_sold_out = True
        except actions.Closed:
            give_back(orders, now=now)  # the page says so
    made_before = _made_before(conference, form)
    if made_before is not None:
        return onward(request, made_before, now=now)
    return _form_page(
        request, conference, form, attendees, is_sold_out=is_sold_out, status=status, now=now
    )


def _reserved(conference: Conference, form: OrderForm, attendees: Any, *, now: datetime) -> Order:
    data = form.cleaned_data
    return actions.reserve(
        conference=conference,
        name=data["name"],
        email=data["email"],
        places=attendees.places(),
        gift_pence=form.gift_pence,
        bulletin_wording=str(form.fields["bulletin"].label) if data["bulletin"] else "",
        submission=data["submission"],
        now=now,
    )


def _made_before(conference: Conference, form: OrderForm) -> Order | None:
    """The order that the same form made when it was sent before.

    The form may be invalid by now, because its first sending took the last places.
    """
    return conference.orders.filter(submission=form.cleaned_data["submission"]).first()


def _with_another_number_of_rows(
    request: HttpRequest, conference: Conference, *, now: datetime
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
    return _form_page(request, conference, form, AttendeeFormSet(initial=rows), now=now)


def _form_page(
    request: HttpRequest,
    conference: Conference,
    form: OrderForm,
    attendees: Any,
    *,
    is_sold_out: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
    now: datetime,
) -> HttpResponse:
    """The form: empty, or as it was sent with its errors.

    Instead, a page that says why nobody can reserve: if reservations are closed, or if all places
    are taken and no form was sent.
    """
    offer = on_offer(conference)
    is_full = offer.availability == "full"
    if not conference.is_open(now) or (is_full and request.method != "POST"):
        context = {
            "conference": conference,
            "is_past": conference.is_past(now),
            "is_full": conference.is_open(now) and is_full,
            "opens_later": now < conference.opens_at,
        }
        return render(request, "tickets/closed.html", context)
    are_kinds_there = attendees.offer(kinds_on_offer(offer.types, offer.left))
    if form.is_bound and (is_sold_out or is_full or not are_kinds_there):
        form.add_error(None, _what_is_left(offer))
    context = {
        "conference": conference,
        "form": form,
        "attendees": attendees,
        "offer": offer,
        "is_empty": request.method != "POST",
    }
    return render(request, "tickets/reserve.html", context, status=status)


def _wait_a_little() -> str:
    return _(
        "We have had many bookings from your network, so please try again in a few minutes, or "
        "write to us. Nothing you entered is lost."
    )


def _what_is_left(offer: OnOffer) -> str:
    """A message for somebody whose places were taken while they filled in the form."""
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

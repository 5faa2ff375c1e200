"""Access to orders: anyone who has the secret link."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from tickets.models import Order

View = Callable[..., HttpResponse]


class SeeOrder(Exception):
    """The request cannot be met (any more); the order's own page shows why."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.reference)
        self.order = order


def order_by_secret(secret: str) -> Order:
    """The order with this secret in its link; Http404 if there is none."""
    order = (
        Order.objects.select_related("conference__organisation", "donation")
        .filter(secret=secret)
        .first()
    )
    if order is None:
        raise Http404
    return order


def private(view: View) -> View:
    """Decorator for pages with a secret URL: not cached, not indexed, not sent as a referrer.

    Answers SeeOrder with a redirect to the order's page.
    """

    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except SeeOrder as see:
            response = redirect(see.order)
        response["Cache-Control"] = "no-store, private"
        # Not 'no-referrer': a browser then posts our own forms with 'Origin: null', and the
        # protection against forged forms refuses them. No other site gets a referrer either way.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


def order_action(view: View) -> View:
    """Decorator for the buttons on the order's page; anything but a POST is redirected there."""

    @private
    @wraps(view)
    def wrapped(request: HttpRequest, secret: str, *args: object, **kwargs: object) -> HttpResponse:
        if request.method != "POST":
            raise SeeOrder(order_by_secret(secret))
        return view(request, secret, *args, **kwargs)

    return wrapped

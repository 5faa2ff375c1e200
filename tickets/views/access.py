"""Who may see an order: whoever has its link."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from tickets.models import Order

View = Callable[..., HttpResponse]


def order_by_secret(secret: str) -> Order:
    """The order that this link opens; Http404 for any other."""
    order = (
        Order.objects.select_related("conference__organisation", "donation")
        .filter(secret=secret)
        .first()
    )
    if order is None:
        raise Http404
    return order


def private(view: View) -> View:
    """For pages whose address is the key: kept by no cache, told to no other site."""

    @never_cache
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        # Not 'no-referrer': a browser then posts our own forms with 'Origin: null', and the
        # protection against forged forms refuses them. No other site gets a referrer either way.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped

"""The bare views: one writes, one shows."""

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone

from bench.bare.models import Booking, Stock


def write(request: HttpRequest) -> HttpResponse:
    """One INSERT and one guarded UPDATE in one transaction."""
    with transaction.atomic():
        Booking.objects.create(
            name=request.POST["name"], email=request.POST["email"], made_at=timezone.now()
        )
        # The row that all want comes last, so that it is locked for the shortest time.
        taken = Stock.objects.filter(pk=1, left__gt=0).update(left=F("left") - 1)
    return _answer("taken" if taken else "sold out")


def page(request: HttpRequest) -> HttpResponse:
    """One query and a template."""
    stock = Stock.objects.get(pk=1)
    return _answer(render_to_string("bare/page.html", {"stock": stock, "rows": range(20)}))


def _answer(text: str) -> HttpResponse:
    return HttpResponse(text, headers={"Content-Length": str(len(text.encode()))})


urlpatterns = [path("write/", write), path("page/", page)]

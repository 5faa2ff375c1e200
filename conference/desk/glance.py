"""The desk's first page: one conference at a glance."""

from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """Show one conference at a glance."""
    return HttpResponse(status=403)

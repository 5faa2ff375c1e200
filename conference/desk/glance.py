"""The desk's first page: one conference at a glance."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from conference.desk import figures
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import chosen_conference, show
from conference.desk.open_matters import open_matters
from conference.models import Conference
from tickets.door.counts import counts


@desk_page
@require_safe
def home(request: DeskRequest) -> HttpResponse:
    """Places, gifts, entries and opt-ins of one conference, and what somebody should look at."""
    conference = chosen_conference(request)
    context: dict[str, Any] = {"conference": conference, "matters": open_matters(timezone.now())}
    if conference is not None:
        context |= {
            "conferences": Conference.objects.exclude(pk=conference.pk).only("name", "slug"),
            "places": figures.places(conference),
            "bar": figures.BAR,
            "gifts": figures.gifts(conference),
            "bulletin": figures.bulletin(conference),
            "entries": counts(conference),
        }
    return show(request, "home", context)

"""What every page may name: the organisation in its header and footer."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from conference.models import Organisation


def site(request: HttpRequest) -> dict[str, Any]:
    """`organisation`, read from the database by the first page part that names it."""
    return {
        "organisation": SimpleLazyObject(lambda: Organisation.objects.order_by("pk").first()),
        "is_trial": settings.TRIAL,
        "keeps_mail": settings.MAIL_IS_KEPT_LOCALLY,
    }

"""Context processor: what every template can use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from conference.models import Organisation


def site(request: HttpRequest) -> dict[str, Any]:
    """The organisation, read only if a template uses it, and what kind of site this is."""
    return {
        "organisation": SimpleLazyObject(lambda: Organisation.objects.order_by("pk").first()),
        "is_trial": settings.TRIAL,
        "keeps_mail": settings.MAIL_IS_KEPT_LOCALLY,
    }

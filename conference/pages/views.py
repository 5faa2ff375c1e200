"""Home, privacy, accessibility, security.txt, and the uploaded files that pages show."""

from datetime import UTC, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from conference import retention
from conference.models import Conference, Organisation
from signup import wording
from signup.forms import SignUpForm
from signup.models import Consent, Edition


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who we are, the conference, the latest Bulletin."""
    now = timezone.now()
    conference = Conference.objects.current(now)
    organisation = (
        conference.organisation if conference else Organisation.objects.order_by("pk").first()
    )
    return render(
        request,
        "conference/home.html",
        {
            "organisation": organisation,
            "conference": conference,
            "edition": Edition.objects.published(now).defer("body", "body_html").first(),
            "signup_form": SignUpForm(source=Consent.Source.HOME_PAGE),
        },
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Which personal data we keep, why, and for how long."""
    context = {"table": retention.TABLE, "privacy_version": wording.PRIVACY_VERSION}
    return render(request, "conference/privacy.html", context)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """How accessible the site is, how that is tested, and where to report problems."""
    conference = Conference.objects.current(timezone.now())
    return render(request, "conference/accessibility.html", {"conference": conference})


@cache_control(public=True, max_age=24 * 60 * 60)
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell of vulnerabilities (RFC 9116): SECURITY_CONTACT, or else the organisation."""
    contact = settings.SECURITY_CONTACT
    if not contact:
        organisation = Organisation.objects.order_by("pk").first()
        if organisation is None:
            raise Http404
        contact = f"mailto:{organisation.email}"
    # The standard wants a date less than a year ahead. It changes once a day, as do the caches.
    expires = timezone.now().astimezone(UTC).date() + timedelta(days=364)
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires}T00:00:00Z",
        "Preferred-Languages: en",
        f"Canonical: {settings.BASE_URL}{reverse('conference:security_txt')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponse:
    """An uploaded picture or PDF, if a conference or a published edition shows it."""
    # PostgreSQL rejects text with a zero byte.
    is_shown = "\0" not in path and (
        Conference.objects.filter(picture=path).exists()
        or Edition.objects.published(timezone.now()).filter(pdf=path).exists()
    )
    if not is_shown or not default_storage.exists(path):
        raise Http404
    response = FileResponse(default_storage.open(path))
    # File names are random and never reused, so the file behind one never changes.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response

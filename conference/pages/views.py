"""Home, privacy, accessibility, and the uploaded files that pages show."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
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

"""The site's own pages: the first one, privacy, accessibility, log-in, and the trial's outbox."""

import unicodedata
import uuid
from datetime import timedelta
from functools import partial
from typing import cast

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from conference import kept_pages
from conference.errors import TooOften
from conference.limits import Limit, are_allowed, are_spent, network_of
from conference.log_in import LogInForm
from conference.models import Conference, Mail, MailAttachment, Organisation, User
from signup import wording
from signup.forms import SignUpForm
from signup.models import Consent, Edition

# Log-ins that may fail in a quarter of an hour: with one address from one network, of a whole
# network, and with one address wherever they come from. The last is large, since whoever tries
# wrong passwords keeps the right person out by it.
FAILED_HERE = 10
FAILED_OF_A_NETWORK = 50
FAILED_OF_AN_ADDRESS = 100


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who we are, the conference, the latest Bulletin."""
    now = timezone.now()
    conference = Conference.objects.current(now)
    organisation = (
        conference.organisation if conference else Organisation.objects.order_by("pk").first()
    )
    return kept_pages.render(
        request,
        "conference/home.html",
        {
            "organisation": organisation,
            "conference": conference,
            "edition": Edition.objects.published(now).defer("body", "body_html").first(),
            "signup_form": partial(
                SignUpForm, source=Consent.Source.HOME_PAGE, made=kept_pages.hole("made")
            ),
        },
        fill={"made": SignUpForm.made_now()},
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What we keep of people, why, and for how long."""
    return render(request, "conference/privacy.html", {"privacy_version": wording.PRIVACY_VERSION})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """How accessible the site is, how that is tested, and whom to tell."""
    conference = Conference.objects.current(timezone.now())
    return render(request, "conference/accessibility.html", {"conference": conference})


class Login(LoginView):
    """Log-in for organisers and door volunteers. What fails is counted, what succeeds is not."""

    redirect_authenticated_user = True
    authentication_form = LogInForm

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if are_spent(self._limits(), now=timezone.now()):
            raise TooOften
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        are_allowed(self._limits(), now=timezone.now())
        return super().form_invalid(form)

    def _limits(self) -> list[Limit]:
        quarter = timedelta(minutes=15)
        network = network_of(self.request)
        # As the form reads it: letters in another form of Unicode are the same address.
        typed = unicodedata.normalize("NFKC", self.request.POST.get("username", ""))
        address = typed.strip().lower()
        return [
            Limit("login here", f"{network} {address}", FAILED_HERE, quarter),
            Limit("login", network, FAILED_OF_A_NETWORK, quarter),
            Limit("login as", address, FAILED_OF_AN_ADDRESS, quarter),
        ]


@login_required
@require_safe
def after_login(request: HttpRequest) -> HttpResponse:
    """Organisers go to their desk, volunteers to the door."""
    user = cast(User, request.user)
    if user.is_organiser:
        return redirect("desk:home")
    if user.is_at_door:
        return redirect("door:gates")
    raise PermissionDenied


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponse:
    """Pictures and Bulletins: of what is kept, what a conference or a published edition shows."""
    # PostgreSQL knows no text with a zero byte.
    is_shown = "\0" not in path and (
        Conference.objects.filter(picture=path).exists()
        or Edition.objects.published(timezone.now()).filter(pdf=path).exists()
    )
    if not is_shown or not default_storage.exists(path):
        raise Http404
    response = FileResponse(default_storage.open(path))
    # Names are never used twice.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


@require_safe
@csp_update({"frame-src": ["'self'"]})
def outbox(request: HttpRequest) -> HttpResponse:
    """The mails of a trial site, newest first."""
    _only_in_a_trial()
    page = Paginator(Mail.objects.order_by("-created_at"), 50).get_page(request.GET.get("page"))
    return render(request, "conference/outbox.html", {"mails": page.object_list, "page": page})


@require_safe
@csp_update({"frame-src": ["'self'"]})
def outbox_mail(request: HttpRequest, mail_id: uuid.UUID) -> HttpResponse:
    """One mail as text, as a page, and its attachments."""
    _only_in_a_trial()
    mail = get_object_or_404(Mail, pk=mail_id)
    attachments = mail.attachments.defer("content")
    return render(
        request, "conference/outbox_mail.html", {"mail": mail, "attachments": attachments}
    )


@require_safe
@xframe_options_sameorigin
@csp_replace(
    {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "frame-ancestors": ["'self'"],
    }
)
def outbox_html(request: HttpRequest, mail_id: uuid.UUID) -> HttpResponse:
    """The mail's HTML alone, for the frame; mails have their styles inline."""
    _only_in_a_trial()
    html = get_object_or_404(Mail, pk=mail_id).html
    return HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))


@require_safe
def outbox_attachment(request: HttpRequest, attachment_pk: int) -> HttpResponse:
    """A file that goes with a mail."""
    _only_in_a_trial()
    file = get_object_or_404(MailAttachment, pk=attachment_pk)
    response = HttpResponse(bytes(file.content), content_type=file.mime_type)
    response["Content-Disposition"] = f'inline; filename="{file.name}"'
    return response


def _only_in_a_trial() -> None:
    if not settings.MAIL_IS_KEPT_LOCALLY:
        raise Http404

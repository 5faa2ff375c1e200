"""The trial's outbox: mails that were kept instead of sent."""

import uuid

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from conference.models import Mail, MailAttachment


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
    """One mail as text and as HTML, with its attachments."""
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
    """A file attached to a mail."""
    _only_in_a_trial()
    file = get_object_or_404(MailAttachment, pk=attachment_pk)
    response = HttpResponse(bytes(file.content), content_type=file.mime_type)
    response["Content-Disposition"] = f'inline; filename="{file.name}"'
    return response


def _only_in_a_trial() -> None:
    if not settings.MAIL_IS_KEPT_LOCALLY:
        raise Http404

"""The mails by state (waiting, sent, failed and why), and another try for failed ones."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from conference import mail
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import order_references, rows_page, show
from conference.models import Mail

# At most so many by one press of the button; the next press takes the others.
_RETRIED_AT_ONCE = 500


@desk_page
@require_safe
def mails(request: DeskRequest) -> HttpResponse:
    """The mails of one state, failed ones unless another is asked for; newest first."""
    status = request.GET.get("status", Mail.Status.FAILED)
    if status not in Mail.Status.values:
        status = Mail.Status.FAILED
    rows = Mail.objects.filter(status=status).order_by("-created_at")
    page = rows_page(request, rows.defer("text", "html", "headers"))
    context = {
        "page": page,
        "rows": page.object_list,
        "status": status,
        "choices": Mail.Status.choices,
        "order_references": order_references([row.about for row in page.object_list]),
    }
    return show(request, "mails", context)


@desk_page
@require_POST
def retry(request: DeskRequest, mail_id: uuid.UUID) -> HttpResponse:
    """Try one failed mail again."""
    failed = get_object_or_404(Mail.objects.defer("text", "html"), pk=mail_id)
    try:
        mail.retry(failed, by=request.user, now=timezone.now())
    except mail.NotFailed:
        messages.warning(request, _("This mail has not failed, or is being tried again already."))
    else:
        messages.success(request, _("The mail is being tried again."))
    return redirect("desk:mails")


@desk_page
@require_POST
def retry_all(request: DeskRequest) -> HttpResponse:
    """Try all failed mails again."""
    failed = Mail.objects.filter(status=Mail.Status.FAILED).defer("text", "html")
    now = timezone.now()
    count = 0
    for one in failed.order_by("created_at")[:_RETRIED_AT_ONCE]:
        try:
            mail.retry(one, by=request.user, now=now)
        except mail.NotFailed:
            continue  # somebody else has just done it
        count += 1
    messages.success(
        request,
        ngettext(
            "%(count)d mail is being tried again.", "%(count)d mails are being tried again.", count
        )
        % {"count": count},
    )
    return redirect("desk:mails")

"""What the configuration pages (Django's admin) have in common: access and the audit log.

Only settings are edited there. Orders are changed at the desk, through actions.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.constants import DEFAULT_TAGS
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.audit import record
from conference.pages import idle

View = Callable[..., HttpResponseBase]


class ConfigurationSite(admin.AdminSite):
    """Django's admin for those who may change the settings (User.is_staff), with our own log-in."""

    site_header = _("Settings")
    site_title = _("Settings")
    index_title = _("What can be set")
    site_url = reverse_lazy("desk:home")  # type: ignore[assignment]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """A page that is open to those who may change the settings, until they leave it idle."""
        opened = super().admin_view(view, cacheable)

        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return opened(request, *args, **kwargs)  # asks to log in
            if not self.has_permission(request):
                raise PermissionDenied
            again = idle.asked_again(request, now=timezone.now())
            return again or opened(request, *args, **kwargs)

        return page

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own password is changed on the site's page, as a volunteer's is."""
        return redirect("conference:password")

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the site's log-in."""
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(wanted, resolve_url(settings.LOGIN_URL))


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A settings page; every change goes into our audit log as well as Django's own."""

    # No bulk deletion: only a row's own page says what prevents its deletion.
    actions = None
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def message_user(
        self,
        request: HttpRequest,
        message: Any,
        level: Any = messages.INFO,
        extra_tags: str = "",
        fail_silently: bool = False,
    ) -> None:
        # MESSAGE_TAGS are our style sheet's names for the levels; the admin's needs Django's too.
        tags = f"{extra_tags} {DEFAULT_TAGS.get(level, '')}".strip()
        super().message_user(request, message, level, tags, fail_silently)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        # Django allows the names of some relations too, and then fails over them.
        return to_field == self.opts.pk.name

    def audit_name(self, row: models.Model) -> str:
        """The row's name in the audit log; never an e-mail address."""
        return str(row)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        self._record("setting added", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        self._record("setting changed", request, obj, changed=_changes(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            self._record("setting removed", request, row)
        return super().log_deletions(request, queryset)

    def _record(
        self, verb: str, request: HttpRequest, row: models.Model, **detail: list[str]
    ) -> None:
        subject = f"{row._meta.verbose_name}: {self.audit_name(row)}"[:100]
        record(verb, subject, by=request.user, now=timezone.now(), **detail)  # type: ignore[arg-type]


def _changes(message: Any) -> list[str]:
    """The changes in Django's change message: names of fields and inline rows, never values."""
    if isinstance(message, str):
        return [message]
    told = []
    for part in message:
        for what, about in part.items():
            row = f"{about['name']} {about['object']}" if "name" in about else ""
            fields = ", ".join(str(field) for field in about.get("fields", ()))
            told.append(" ".join(word for word in (what, row, fields) if word))
    return told

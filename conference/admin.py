"""Django's admin: the organisation, conferences, the Bulletin's editions and user accounts."""

from typing import Any

import django_tasks_db.admin  # noqa: F401 (registers its page, which is removed below)
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks_db.models import DBTaskResult

from conference import mails
from conference.desk.figures import Places, places
from conference.models import Conference, Organisation, User
from conference.pages.configuration import AuditedAdmin
from conference.pages.configuration_forms import (
    ConferenceForm,
    NewUserForm,
    OthersPasswordForm,
    UserForm,
)
from signup.models import Edition
from tickets.models import Gate, TicketType

# Roles replace groups, and the task queue is not a setting.
admin.site.unregister(Group)
admin.site.unregister(DBTaskResult)


@admin.register(Organisation)
class OrganisationAdmin(AuditedAdmin):
    """The organisation, of which there is one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Organisation.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _KeepsWhatIsUsed(BaseInlineFormSet):  # type: ignore[type-arg]
    """Inline rows that cannot be deleted while they are in use.

    Django would refuse too, but list every object in the way: perhaps thousands of tickets.
    """

    used_by: str
    refusal: Any

    def clean(self) -> None:
        for form in self.forms:
            if not (self.can_delete and self._should_delete_form(form)):  # type: ignore[attr-defined]
                continue
            if form.instance.pk and getattr(form.instance, self.used_by).exists():
                raise ValidationError(self.refusal, params={"name": form.instance})
        super().clean()


class _TypeFormSet(_KeepsWhatIsUsed):
    used_by = "tickets"
    refusal = gettext_lazy(
        "'%(name)s' stays: tickets of this kind have been reserved. To offer no more of them, "
        "set its places to 0."
    )


class _GateFormSet(_KeepsWhatIsUsed):
    used_by = "scans"
    refusal = gettext_lazy("'%(name)s' stays: tickets have been scanned there.")


class TicketTypeInline(admin.TabularInline):  # type: ignore[type-arg]
    """The ticket types of a conference."""

    model = TicketType
    formset = _TypeFormSet
    extra = 1  # so that a row can be added without JavaScript
    fields = ("name", "description", "capacity", "is_online", "is_private", "position")


class GateInline(admin.TabularInline):  # type: ignore[type-arg]
    """The gates of a conference."""

    model = Gate
    formset = _GateFormSet
    extra = 1  # so that a row can be added without JavaScript
    fields = ("name", "slug", "position")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Conference)
class ConferenceAdmin(AuditedAdmin):
    """One year's conference with its ticket types and gates."""

    form = ConferenceForm
    inlines = (TicketTypeInline, GateInline)
    prepopulated_fields = {"slug": ("name",)}
    list_display = ("name", "slug", "starts_at", "is_published")
    fieldsets = (
        (None, {"fields": ("organisation", "name", "slug", "tagline", "is_published")}),
        (
            gettext_lazy("When and where"),
            {
                "fields": (
                    *("starts_at", "ends_at", "timezone", "venue", "address", "map_url"),
                    "access_information",
                ),
                "description": gettext_lazy("Times are those of London, whatever the time zone."),
            },
        ),
        (gettext_lazy("Reservations"), {"fields": ("opens_at", "closes_at", "capacity")}),
        (gettext_lazy("Donations"), {"fields": ("gift_presets", "gift_explanation")}),
        (gettext_lazy("On its page"), {"fields": ("programme", "picture", "picture_alt")}),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the ticket types and gates; warn where more places are taken than there are now."""
        super().save_related(request, form, formsets, change)
        for row in places(form.instance):
            taken = row.taken + row.kept
            if row.capacity is not None and taken > row.capacity:
                self.message_user(request, _too_few(row, taken), messages.WARNING)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete a conference, unless it has orders or donations."""
        conference = self.get_object(request, object_id)
        if conference is not None and (conference.orders.exists() or conference.donations.exists()):
            self.message_user(
                request,
                _(
                    "This conference stays: people have reserved or given. Take 'published' away "
                    "to hide it."
                ),
                messages.ERROR,
            )
            return redirect("admin:conference_conference_change", object_id)
        return super().delete_view(request, object_id, extra_context)


def _too_few(row: Places, taken: int) -> str:
    return _(
        "%(name)s: %(taken)d places are taken or kept, more than the %(capacity)d there are. "
        "Nobody loses a place; no more are given away until enough are free."
    ) % {"name": row.name, "taken": taken, "capacity": row.capacity}


@admin.register(Edition)
class EditionAdmin(AuditedAdmin):
    """One number of the Bulletin, as text, as PDF, or both."""

    list_display = ("number", "title", "published_on")
    fields = ("number", "title", "published_on", "summary", "body", "pdf")


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """User accounts: volunteers, who may scan, and organisers, some of whom may use these pages."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = OthersPasswordForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "role", "may_configure", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ()
    filter_horizontal = ()
    _who = ("email", "first_name", "last_name", "role", "may_configure")
    fieldsets = ((None, {"fields": (*_who, "is_active", "password")}),)
    add_fieldsets = ((None, {"fields": (*_who, "password1", "password2")}),)

    def audit_name(self, row: Any) -> str:
        # The desk shows the name beside it, as long as there is the account.
        return str(row.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The audit log refers to users. Somebody who has left is deactivated instead.
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers alone may change a superuser's account, or others might take it over."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or not obj.is_superuser or request.user.is_superuser)  # type: ignore[union-attr]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save a user. Nobody takes their own rights away, so somebody who has them is left."""
        may = User.objects.filter(role=User.Role.ORGANISER, may_configure=True, is_active=True)
        may = may.select_for_update().order_by("pk")
        # Two people may take each other's right away at once. Locking makes one wait for the other,
        # and find the right gone.
        if request.user.pk not in list(may.values_list("pk", flat=True)):
            raise PermissionDenied
        if obj.pk == request.user.pk:
            obj.role, obj.may_configure, obj.is_active = User.Role.ORGANISER, True, True
            if {"role", "may_configure", "is_active"} & set(form.changed_data):
                self.message_user(
                    request,
                    _(
                        "You cannot remove your own access to the settings. Ask another organiser "
                        "to do it."
                    ),
                    messages.WARNING,
                )
        obj.may_configure = obj.may_configure and obj.role == User.Role.ORGANISER
        obj.closed_at = None if obj.is_active else obj.closed_at or timezone.now()
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            # A new address leads to a new password, so its owner hears of it.
            mails.address_changed(user=obj, old=form.initial["email"], now=timezone.now())

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Give somebody a new password. One's own is changed where the old one is asked for."""
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("conference:password")
        return super().user_change_password(request, id, form_url)

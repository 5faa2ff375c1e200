"""Ticket types and gates, set up on their conference's page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from tickets.models import Gate, TicketType


class _KeepsWhatIsUsed(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows that can be removed only while nothing needs them.

    Django would find that out too, and list whatever is in the way: perhaps thousands of tickets.
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
    refusal = _(
        "'%(name)s' stays: tickets of this kind have been reserved. To offer no more of them, "
        "set its places to 0."
    )


class _GateFormSet(_KeepsWhatIsUsed):
    used_by = "scans"
    refusal = _("'%(name)s' stays: tickets have been scanned there.")


class TicketTypeInline(admin.TabularInline):  # type: ignore[type-arg]
    """The kinds of tickets of a conference."""

    model = TicketType
    formset = _TypeFormSet
    extra = 1  # one can be added without scripts
    fields = ("name", "description", "capacity", "is_online", "position")


class GateInline(admin.TabularInline):  # type: ignore[type-arg]
    """The doors of a conference."""

    model = Gate
    formset = _GateFormSet
    extra = 1  # one can be added without scripts
    fields = ("name", "slug", "position")
    prepopulated_fields = {"slug": ("name",)}

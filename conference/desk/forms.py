"""What organisers type at the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conference.desk.words import STATES
from conference.models import Conference
from tickets.models import Order, Ticket


class _SearchForm(forms.Form):
    hides_optional = True  # nothing in a search is required

    words = forms.CharField(
        label=_("Name, e-mail or code"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto", "spellcheck": "false"}),
    )

    def to_remember(self) -> dict[str, str]:
        """What was filled in, as texts for `search.remember`; empty fields are left out."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value}


class OrderSearchForm(_SearchForm):
    """Which orders to list."""

    status = forms.ChoiceField(
        label=_("State"), choices=[("", _("All")), *Order.Status.choices], required=False
    )


class AttendeeSearchForm(_SearchForm):
    """Which attendees to list."""

    status = forms.ChoiceField(
        label=_("State"),
        choices=[
            ("", _("With a place")),
            *((value, STATES.get(value, label)) for value, label in Ticket.Status.choices),
            ("any", _("All, the cancelled too")),
        ],
        required=False,
    )
    ticket_type = forms.TypedChoiceField(
        label=_("Kind of ticket"), coerce=int, empty_value=None, required=False
    )
    entry = forms.ChoiceField(
        label=_("Checked in"),
        choices=[("", _("All")), ("in", _("Checked in")), ("not in", _("Not checked in"))],
        required=False,
    )

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = conference.ticket_types.all()
        types = [(str(kind.pk), kind.name) for kind in kinds]
        # Whether the export has to ask about them.
        self.has_private_kinds = any(kind.is_private for kind in kinds)
        self.fields["ticket_type"].choices = [("", _("All")), *types]  # type: ignore[attr-defined]

"""The reservation form and the small forms of the order's page. They have no side effects."""

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from conference.fields import AddressField, NameField, PoundsField
from conference.models import Conference
from conference.money import format_pounds
from donations.models import LARGE_GIFT_PENCE, LEAST_GIFT_PENCE
from signup import wording
from tickets.actions import Place, PlacesLeft
from tickets.models import MOST_PLACES, TicketType

# £100,000. A larger donation is better arranged in person.
MOST_GIFT_ONLINE_PENCE = 10_000_000

OTHER = "other"
NONE = "none"


class GiftForm(forms.Form):
    """How much is given: a suggested amount, another one, or nothing. Nothing is preselected."""

    # '(optional)' would mislead: neither field is required, but one of them is.
    hides_optional = True

    gift = forms.ChoiceField(
        label=gettext_lazy("Your donation"),
        widget=forms.RadioSelect,
        required=False,
    )
    other_amount = PoundsField(
        label=gettext_lazy("Another amount, in pounds"),
        least_pence=LEAST_GIFT_PENCE,
        most_pence=MOST_GIFT_ONLINE_PENCE,
        required=False,
    )

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gift"].choices = [  # type: ignore[attr-defined]
            *((str(pence), format_pounds(pence)) for pence in conference.gift_presets),
            (OTHER, _("Another amount")),
            (NONE, _("No donation this time. You are just as welcome.")),
        ]
        self.fields["gift"].error_messages["invalid_choice"] = _(
            "Choose one of the amounts, or No donation this time."
        )

    def clean_gift(self) -> str:
        """The choice; an amount that was typed without a choice counts as 'another amount'."""
        gift: str = self.cleaned_data["gift"]
        typed = self.data.get(self.add_prefix("other_amount"), "").strip()
        if not gift and typed:
            return OTHER
        if not gift:
            raise ValidationError(_("Choose an amount, or No donation this time."))
        return gift

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("gift") != OTHER:
            # The amount is not used, so errors in it do not matter.
            self.errors.pop("other_amount", None)
        elif data.get("other_amount") is None and "other_amount" not in self.errors:
            self.add_error(
                "other_amount", _("Enter an amount of £1 or more, or choose No donation.")
            )
        self._ask_about_a_large_gift()
        return data

    def _ask_about_a_large_gift(self) -> None:
        if self.gift_pence <= LARGE_GIFT_PENCE:
            return
        amount = format_pounds(self.gift_pence)
        # The tick confirms this sum only; a changed amount has to be confirmed again.
        is_sure = self.data.get(self.add_prefix("confirm_large")) == str(self.gift_pence)
        self.fields["confirm_large"] = forms.BooleanField(
            label=_("Yes, I want to give %(amount)s") % {"amount": amount},
            required=False,
            widget=forms.CheckboxInput(
                attrs={"value": self.gift_pence}, check_test=lambda _value: is_sure
            ),
        )
        if not is_sure:
            self.add_error(
                "confirm_large",
                _("%(amount)s is a large donation. Tick the box if it is right.")
                % {"amount": amount},
            )

    @property
    def gift_pence(self) -> int:
        """What is given, in pence; 0 for nothing. Only after validation."""
        gift = self.cleaned_data.get("gift") or NONE
        if gift == OTHER:
            return self.cleaned_data.get("other_amount") or 0
        return 0 if gift == NONE else int(gift)


class SubmissionField(forms.UUIDField):
    """The number of one filled-in form, by which it makes one order however often it is sent.

    A form without a valid one still works, but a second click makes a second order.
    """

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> uuid.UUID:
        try:
            return super().to_python(value) or uuid.uuid4()
        except ValidationError:
            return uuid.uuid4()


class OrderForm(GiftForm):
    """Who reserves, what is given, and whether the Bulletin is wanted."""

    submission = SubmissionField(required=False)
    name = NameField(
        label=gettext_lazy("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Enter your name.")},
    )
    email = AddressField(
        label=gettext_lazy("Your e-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter your e-mail address.")},
    )
    bulletin = forms.BooleanField(required=False)

    # The order of the page, so that the error summary has it too.
    field_order = ("submission", "name", "email", "gift", "other_amount", "bulletin")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bulletin"].label = wording.box_wording()


class KindField(forms.TypedChoiceField):
    """A ticket type's primary key. Without choices any number is valid."""

    def valid_value(self, value: Any) -> bool:
        if self.choices:
            return super().valid_value(value)
        return re.fullmatch("[0-9]{1,18}", str(value)) is not None


class AttendeeForm(forms.Form):
    """One person who is coming. The formset sets the choices of ticket type."""

    attendee_name = NameField(
        label=gettext_lazy("Name"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter the name of this person.")},
    )
    ticket_type = KindField(
        label=gettext_lazy("Kind of ticket"),
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose a kind of ticket."),
            "invalid_choice": gettext_lazy("Choose a kind of ticket that is still to be had."),
        },
    )
    attendee_email = AddressField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("If you give it, we send this ticket there too."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["empty_permitted"] = False  # an empty row is an error, not to be ignored
        super().__init__(*args, **kwargs)


class BaseAttendees(forms.BaseFormSet[AttendeeForm]):
    """One to ten people, with error messages for none and for too many."""

    default_error_messages = {
        "missing_management_form": gettext_lazy(
            "Something got lost on the way. Check the people below and send the form again."
        ),
        "too_few_forms": gettext_lazy("Reserve at least one place."),
        "too_many_forms": gettext_lazy(
            "One order has up to ten places. Remove somebody here, and use the form twice."
        ),
    }

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        self._sent_count = None if data is None else _count_in(data)
        if data is not None and (self._sent_count is None or self._sent_count < 1):
            # Show the rows that were typed; `clean` reports the wrong number.
            rows = {"form-TOTAL_FORMS": len(rows_as_typed(data)), "form-INITIAL_FORMS": 0}
            data = {**data.dict(), **rows}
        super().__init__(data, **kwargs)

    def clean(self) -> None:
        """Raise ValidationError if the number of people is missing or zero."""
        if not self.is_bound or (self._sent_count is not None and self._sent_count > 0):
            return
        what = "missing_management_form" if self._sent_count is None else "too_few_forms"
        raise ValidationError(self.error_messages[what])

    def offer(self, kinds: Sequence[tuple[str, str]]) -> bool:
        """Set the choices of ticket type; return False if somebody chose one that is not there.

        Their row gets an error, unless there is nothing left to choose. Call it to show the forms.
        Until then any ticket type is valid, because `actions.reserve` checks it under the lock.
        """
        choices = {value for value, _label in kinds if value}
        are_all_there = True
        for row in self.forms:
            field: Any = row.fields["ticket_type"]
            field.choices = kinds
            if not choices:
                row.errors.pop("ticket_type", None)  # there is nothing to choose
            chosen = str(row["ticket_type"].value() or "") if row.is_bound else ""
            if chosen and chosen not in choices:
                are_all_there = False
                if choices and not row.has_error("ticket_type"):
                    row.add_error("ticket_type", field.error_messages["invalid_choice"])
        return are_all_there

    def places(self) -> list[Place]:
        """The places that are asked for. Only after validation."""
        return [
            Place(
                ticket_type_pk=row.cleaned_data["ticket_type"],
                attendee_name=row.cleaned_data["attendee_name"],
                attendee_email=row.cleaned_data["attendee_email"],
            )
            for row in self.forms
        ]


AttendeeFormSet = forms.formset_factory(
    AttendeeForm,
    formset=BaseAttendees,
    extra=0,
    min_num=1,
    max_num=MOST_PLACES,
    validate_min=True,
    validate_max=True,
    absolute_max=2 * MOST_PLACES,
)


def kinds_on_offer(types: Sequence[TicketType], left: PlacesLeft) -> list[tuple[str, str]]:
    """The ticket types that are left, as choices for BaseAttendees.offer."""
    there = [kind for kind in types if left.by_type[kind.pk]]
    kinds = [(str(kind.pk), f"{kind.name} ({_places(left.by_type[kind.pk])})") for kind in there]
    return kinds if len(there) == 1 else [("", _("Please choose")), *kinds]


class NameForm(forms.Form):
    """A corrected name, and an address to which this person's ticket is mailed too."""

    attendee_name = NameField(
        label=gettext_lazy("Name on the ticket"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        error_messages={"required": gettext_lazy("Enter the name for this ticket.")},
    )
    attendee_email = AddressField(
        label=gettext_lazy("E-mail of this person, if their ticket goes there too"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        required=False,
    )


class EmailForm(forms.Form):
    """The address under which somebody reserved."""

    email = AddressField(
        label=gettext_lazy("Your e-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter your e-mail address.")},
    )


def rows_as_typed(data: Any) -> list[dict[str, str]]:
    """The unvalidated input of each person's row, for showing the form with a row more or less.

    At least one row and at most twice MOST_PLACES, whatever `data` claims. If it does not give the
    number of rows, they are counted.
    """
    total = _count_in(data) or 0
    if total < 1:
        found = [re.fullmatch(r"form-([0-9]{1,2})-\w+", name) for name in data]
        total = max((int(match[1]) + 1 for match in found if match), default=1)
    names: Iterable[str] = AttendeeForm.base_fields
    return [
        {name: data.get(f"form-{number}-{name}", "") for name in names}
        for number in range(min(total, 2 * MOST_PLACES))
    ]


def _count_in(data: Any) -> int | None:
    """The number of people that a submitted form states; None if it is missing or malformed."""
    sent = str(data.get("form-TOTAL_FORMS", ""))
    return int(sent) if re.fullmatch("-?[0-9]{1,6}", sent) else None


def _places(count: int) -> str:
    if count > MOST_PLACES:
        return _("places left")
    return ngettext("%(count)d place left", "%(count)d places left", count) % {"count": count}

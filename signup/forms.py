"""The Bulletin's sign-up form."""

import secrets
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.fields import AddressField, NameField
from signup import wording
from signup.models import Consent

_SALT = "signup.form"
# A form that is sent sooner or later than this after it was shown has to be sent again.
SOONEST = timedelta(seconds=1)
LATEST = timedelta(days=2)


class SignUpForm(forms.Form):
    """An e-mail address, and optionally a name.

    Two traps for bots: `left_blank`, which people do not see, and the signed time at which the form
    was made. A person who falls into one, perhaps because the browser filled in a field by itself,
    is asked to send the form once more.
    """

    email = AddressField(
        label=gettext_lazy("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter your e-mail address.")},
    )
    first_name = NameField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "With a name we can greet you, and our mail is less likely to be treated as spam."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = NameField(
        label=gettext_lazy("Last name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    # Browsers fill in hidden fields with a name that they know, such as 'website'.
    left_blank = forms.CharField(
        label=gettext_lazy("Leave this empty"),
        required=False,
        template_name="signup/trap.html",
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    source = forms.ChoiceField(
        choices=[(s, s) for s in (Consent.Source.HOME_PAGE, Consent.Source.BULLETIN_PAGE)],
        widget=forms.HiddenInput,
        required=False,
    )

    def __init__(self, *args: Any, source: Consent.Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["source"] = source
        self._is_used_up = False

    @property
    def made(self) -> str:
        """When the form was made, signed: what was sent, unless it cannot be sent again."""
        sent = str(self.data.get("made", ""))
        if _is_signed_within(LATEST, sent) and not self._is_used_up:
            return sent
        # Random, because two forms that are made in one second are two.
        return signing.dumps(secrets.token_hex(8), salt=_SALT)

    @property
    def agreement(self) -> str:
        """What people agree to by sending the form."""
        return wording.form_wording()

    @property
    def sender(self) -> str:
        """The address that the Bulletin comes from."""
        return parseaddr(settings.BULLETIN_FROM)[1]

    def refuse_as_used_up(self) -> None:
        """Ask to send the form, which was sent many times, once more as a new one."""
        self._is_used_up = True
        self.add_error(None, _("This form was used several times. Please send it again."))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("left_blank"):
            # Not shown again with its text, so that whoever sends the form again gets through.
            self.data = self.data.copy()
            self.data["left_blank"] = ""
            raise ValidationError(
                _("Your browser filled in a field that must stay empty. Please send it again.")
            )
        sent = self.data.get("made", "")
        if not _is_signed_within(LATEST, sent):
            raise ValidationError(_("This form was open for a long time. Please send it again."))
        if _is_signed_within(SOONEST, sent):
            raise ValidationError(_("That was very quick. Please send the form again."))
        return data


def _is_signed_within(time: timedelta, made: str) -> bool:
    """Whether `made` was signed by us, and no longer ago than `time`."""
    try:
        signing.loads(made, salt=_SALT, max_age=time)
    except signing.BadSignature:
        return False
    return True

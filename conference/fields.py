"""Form fields for what people type about themselves: names, addresses, sums of money."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from email_validator import EmailNotValidError, validate_email

from conference import money
from conference.spelling import LONGEST, normal

LONGEST_NAME = 200

LONGEST_ADDRESS = 254

# What may stand before the @ by the rules, but makes an address look like one of the web. It is
# mailed to people whose address somebody else gives.
_NOT_BEFORE_THE_AT = frozenset("/?#%&=:\\")
# More digits than conference/money.py accepts: an amount, but too large.
_MANY_DIGITS = re.compile(r"£? ?[0-9][0-9,]{9,}(\.[0-9]{1,2})?")
# Anybody can have names mailed to any address, so a name must not hold what a mail program turns
# into a link: a scheme, slashes, 'www.', a number such as 192.0.2.1, or two words with a full stop
# and no space between. There is no end of top-level domains, so no list of them. 'J.Li' is a name,
# unless it goes on like an address.
_WEB_ADDRESS = re.compile(
    r"//|\\\\|\bwww\.|\bxn--|\b(?:https?|ftp|mailto|tel|sms|sips?|skype|data|javascript):"
    r"|[^\W_]{2}\.[^\W\d_]{2}|[^\W_]\.[^\W_]{2,}\s?[/\\:?#]|\d\.\d+\.\d+\.\d"
)
# Nor a telephone number: no name has more digits than a year.
MOST_DIGITS = 4
# Characters that change the direction of the text around them, and those that are no characters.
_NOT_IN_A_NAME = re.compile("[\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")


class NameField(forms.CharField):
    """A person's name in any script: one line, no control characters, 200 characters at most."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_NAME)
        messages = {
            "max_length": gettext_lazy(
                "Shorten the name to %(limit_value)d characters. It has %(show_value)d."
            )
        }
        kwargs["error_messages"] = messages | kwargs.get("error_messages", {})
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """The name in NFC, with single spaces, no control characters; '' if nothing is visible."""
        typed = str(value or "")
        if len(typed) > LONGEST:
            return typed  # as it is: it is refused for its length
        text = _NOT_IN_A_NAME.sub("", normal("NFC", typed))
        text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
        is_visible = any(unicodedata.category(c)[0] in "LMNPS" for c in text)
        return " ".join(text.split()) if is_visible else ""

    def validate(self, value: str) -> None:
        super().validate(value)
        read = _as_read(value)
        if sum(sign.isdigit() for sign in read) > MOST_DIGITS:
            raise ValidationError(_("Enter a name without a telephone number."))
        if not _WEB_ADDRESS.search(read):
            return
        if "@" in value:
            raise ValidationError(_("Enter a name here, not an e-mail address."))
        raise ValidationError(
            _(
                "This looks like a web address. Enter a name, with a space after each full stop: "
                "'Dr. Li', not 'Dr.Li'."
            )
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No maxlength, because browsers then truncate pasted text without a word."""
        return {}


class AddressField(forms.CharField):
    """An e-mail address, cleaned to lower case; it may have a plus sign or international domain."""

    widget = forms.EmailInput

    def __init__(self, **kwargs: Any) -> None:
        messages = {
            "max_length": gettext_lazy(
                "Enter an e-mail address of %(limit_value)d characters or fewer."
            )
        }
        kwargs["error_messages"] = messages | kwargs.get("error_messages", {})
        super().__init__(max_length=LONGEST_ADDRESS, **kwargs)

    def to_python(self, value: Any) -> str:
        """The text without invisible characters, which come along when an address is copied."""
        text = "".join(c for c in str(value or "") if unicodedata.category(c) != "Cf")
        return str(super().to_python(text))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No maxlength, because browsers then truncate pasted text without a word."""
        return {}

    def clean(self, value: Any) -> str:
        """The normalised address; for any other, the ValidationError says what to enter."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            found = validate_email(text, check_deliverability=False, allow_smtputf8=True)
        except EmailNotValidError as error:
            raise ValidationError(_advice(text, error)) from error
        if not found.ascii_local_part:
            raise ValidationError(
                _(
                    "Our mail cannot reach addresses with accents or other scripts before the @. "
                    "Enter another address."
                )
            )
        if _NOT_BEFORE_THE_AT & set(found.local_part):
            raise ValidationError(_("Enter an e-mail address like name@example.org."))
        return found.normalized.lower()


def normal_address(text: str) -> str:
    """An address as AddressField stores it; one that is none is only stripped and in lower case."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        return text.strip().lower()
    return found.normalized.lower()


class PoundsInput(forms.TextInput):
    """A text input with '£' in front."""

    template_name = "django/forms/widgets/pounds.html"


class PoundsField(forms.CharField):
    """A sum of money as people write it; cleans to pence, or None if it is empty."""

    def __init__(self, *, least_pence: int, most_pence: int, **kwargs: Any) -> None:
        self.least_pence = least_pence
        self.most_pence = most_pence
        kwargs.setdefault("widget", PoundsInput(attrs={"inputmode": "decimal"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """The pence; ValidationError says what to enter instead."""
        text = super().clean(value)
        if not text:
            return None
        try:
            pence = money.parse_pounds(text)
        except money.CommaForPoint as error:
            raise ValidationError(
                _("Write pence after a point, as in %(example)s."),
                params={"example": text.replace(",", ".").lstrip("£ ")},
            ) from error
        except money.NotAnAmount as error:
            if _MANY_DIGITS.fullmatch(text):
                raise self._too_much() from error
            raise ValidationError(
                _("Enter an amount in pounds, for instance 20 or 12.50.")
            ) from error
        if pence < self.least_pence:
            raise ValidationError(
                _("Enter an amount of %(least)s or more, or choose No donation."),
                params={"least": money.format_pounds(self.least_pence)},
            )
        if pence > self.most_pence:
            raise self._too_much()
        return pence

    def _too_much(self) -> ValidationError:
        return ValidationError(
            _("The most that can be given here is %(most)s. Please write to us."),
            params={"most": money.format_pounds(self.most_pence)},
        )


def _as_read(text: str) -> str:
    """The text as a mail program reads it: nothing invisible, plain letters and full stops."""
    visible = "".join(c for c in text[:LONGEST] if unicodedata.category(c) != "Cf")
    return normal("NFKC", visible).replace("。", ".").casefold()


def _advice(text: str, error: EmailNotValidError) -> str:
    if text.count("@") > 1:
        return _("Enter one e-mail address, like name@example.org.")
    name, _at, domain = text.partition("@")
    if name and domain and "after the @" in str(error):
        return _("Check the part after the @, as in name@example.org.")
    return _("Enter an e-mail address like name@example.org.")

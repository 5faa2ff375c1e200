"""The door's one form: an organiser's search by name."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

FEWEST_LETTERS = 3
LONGEST_SEARCH = 100
TOO_SHORT = gettext_lazy("Enter three letters or more of the name.")


class SearchForm(forms.Form):
    """Whom an organiser looks for at the door: part of a name, but not so little that all match."""

    q = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy(
            "Three letters or more, of the attendee's name or of whoever made the booking"
        ),
        max_length=LONGEST_SEARCH,
        error_messages={"required": TOO_SHORT},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocorrect": "off",
                "spellcheck": "false",
                "enterkeyhint": "search",
            }
        ),
    )

    def clean_q(self) -> str:
        words: str = self.cleaned_data["q"]
        if not _is_enough(words):
            raise ValidationError(TOO_SHORT)
        return words


def _is_enough(words: str) -> bool:
    """Whether a word has three letters, or two where each is a whole syllable (山田)."""
    return any(
        sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in word if c.isalnum())
        >= FEWEST_LETTERS
        for word in words.split()
    )

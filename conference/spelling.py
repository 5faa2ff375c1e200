"""Texts in one form of Unicode."""

import unicodedata
from typing import Literal

# Letters. Some texts take a time that grows with the square of their length: 120,000 marks above
# and below one letter take two seconds.
LONGEST = 1000


def normal(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in this form of Unicode, and no more of it than LONGEST letters.

    Everything that a stranger has typed is normalised here, so that nobody can make it take long.
    """
    return unicodedata.normalize(form, text[:LONGEST])

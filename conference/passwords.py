"""What a password may not be, and changing one."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from conference import mails
from conference.audit import record
from conference.models import Conference, Organisation, User
from conference.spelling import normal

# Letters that must be left when our words are taken away.
LETTERS_OF_ITS_OWN = 6
SHORTEST_WORD = 3
OUR_WORDS = (
    "opendialogue open dialogue dialogic conference bulletin password ticket organiser volunteer "
    "door network peer therapy psychosis mental health recovery welcome letmein qwertyuiop qwerty "
    "asdfghjkl asdf zxcvbnm zxcv spring summer autumn winter january february march april june "
    "july august september october november december"
)
FEWEST_CHARACTERS = 5  # that differ
# The letters that these are written for. Elsewhere 'l' is read as 'i', as '1' may mean either.
_WRITTEN_FOR = str.maketrans("0134578@$!|", "oieastbasii")


class NotOurWords:
    """Refuses a password that is little more than words which anybody would try on this very site.

    Those are the names of the organisation, the site and the person, and what the site is about,
    whatever digits and signs stand between, after or in place of the letters.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if `password` is made of our words."""
        signs = [sign for sign in _plain(password) if not sign.isspace()]
        read = [
            [(sign, sign) for sign in signs if sign.isalpha()],
            [(sign.translate(_WRITTEN_FOR), sign) for sign in signs],
        ]
        words = sorted(_words(user), key=len, reverse=True)
        is_monotonous = len(set(signs)) < FEWEST_CHARACTERS
        if is_monotonous or any(_is_made_of(words, pairs) for pairs in read):
            raise ValidationError(
                _(
                    "This password is made of words that are easy to guess for this site. Choose "
                    "another, for instance three or four words that have nothing to do with each "
                    "other."
                ),
                code="password_our_words",
            )

    def get_help_text(self) -> str:
        """What the form says beforehand."""
        return _(
            "It cannot be made of your name, the organisation's name or what this site is about. "
            "Three or four words that have nothing to do with each other are good."
        )


def change(*, user: User, password: str, now: datetime) -> None:
    """Give `user` the password that they have chosen, and tell them so by mail.

    Their other sessions end by it, links to choose a new password no longer work, and no device is
    known any more.
    """
    with transaction.atomic():
        _set(user, password, now)
        record("password changed", f"user: {user.pk}", by=user, now=now)


def set_by_another(*, user: User, password: str, now: datetime) -> None:
    """Give `user` a password that an organiser has chosen, and tell them so by mail.

    What ends by it is the same as with `change`. The settings record who did it.
    """
    with transaction.atomic():
        _set(user, password, now)


def _set(user: User, password: str, now: datetime) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    mails.password_changed(user=user, now=now)


def _is_made_of(words: list[str], pairs: list[tuple[str, str]]) -> bool:
    """Whether our words are in what is read, and too few letters are left beside them.

    Each pair is a letter as it is read, and the sign that is written.
    """
    read = "".join(letter for letter, _sign in pairs).replace("l", "i")
    left = [sign for _letter, sign in pairs]
    for word in words:
        for found in re.finditer(re.escape(word), read):
            left[found.start() : found.end()] = " " * len(word)
        read = read.replace(word, " " * len(word))
    return " " in left and sum(sign.isalpha() for sign in left) < LETTERS_OF_ITS_OWN


def _words(user: User | None) -> set[str]:
    """The words that anybody would try here, and several of them written as one."""
    found: set[str] = set()
    for text in _texts(user):
        parts = re.findall(r"[a-z]+", _plain(text))
        found |= {*parts, "".join(parts)}
    return {word.replace("l", "i") for word in found if len(word) >= SHORTEST_WORD}


def _texts(user: User | None) -> Iterator[str]:
    yield OUR_WORDS
    yield urlsplit(settings.BASE_URL).hostname or ""
    for organisation in Organisation.objects.all():
        yield organisation.name
        yield organisation.short_name
    for conference in Conference.objects.only("name", "tagline", "venue", "address"):
        yield from (conference.name, conference.tagline, conference.venue, conference.address)
    if user is not None:
        yield user.get_full_name()
        yield user.email


def _plain(text: str) -> str:
    """In lower case, without accents."""
    return "".join(
        sign for sign in normal("NFKD", text.lower()) if unicodedata.category(sign) != "Mn"
    )

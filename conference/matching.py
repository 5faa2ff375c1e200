"""Which rows a search by words finds: the one rule for the desk and for the door."""

from django.db.models import Q


def has_all_words(words: str, *fields: str) -> Q:
    """Each of the words is part of one of the fields, in upper or lower case.

    Accents must be typed: 'Lucja' does not find 'Łucja'. Without words every row fits.
    """
    all_words = Q()
    for word in words.split():
        somewhere = Q()
        # SQLite ignores the case of ASCII letters only: 'łucja' would not find 'Łucja'.
        for spelling in {word, word.lower(), word.upper(), word.capitalize()}:
            for field in fields:
                somewhere |= Q(**{f"{field}__icontains": spelling})
        all_words &= somewhere
    return all_words

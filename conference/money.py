"""Pence in, pounds out. The only place that turns a person's text into money and back.

Money is an integer number of pence everywhere else; floats are never used.
"""

import re
from decimal import Decimal

# What people write: 20, 20.5, 20.50, £20, 1,000 (grouped in threes), 1,000.00
_AMOUNT = re.compile(r"£? ?([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2}))?")
_COMMA_FOR_POINT = re.compile(r"£? ?[0-9]+,[0-9]{1,2}")


class NotAnAmount(ValueError):
    """The text is no sum of pounds."""


class CommaForPoint(NotAnAmount):
    """The text uses a comma where pence begin, as in 20,50: ask, do not guess."""


def parse_pounds(text: str) -> int:
    """The pence in a sum of pounds as people write it.

    Takes '20', '20.5', '20.50', '£20' and '1,000'. Raises CommaForPoint for '20,50' and
    NotAnAmount for all else: signs, exponents, NaN, hexadecimal, more than two decimals,
    more than nine digits, digits that are not ASCII.
    """
    text = text.strip()
    if _COMMA_FOR_POINT.fullmatch(text):
        raise CommaForPoint(text)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise NotAnAmount(text)
    pounds, pence = match.groups()
    return int(Decimal(f"{pounds.replace(',', '')}.{pence or 0}") * 100)


def format_pounds(pence: int) -> str:
    """Pence as people read them: '£15', '£15.50', '£1,000', '-£3'."""
    sign = "-" if pence < 0 else ""
    pounds, rest = divmod(abs(pence), 100)
    return f"{sign}£{pounds:,}.{rest:02}" if rest else f"{sign}£{pounds:,}"

"""Template tags for the desk's pages."""

from typing import Any

from django import template

from conference.desk.words import KINDS, STATES

register = template.Library()


@register.inclusion_tag("components/status_word.html")
def status_word(row: Any) -> dict[str, str]:
    """The state of a row (order, ticket, mail, payment, refund, donation) with its sign."""
    word = STATES.get(row.status) or row.get_status_display()
    return {"word": str(word), "kind": KINDS.get(row.status, "")}

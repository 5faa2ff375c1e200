"""What the desk's pages need in their templates."""

from typing import Any

from django import template

from conference.desk.words import KINDS

register = template.Library()


@register.inclusion_tag("components/status_word.html")
def status_word(row: Any) -> dict[str, str]:
    """The state of a row (order, ticket, mail, payment, refund, donation) with its sign."""
    return {"word": row.get_status_display(), "kind": KINDS.get(row.status, "")}

"""A filter for sums of money in templates."""

from django import template

from conference.money import format_pounds

register = template.Library()


@register.filter
def pounds(pence: int | None) -> str:
    """Pence as people read them: 1500 is '£15'; None is nothing."""
    return "" if pence is None else format_pounds(pence)

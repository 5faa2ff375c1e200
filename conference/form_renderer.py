"""Draws the controls that our forms are full of without a template for each.

A form page draws a dozen inputs. Django renders three templates for one input, and one more for
each of its attributes and options; that was a third of the page's time. What comes out is to the
letter what Django's templates give; any other widget is left to them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

_Widget = Mapping[str, Any]


class FormRenderer(DjangoTemplates):
    """Django's own renderer, quicker for plain inputs and selects. Named in the settings."""

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> SafeString:
        """The HTML of one widget, or of whatever else `template_name` draws."""
        draw = _DRAWN_HERE.get(template_name)
        if draw is None:
            return SafeString(super().render(template_name, context, request))
        return SafeString(draw(context["widget"]))


def _input(widget: _Widget) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{conditional_escape(value)}"'
    return (
        f'<input type="{conditional_escape(widget["type"])}"'
        f' name="{conditional_escape(widget["name"])}"{shown}{_attributes(widget["attrs"])}>'
    )


def _select(widget: _Widget) -> str:
    parts = [f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f'<optgroup label="{conditional_escape(group)}">')
        parts += [
            f'<option value="{conditional_escape(option["value"])}"'
            f"{_attributes(option['attrs'])}>{conditional_escape(option['label'])}</option>"
            for option in options
        ]
        if group:
            parts.append("</optgroup>")
    parts.append("</select>")
    return "\n".join(parts)


def _attributes(attrs: Mapping[str, Any]) -> str:
    """Name and value of each; True stands as the bare name, False not at all."""
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in attrs.items()
        if value is not False
    )


_INPUTS = ("checkbox", "email", "hidden", "input", "number", "password", "text", "url")
_DRAWN_HERE: dict[str, Callable[[_Widget], str]] = {
    "django/forms/widgets/select.html": _select,
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
}

"""One field as every form of ours shows it: label, hint, error, then the control.

Written in Python since it is the hottest part of the form pages: as a template it took half of
their time. crispy-forms comes here through templates/bootstrap5/field.html, pages by
`{% field form.name %}`. Django itself puts aria-describedby and aria-invalid on the control.
"""

from django import template
from django.forms import CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.forms.boundfield import BoundField
from django.template import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()

# A choice with a longer text takes a whole line.
LONGEST_IN_A_ROW = 16


@register.simple_tag(takes_context=True)
def field(
    context: Context, bound: BoundField, *, before: str = "", mark_optional: bool = True
) -> SafeString:
    """The whole field; `before` stands in front of what is typed, as '£' does.

    From crispy's context come wrapper_class, and form_show_labels: where that is False the label
    is there for screen readers only.
    """
    if bound.is_hidden:
        return bound.as_widget()
    widget = bound.field.widget
    before = before or str(context.get("crispy_prepended_text", ""))
    hidden = ' class="visually-hidden"' if context.get("form_show_labels") is False else ""
    label: str = conditional_escape(bound.label)
    if isinstance(widget, CheckboxInput):
        inner = f"{_notes(bound)}{_tick_box(bound, label)}"
    elif bound.use_fieldset:
        described = bound.aria_describedby
        described = f' aria-describedby="{described}"' if described else ""
        inner = (
            f"<fieldset{described}><legend{hidden}>{label}</legend>{_notes(bound)}"
            f"{_controls(bound)}</fieldset>"
        )
    else:
        if mark_optional and not bound.field.required:
            label += f' <span class="field-optional">{gettext("(optional)")}</span>'
        inner = (
            f'<label for="{bound.id_for_label}"{hidden}>{label}</label>{_notes(bound)}'
            f"{_behind(before, bound.as_widget())}"
        )
    classes = ["field"]
    if context.get("wrapper_class"):
        classes.append(conditional_escape(context["wrapper_class"]))
    if bound.errors:
        classes.append("has-error")
    return SafeString(
        f'<div id="div_{bound.auto_id}" class="{" ".join(classes)}">\n{inner}\n</div>\n'
    )


def _notes(bound: BoundField) -> str:
    """The hint and the error; Django points to them by these ids."""
    notes = ""
    if bound.help_text:
        notes += f'<p class="field-hint" id="{bound.auto_id}_helptext">{bound.help_text}</p>\n'
    if bound.errors:
        told = " ".join(conditional_escape(str(error)) for error in bound.errors)
        notes += f'<p class="field-error" id="{bound.auto_id}_error">{told}</p>\n'
    return notes


def _tick_box(bound: BoundField, label: str) -> str:
    return (
        f'<label class="check" for="{bound.id_for_label}">{bound.as_widget()}'
        f"<span>{label}</span></label>"
    )


def _controls(bound: BoundField) -> str:
    """Radio buttons and tick boxes as cards, all alike until one is chosen."""
    if not isinstance(bound.field.widget, RadioSelect | CheckboxSelectMultiple):
        return bound.as_widget()
    cards = []
    for choice in bound.subwidgets:
        data, attrs = choice.data, choice.data["attrs"]
        wide = " choice-wide" if len(str(data["label"])) > LONGEST_IN_A_ROW else ""
        states = "".join(
            f" {state}" for state in ("checked", "required", "disabled") if attrs.get(state)
        )
        cards.append(
            f'<label class="choice{wide}" for="{attrs["id"]}">'
            f'<input type="{data["type"]}" name="{data["name"]}"'
            f' value="{conditional_escape(data["value"])}" id="{attrs["id"]}"{states}>'
            f"<span>{conditional_escape(data['label'])}</span></label>\n"
        )
    return f'<div class="choices">\n{"".join(cards)}</div>'


def _behind(before: str, control: str) -> str:
    if not before:
        return control
    return (
        f'<div class="input-money"><span aria-hidden="true">{conditional_escape(before)}</span>'
        f"{control}</div>"
    )

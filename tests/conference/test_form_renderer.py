"""The quick renderer must not differ from Django's own by a letter that a browser sees."""

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from conference.form_renderer import FormRenderer

NASTY = "<b>\"Łucja\" & 'son'</b>"
GROUPED = [("", "Choose"), ("Rooms", [("1", NASTY), (2, gettext_lazy("Online"))]), ("3", "Other")]


def squeezed(html: str) -> str:
    """HTML without the line breaks and indents that lie between elements."""
    return re.sub(r">\s+<", "><", html.strip())


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.TextInput(), None),
        (forms.TextInput(), ""),
        (forms.TextInput(attrs={"dir": "auto", "required": True, "disabled": False}), NASTY),
        (forms.EmailInput(attrs={"data-x": NASTY, "maxlength": 254}), "a+b@example.org"),
        (forms.NumberInput(), 1_234_567),
        (forms.URLInput(), SafeString("https://example.org/?a=1&amp;b=2")),
        (forms.HiddenInput(), "x"),
        (forms.PasswordInput(render_value=True), "p&p"),
        (forms.CheckboxInput(), True),
        (forms.CheckboxInput(attrs={"class": "big"}), False),
        (forms.CheckboxInput(), "a"),
        (forms.Select(choices=GROUPED), "2"),
        (forms.Select(choices=GROUPED, attrs={"aria-invalid": "true"}), None),
        (forms.NullBooleanSelect(), True),
        (forms.Textarea(), NASTY),
        (forms.RadioSelect(choices=GROUPED), "3"),
        (forms.SplitDateTimeWidget(), None),
    ],
)
def test_render_gives_what_django_gives(widget: forms.Widget, value: object) -> None:
    attrs = {"id": "id_it"}
    ours = widget.render("it", value, attrs, FormRenderer())
    djangos = widget.render("it", value, attrs, DjangoTemplates())
    assert squeezed(ours) == squeezed(djangos)

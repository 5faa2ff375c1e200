"""The template of one field: what it is called, what is said about it, what it is."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.template import Context, Template

from conference.fields import PoundsField
from tests.html import squeezed

NASTY = "<b>you & I</b>"


class Form(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the <em>ticket</em>.")
    email = forms.EmailField(label="E-mail", required=False)
    amount = PoundsField(label=NASTY, least_pence=100, most_pence=10_000)
    gift = forms.ChoiceField(
        label="Gift",
        widget=forms.RadioSelect,
        choices=[("500", "£5"), ("none", "No donation this time, <really>")],
    )
    days = forms.MultipleChoiceField(
        label="Days", widget=forms.CheckboxSelectMultiple, choices=[("sat", "Saturday")]
    )
    room = forms.ChoiceField(label="Room", choices=[("", "Any"), ("1", NASTY)])
    news = forms.BooleanField(label="Send it")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


class Search(forms.Form):
    hides_optional = True
    words = forms.CharField(label="Words", required=False)


def drawn(name: str, data: Mapping[str, Any] | None = None) -> str:
    """What a page shows for `{{ form.name.as_field_group }}`, without line breaks."""
    return squeezed(Form(data)[name].as_field_group())


def test_field_shows_label_hint_and_control() -> None:
    assert drawn("name") == (
        '<div class="field"><label for="id_name">Name</label>'
        '<p class="field-hint" id="id_name_helptext">As on the <em>ticket</em>.</p>'
        '<input type="text" name="name" required aria-describedby="id_name_helptext"'
        ' id="id_name"></div>'
    )


def test_field_says_the_error_before_the_control_and_points_to_it() -> None:
    assert drawn("email", {"email": "no<b>"}) == (
        '<div class="field has-error">'
        '<label for="id_email">E-mail <span class="field-optional">(optional)</span></label>'
        '<p class="field-error" id="id_email_error">Enter a valid email address.</p>'
        '<input type="email" name="email" value="no&lt;b&gt;" maxlength="320" aria-invalid="true"'
        ' aria-describedby="id_email_error" id="id_email"></div>'
    )


def test_field_points_to_its_hint_and_then_to_its_error() -> None:
    assert 'aria-describedby="id_name_helptext id_name_error"' in drawn("name", {})


def test_field_writes_errors_as_text() -> None:
    form = Form({})
    form.add_error("room", NASTY)
    assert (
        '<p class="field-error" id="id_room_error">This field is required. '
        "&lt;b&gt;you &amp; I&lt;/b&gt;</p>"
    ) in squeezed(form["room"].as_field_group())


def test_field_says_nothing_of_optional_where_the_form_hides_it() -> None:
    assert squeezed(Search()["words"].as_field_group()) == (
        '<div class="field"><label for="id_words">Words</label>'
        '<input type="text" name="words" id="id_words"></div>'
    )


def test_field_puts_a_sign_before_an_amount() -> None:
    assert drawn("amount") == (
        '<div class="field"><label for="id_amount">&lt;b&gt;you &amp; I&lt;/b&gt;</label>'
        '<div class="input-money"><span aria-hidden="true">£</span>'
        '<input type="text" name="amount" inputmode="decimal" required id="id_amount">'
        "</div></div>"
    )


def test_field_draws_choices_as_cards_in_a_group_of_that_name() -> None:
    assert drawn("gift", {"gift": "none"}) == (
        '<div class="field"><fieldset><legend>Gift</legend>'
        '<div class="choices"><label class="choice" for="id_gift_0">'
        '<input type="radio" name="gift" value="500" required id="id_gift_0">'
        "<span>£5</span></label>"
        '<label class="choice choice-wide" for="id_gift_1">'
        '<input type="radio" name="gift" value="none" required id="id_gift_1" checked>'
        "<span>No donation this time, &lt;really&gt;</span></label></div></fieldset></div>"
    )


def test_field_draws_several_choices_as_cards_too() -> None:
    assert drawn("days", {"days": ["sat"]}) == (
        '<div class="field"><fieldset><legend>Days</legend>'
        '<div class="choices"><label class="choice" for="id_days_0">'
        '<input type="checkbox" name="days" value="sat" id="id_days_0" checked>'
        "<span>Saturday</span></label></div></fieldset></div>"
    )


def test_field_ties_the_error_of_a_group_to_the_group() -> None:
    assert drawn("gift", {}).startswith(
        '<div class="field has-error"><fieldset aria-describedby="id_gift_error">'
        "<legend>Gift</legend>"
        '<p class="field-error" id="id_gift_error">This field is required.</p>'
    )


def test_field_leaves_a_list_to_django() -> None:
    assert drawn("room") == (
        '<div class="field"><label for="id_room">Room</label>'
        '<select name="room" required id="id_room"><option value="" selected>Any</option>'
        '<option value="1">&lt;b&gt;you &amp; I&lt;/b&gt;</option></select></div>'
    )


def test_field_makes_the_whole_line_of_a_tick_box_its_label() -> None:
    assert drawn("news") == (
        '<div class="field"><label class="check" for="id_news">'
        '<input type="checkbox" name="news" required id="id_news">'
        "<span>Send it</span></label></div>"
    )


def test_field_shows_nothing_of_a_hidden_one() -> None:
    assert drawn("secret") == '<input type="hidden" name="secret" id="id_secret">'


def test_crispy_draws_each_field_by_the_same_template() -> None:
    page = Template("{% load crispy_forms_filters %}{{ form|crispy }}")
    by_crispy = squeezed(page.render(Context({"form": Form({})})))
    assert by_crispy == "".join(drawn(name, {}) for name in Form.base_fields)

"""The markup of one field: what it is called, what is said about it, what it is."""

from typing import Any

from django import forms
from django.template import Context, Template

NASTY = "<b>you & I</b>"


class Form(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the <em>ticket</em>.")
    email = forms.EmailField(label="E-mail", required=False)
    amount = forms.CharField(label=NASTY, required=False)
    gift = forms.ChoiceField(
        label="Gift",
        widget=forms.RadioSelect,
        choices=[("500", "£5"), ("none", "No donation this time, <really>")],
    )
    news = forms.BooleanField(label="Send it")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def drawn(how: str, form: forms.Form, **context: Any) -> str:
    """What a page shows for `{% field … %}`, without line breaks."""
    page = Template("{% load fields %}{% field " + how + " %}")
    return page.render(Context({"form": form, **context})).replace("\n", "")


def test_field_shows_label_hint_and_control() -> None:
    assert drawn("form.name", Form()) == (
        '<div id="div_id_name" class="field"><label for="id_name">Name</label>'
        '<p class="field-hint" id="id_name_helptext">As on the <em>ticket</em>.</p>'
        '<input type="text" name="name" required aria-describedby="id_name_helptext"'
        ' id="id_name"></div>'
    )


def test_field_says_the_error_before_the_control_and_points_to_it() -> None:
    assert drawn("form.email", Form({"email": "no<b>"})) == (
        '<div id="div_id_email" class="field has-error">'
        '<label for="id_email">E-mail <span class="field-optional">(optional)</span></label>'
        '<p class="field-error" id="id_email_error">Enter a valid email address.</p>'
        '<input type="email" name="email" value="no&lt;b&gt;" maxlength="320" aria-invalid="true"'
        ' aria-describedby="id_email_error" id="id_email"></div>'
    )


def test_field_puts_a_sign_before_an_amount() -> None:
    assert drawn('form.amount before="£" mark_optional=False', Form()) == (
        '<div id="div_id_amount" class="field">'
        '<label for="id_amount">&lt;b&gt;you &amp; I&lt;/b&gt;</label>'
        '<div class="input-money"><span aria-hidden="true">£</span>'
        '<input type="text" name="amount" id="id_amount"></div></div>'
    )


def test_field_draws_choices_as_cards_in_a_group_of_that_name() -> None:
    assert drawn("form.gift", Form({"gift": "none"})) == (
        '<div id="div_id_gift" class="field"><fieldset><legend>Gift</legend>'
        '<div class="choices"><label class="choice" for="id_gift_0">'
        '<input type="radio" name="gift" value="500" id="id_gift_0" required>'
        "<span>£5</span></label>"
        '<label class="choice choice-wide" for="id_gift_1">'
        '<input type="radio" name="gift" value="none" id="id_gift_1" checked required>'
        "<span>No donation this time, &lt;really&gt;</span></label></div></fieldset></div>"
    )


def test_field_ties_the_error_of_a_group_to_the_group() -> None:
    assert drawn("form.gift", Form({})).startswith(
        '<div id="div_id_gift" class="field has-error"><fieldset aria-describedby="id_gift_error">'
        "<legend>Gift</legend>"
        '<p class="field-error" id="id_gift_error">This field is required.</p>'
    )


def test_field_makes_the_whole_line_of_a_tick_box_its_label() -> None:
    assert drawn("form.news", Form()) == (
        '<div id="div_id_news" class="field"><label class="check" for="id_news">'
        '<input type="checkbox" name="news" required id="id_news">'
        "<span>Send it</span></label></div>"
    )


def test_field_shows_nothing_of_a_hidden_one() -> None:
    assert drawn("form.secret", Form()) == '<input type="hidden" name="secret" id="id_secret">'


def test_field_takes_what_crispy_says() -> None:
    assert drawn("form.amount", Form(), form_show_labels=False, wrapper_class="field-short") == (
        '<div id="div_id_amount" class="field field-short">'
        '<label for="id_amount" class="visually-hidden">&lt;b&gt;you &amp; I&lt;/b&gt;'
        ' <span class="field-optional">(optional)</span></label>'
        '<input type="text" name="amount" id="id_amount"></div>'
    )

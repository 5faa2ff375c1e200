"""The pages for what does not work: each stands, and says what to do next."""

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("400", "We could not read that"),
        ("403", "This page is not open to you"),
        ("403_csrf", "Please send that again"),
        ("404", "There is no page here"),
        ("429", "Please wait a little"),
    ],
)
def test_page_says_what_is_the_matter(rf: RequestFactory, page: str, heading: str) -> None:
    assert f"<h1>{heading}</h1>" in render_to_string(f"{page}.html", request=rf.get("/"))


def test_page_for_our_own_mistakes_needs_neither_context_nor_database() -> None:
    assert "<h1>Something went wrong on our side</h1>" in render_to_string("500.html")

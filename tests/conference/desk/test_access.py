"""Who may see the desk: an organiser everything, a volunteer and a stranger nothing."""

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from conference.desk.urls import urlpatterns
from conference.models import User
from tests.factories import make_order, make_user
from tests.html import page, words

pytestmark = pytest.mark.django_db

KEY = uuid.UUID(int=1)
ARGUMENTS = {
    "reference": "AAAA-BBBB",
    "number": 1,
    "mail_id": KEY,
    "key": KEY,
    "event_id": "evt_1",
}


def _address(pattern: URLPattern) -> str:
    """The pattern's address; an order that does not exist stands for any."""
    named = {name: ARGUMENTS[name] for name in pattern.pattern.converters}
    return reverse(f"desk:{pattern.name}", kwargs=named | pattern.default_args)


ADDRESSES = sorted({_address(pattern) for pattern in urlpatterns})


def test_desk_asks_a_stranger_to_log_in(client: Client) -> None:
    for address in ADDRESSES:
        for response in (client.get(address), client.post(address)):
            assert (response.status_code, response.url) == (302, f"/login/?next={address}")


def test_desk_refuses_a_volunteer(client: Client) -> None:
    client.force_login(make_user("volunteer"))
    for address in ADDRESSES:
        answers = [client.get(address).status_code, client.post(address).status_code]
        assert (address, answers) == (address, [403, 403])


def test_desk_refuses_an_organiser_who_left(client: Client, organiser: User) -> None:
    client.force_login(organiser)
    User.objects.update(is_active=False)
    assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize("address", ["/desk/", "/desk/mails/", "/desk/attention/", "/desk/audit/"])
def test_desk_works_before_there_is_a_conference(desk: Client, address: str) -> None:
    assert desk.get(address).status_code == 200


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/desk/"),
        *(("get", "/desk/orders/"), ("post", "/desk/orders/"), ("post", "/desk/orders.csv")),
        *(("get", "/desk/attendees/"), ("post", "/desk/attendees/")),
        ("post", "/desk/attendees.xlsx"),
    ],
)
def test_desk_before_there_is_a_conference_says_where_to_make_one(
    desk: Client, method: str, address: str
) -> None:
    response = getattr(desk, method)(address, {"words": "Ada"})
    assert response.status_code == 200
    shown = page(response)
    (said,) = shown.iterfind(".//*[@class='empty-state']/p[@class='notice-title']")
    (link,) = shown.iterfind(".//*[@class='empty-state']//a")
    assert words(said) == "No conference yet"
    assert desk.get(link.get("href")).status_code == 200


def test_desk_marks_the_tab_that_is_open(desk: Client) -> None:
    tabs = ["/desk/", "/desk/orders/", "/desk/attendees/", "/desk/mails/", "/desk/attention/"]
    for address in [*tabs, "/desk/audit/"]:
        current = page(desk.get(address)).iterfind(".//nav[@class='desk-pages']//a[@aria-current]")
        assert [link.get("href") for link in current] == [address]


@pytest.mark.parametrize(
    "address",
    ["/desk/?conference=x", "/desk/orders/?conference=x", "/desk/attendees/?conference=x"],
)
def test_desk_without_that_conference_is_not_found(desk: Client, address: str) -> None:
    assert desk.get(address).status_code == 404


def test_desk_pages_are_kept_by_no_cache(desk: Client) -> None:
    order = make_order()
    for address in ("/desk/", "/desk/orders/", f"/desk/orders/{order.reference}/"):
        assert desk.get(address)["Cache-Control"] == "no-store, private"


def test_order_page_of_an_unknown_reference_is_not_found(desk: Client) -> None:
    order = make_order()
    addresses = [
        "/desk/orders/AAAA-BBBB/",
        f"/desk/orders/{order.reference}/2/cancel/",
        f"/desk/orders/{order.reference}/0/name/",
    ]
    assert [desk.get(address).status_code for address in addresses] == [404, 404, 404]

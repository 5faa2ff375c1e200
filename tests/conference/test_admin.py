"""The configuration pages: who may use them, what they refuse, what they put on record."""

import re
import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from conference.models import AuditEntry, Conference, Organisation, User
from signup.models import Edition
from tests.factories import make_conference, make_gate, make_order, make_user
from tests.html import page
from tickets import actions
from tickets.models import Gate, TicketType

pytestmark = pytest.mark.django_db

PAGES = [
    "/admin/",
    "/admin/conference/conference/",
    "/admin/conference/conference/add/",
    "/admin/conference/organisation/",
    "/admin/conference/user/",
    "/admin/signup/edition/add/",
]


@pytest.fixture
def conference(db: None) -> Conference:
    """A conference with one kind of ticket and a gate."""
    conference = make_conference(types={"Professional": 50})
    make_gate(conference)
    return conference


def _filled(conference: Conference, **changed: Any) -> dict[str, Any]:
    """The conference's form as the page shows it, and what was changed."""
    kind, gate = conference.ticket_types.get(), conference.gates.get()
    data: dict[str, Any] = {
        name: getattr(conference, name)
        for name in (
            *("name", "slug", "tagline", "timezone", "venue", "address", "map_url"),
            *("access_information", "gift_explanation", "programme", "picture_alt"),
        )
    }
    for name in ("starts_at", "ends_at", "opens_at", "closes_at"):
        local = timezone.localtime(getattr(conference, name))
        data |= {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}
    return (
        data
        | {
            "organisation": conference.organisation_id,
            "is_published": "on",
            "capacity": "",
            "gift_presets": "5, 15, 30",
            "ticket_types-TOTAL_FORMS": 1,
            "ticket_types-INITIAL_FORMS": 1,
            "ticket_types-0-id": kind.pk,
            "ticket_types-0-conference": conference.pk,
            "ticket_types-0-name": kind.name,
            "ticket_types-0-capacity": kind.capacity,
            "ticket_types-0-position": 0,
            "gates-TOTAL_FORMS": 1,
            "gates-INITIAL_FORMS": 1,
            "gates-0-id": gate.pk,
            "gates-0-conference": conference.pk,
            "gates-0-name": gate.name,
            "gates-0-slug": gate.slug,
            "gates-0-position": 0,
        }
        | changed
    )


def _save(pages: Client, conference: Conference, **changed: Any) -> HttpResponse:
    address = f"/admin/conference/conference/{conference.pk}/change/"
    return pages.post(address, _filled(conference, **changed))


def _said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_for_organisers_who_may_change_them(
    client: Client, organiser: User, page: str
) -> None:
    asked = client.get(page)
    assert (asked.status_code, asked.url) == (302, f"/admin/login/?next={page}")
    assert client.get(asked.url).url == f"/login/?next={page}"
    for other in (make_user("volunteer"), make_user("organiser")):
        client.force_login(other)
        assert client.get(page).status_code == 403
    client.force_login(organiser)
    assert client.get(page).status_code == 200


def test_settings_refuse_a_volunteer_whatever_their_flags(client: Client) -> None:
    client.force_login(make_user("volunteer", may_configure=True, is_superuser=True))
    assert client.get("/admin/").status_code == 403


def test_settings_refuse_a_field_that_nothing_leads_to(
    settings_pages: Client, conference: Conference
) -> None:
    address = f"/admin/conference/organisation/{conference.organisation_id}/change/?_to_field="
    for wanted, status in {"id": 200, "conference": 400, "nonsense": 400}.items():
        assert settings_pages.post(address + wanted, {}).status_code == status, wanted


def test_settings_know_nothing_of_orders_and_people() -> None:
    assert set(admin.site._registry) == {Conference, Organisation, User, Edition}


def test_conference_change_is_on_record(
    settings_pages: Client, conference: Conference, organiser: User
) -> None:
    changed = {"venue": "Town Hall", "ticket_types-0-capacity": 60}
    assert _save(settings_pages, conference, **changed).status_code == 302
    conference.refresh_from_db()
    assert (conference.venue, conference.gift_presets) == ("Town Hall", [500, 1500, 3000])
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.by) == (
        "setting changed",
        f"conference: {conference.name}",
        organiser,
    )
    assert entry.detail == {"changed": ["changed Venue", "changed ticket type Professional Places"]}


def test_conference_presets_are_written_in_pounds(
    settings_pages: Client, conference: Conference
) -> None:
    page = settings_pages.get(f"/admin/conference/conference/{conference.pk}/change/")
    assert 'value="5, 15, 30"' in page.content.decode()
    _save(settings_pages, conference, gift_presets="10, £7.50")
    conference.refresh_from_db()
    assert conference.gift_presets == [1000, 750]


@pytest.mark.parametrize("presets", ["ten", "10;20", "0.50", "", "1,2,3,4,5,6,7", "1e3"])
def test_conference_presets_that_cannot_be_are_refused(
    settings_pages: Client, conference: Conference, presets: str
) -> None:
    response = _save(settings_pages, conference, gift_presets=presets)
    assert list(response.context["adminform"].form.errors) == ["gift_presets"]


def test_ticket_type_may_be_lowered_below_what_is_taken(
    settings_pages: Client, conference: Conference
) -> None:
    make_order(conference, names=("Ada", "Grace", "Edith"))
    said = _said(_save(settings_pages, conference, **{"ticket_types-0-capacity": 2}))
    warning = (
        "Professional: 3 places are taken or kept, more than the 2 there are. "
        "Nobody loses a place; no more are given away until enough are free."
    )
    assert said.count(warning) == 1
    assert TicketType.objects.get().capacity == 2


def test_conference_may_be_lowered_below_what_is_taken(
    settings_pages: Client, conference: Conference
) -> None:
    make_order(conference, names=("Ada", "Grace"))
    said = _said(_save(settings_pages, conference, capacity=1))
    assert [line.partition(":")[0] for line in said[:1]] == ["All together"]


def test_ticket_type_in_use_stays(settings_pages: Client, conference: Conference) -> None:
    make_order(conference)
    response = _save(settings_pages, conference, **{"ticket_types-0-DELETE": "on"})
    assert response.status_code == 200
    assert "tickets of this kind have been reserved" in response.content.decode()
    assert TicketType.objects.count() == 1


def test_ticket_type_nobody_reserved_can_be_removed(
    settings_pages: Client, conference: Conference
) -> None:
    assert _save(settings_pages, conference, **{"ticket_types-0-DELETE": "on"}).status_code == 302
    assert TicketType.objects.count() == 0
    assert AuditEntry.objects.get().detail == {"changed": ["deleted ticket type Professional"]}


def test_kinds_and_gates_can_be_added_without_scripts(
    settings_pages: Client, conference: Conference
) -> None:
    address = f"/admin/conference/conference/{conference.pk}/change/"
    rows = {
        control.get("name", ""): control.get("value", "")
        for control in page(settings_pages.get(address)).iter("input")
        if re.match("(ticket_types|gates)-", control.get("name", ""))
        and control.get("type") != "checkbox"
    }
    assert (rows["ticket_types-TOTAL_FORMS"], rows["gates-TOTAL_FORMS"]) == ("2", "2")
    # The row that is left empty does no harm.
    assert _save(settings_pages, conference, **rows).status_code == 302
    assert (TicketType.objects.count(), Gate.objects.count()) == (1, 1)
    rows |= {
        "ticket_types-1-name": "Student",
        "ticket_types-1-capacity": "5",
        "gates-1-name": "Back door",
        "gates-1-slug": "back",
    }
    assert _save(settings_pages, conference, **rows).status_code == 302
    assert (TicketType.objects.count(), Gate.objects.count()) == (2, 2)


def test_gate_in_use_stays(settings_pages: Client, conference: Conference, organiser: User) -> None:
    gate = Gate.objects.get()
    actions.scan(scan_id=uuid.uuid4(), text="x", gate=gate, by=organiser, now=timezone.now())
    response = _save(settings_pages, conference, **{"gates-0-DELETE": "on"})
    assert "tickets have been scanned there" in response.content.decode()
    assert Gate.objects.count() == 1


def test_conference_with_orders_stays(settings_pages: Client, conference: Conference) -> None:
    make_order(conference)
    address = f"/admin/conference/conference/{conference.pk}/delete/"
    for response in (settings_pages.get(address), settings_pages.post(address, {"post": "yes"})):
        assert response.url == f"/admin/conference/conference/{conference.pk}/change/"
    assert "This conference stays" in _said(response)[0]
    assert Conference.objects.count() == 1


def test_conference_nobody_reserved_can_be_removed(
    settings_pages: Client, conference: Conference
) -> None:
    address = f"/admin/conference/conference/{conference.pk}/delete/"
    assert settings_pages.post(address, {"post": "yes"}).status_code == 302
    assert Conference.objects.count() == 0
    assert AuditEntry.objects.get().verb == "setting removed"


def test_edition_is_published_and_on_record(settings_pages: Client) -> None:
    data = {"number": 7, "title": "Autumn", "published_on": "2026-10-01", "body": "Dear *all*"}
    settings_pages.post("/admin/signup/edition/add/", data)
    assert Edition.objects.get().body_html == "<p>Dear <em>all</em></p>\n"
    assert AuditEntry.objects.get().subject == "edition: 7: Autumn"


def test_second_organisation_is_refused(settings_pages: Client, conference: Conference) -> None:
    assert settings_pages.get("/admin/conference/organisation/add/").status_code == 403

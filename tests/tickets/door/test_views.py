"""The door over HTTP: who may, what it answers, and that it judges once."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conference import codes
from conference.models import AuditEntry
from tests import factories
from tests.html import page, words
from tests.tickets.door.phones import at_door, make_door, scan
from tickets import actions
from tickets.models import Gate, Scan, Ticket

pytestmark = pytest.mark.django_db


def now_in(gate: Gate) -> str:
    return timezone.now().astimezone(ZoneInfo(gate.conference.timezone)).strftime("%H:%M")


# -- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/door/", "/door/{gate}/", "/door/{gate}/search/"])
def test_page_sends_strangers_to_log_in_and_back(path: str) -> None:
    gate, _ = make_door()
    path = path.format(gate=gate.slug)
    response = Client().get(path)
    assert (response.status_code, response.url) == (302, f"/login/?next={path}")


@pytest.mark.parametrize(
    ("method", "part"), [("post", "scan"), ("post", "undo"), ("get", "counts")]
)
def test_data_is_refused_to_strangers_and_to_people_without_a_role(method: str, part: str) -> None:
    gate, _ = make_door()
    client = Client()
    path = f"/door/{gate.slug}/{part}/"
    assert getattr(client, method)(path).status_code == 401
    client.force_login(factories.make_user(role="guest"))
    assert getattr(client, method)(path).status_code == 403
    assert Scan.objects.count() == 0


def test_page_is_forbidden_without_a_role() -> None:
    gate, _ = make_door()
    client = at_door("guest")
    assert client.get("/door/").status_code == 403
    assert client.get(f"/door/{gate.slug}/").status_code == 403


def test_volunteer_sees_the_scanner_and_no_way_to_a_list() -> None:
    gate, _ = make_door()
    client = at_door()
    shown = client.get(f"/door/{gate.slug}/")
    assert shown.status_code == 200
    assert "search" not in shown.content.decode()
    assert "Ada" not in words(page(shown))
    search = f"/door/{gate.slug}/search/"
    assert client.get(search).status_code == 403
    assert client.post(search, {"q": "Ada"}).status_code == 403


def test_scan_needs_the_csrf_token() -> None:
    gate, [ticket] = make_door()
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_user("volunteer"))
    body = {"id": str(uuid.uuid4()), "code": ticket.code}
    assert client.post(f"/door/{gate.slug}/scan/", body).status_code == 403
    token = client.get(f"/door/{gate.slug}/").context["csrf_token"]
    answer = client.post(
        f"/door/{gate.slug}/scan/", body, headers={"X-CSRFToken": str(token)}
    ).json()
    assert answer["outcome"] == "admitted"


# -- gates --------------------------------------------------------------------------------------


def test_one_gate_is_gone_to_straight() -> None:
    gate, _ = make_door()
    response = at_door().get("/door/")
    assert (response.status_code, response.url) == (302, f"/door/{gate.slug}/")


def test_several_gates_are_offered() -> None:
    gate, _ = make_door()
    other = factories.make_gate(gate.conference, "Garden gate")
    page = at_door().get("/door/")
    assert [found.slug for found in page.context["gates"]] == [gate.slug, other.slug]


def test_no_gate_is_said() -> None:
    assert "No door yet" in at_door().get("/door/").content.decode()


def test_gate_of_another_conference_is_not_found() -> None:
    make_door()
    later = factories.make_conference(
        starts_at=timezone.now() + timedelta(days=400), ends_at=timezone.now() + timedelta(days=401)
    )
    gate = factories.make_gate(later)
    assert at_door().get(f"/door/{gate.slug}/").status_code == 404


# -- outcomes -----------------------------------------------------------------------------------


def test_good_code_is_admitted() -> None:
    gate, [ticket] = make_door()
    scan_id = uuid.uuid4()
    answer = scan(at_door(), gate, ticket.code, scan_id)
    until = datetime.fromisoformat(answer.pop("may_undo_until"))
    assert timedelta(minutes=9) < until - timezone.now() <= timedelta(minutes=10)
    assert answer == {
        "id": str(scan_id),
        "outcome": "admitted",
        "tone": "good",
        "title": "Admitted",
        "lines": [],
        "name": "Ada Lovelace",
        "ticket_type": "Professional",
        "at": now_in(gate),
        "first": None,
        "said": "Admitted. Ada Lovelace.",
    }


def test_second_scan_is_already_in_since_then_and_there() -> None:
    gate, [ticket] = make_door()
    client = at_door()
    scan(client, gate, ticket.code)
    answer = scan(client, gate, ticket.reference)
    at = now_in(gate)
    assert answer["outcome"] == "already in"
    assert answer["tone"] == "already"
    assert answer["first"] == {"at": at, "gate": "Main door"}
    assert answer["lines"] == [
        f"Since {at} at Main door.",
        "Is this someone else's ticket? Send them to the desk.",
    ]
    assert answer["said"] == (
        f"Already in, since {at} at Main door. "
        "Is this someone else's ticket? Send them to the desk. Ada Lovelace"
    )
    assert answer["may_undo_until"] is None


def test_same_scan_again_gives_the_same_answer() -> None:
    gate, [ticket] = make_door()
    client, scan_id = at_door(), uuid.uuid4()
    first = scan(client, gate, ticket.code, scan_id)
    assert scan(client, gate, ticket.code, scan_id) == first
    assert Scan.objects.count() == 1


def test_entry_of_another_day_is_told_with_its_date() -> None:
    gate, [ticket] = make_door()
    user = factories.make_user("volunteer")
    earlier = datetime(2026, 3, 2, 9, 42, tzinfo=ZoneInfo("Europe/London"))
    actions.scan(scan_id=uuid.uuid4(), text=ticket.code, gate=gate, by=user, now=earlier)
    answer = scan(at_door(), gate, ticket.code)
    assert answer["first"] == {"at": "Mon 2 Mar, 09:42", "gate": "Main door"}


def test_times_are_those_of_the_conference() -> None:
    conference = factories.make_conference(timezone="Asia/Tokyo")
    [ticket] = factories.make_order(conference).tickets.all()
    gate = factories.make_gate(conference)
    before = now_in(gate)
    assert scan(at_door(), gate, ticket.code)["at"] in (before, now_in(gate))


def test_unpaid_booking_is_not_confirmed() -> None:
    gate, _ = make_door()
    [ticket] = factories.make_order(gate.conference, gift_pence=1500).tickets.all()
    answer = scan(at_door(), gate, ticket.code)
    assert (answer["outcome"], answer["tone"]) == ("not confirmed", "bad")


def test_cancelled_ticket_is_told_as_such() -> None:
    gate, [ticket] = make_door()
    actions.cancel_ticket(ticket=ticket, now=timezone.now())
    answer = scan(at_door(), gate, ticket.code)
    assert (answer["outcome"], answer["title"]) == ("cancelled", "Cancelled")


def test_replaced_code_is_told_as_such_and_the_new_one_admits() -> None:
    gate, [ticket] = make_door()
    old_code, old_reference = ticket.code, ticket.reference
    actions.reissue(ticket=ticket, by=factories.make_user(), now=timezone.now())
    client = at_door()
    assert scan(client, gate, old_code)["outcome"] == "replaced"
    assert scan(client, gate, old_reference)["outcome"] == "replaced"
    assert scan(client, gate, Ticket.objects.get(pk=ticket.pk).code)["outcome"] == "admitted"


def test_ticket_of_another_conference_is_named_without_its_holder() -> None:
    gate, _ = make_door()
    other = factories.make_conference(name="Conference of 2031", starts_at=timezone.now())
    [ticket] = factories.make_order(other, names=("Bo Diddley",)).tickets.all()
    other.ends_at = timezone.now() - timedelta(seconds=1)
    other.starts_at = other.ends_at - timedelta(hours=7)
    other.save()
    answer = scan(at_door(), gate, ticket.code)
    assert answer["outcome"] == "other conference"
    assert answer["lines"] == ["This ticket is for: Conference of 2031."]
    assert (answer["name"], answer["first"]) == ("", None)


def test_short_code_of_no_ticket_is_unknown() -> None:
    gate, _ = make_door()
    answer = scan(at_door(), gate, "AAAA-BBBB")
    assert (answer["outcome"], answer["title"]) == ("unknown", "Not on the list")
    assert answer["tone"] == "bad"


def test_genuine_code_of_no_ticket_is_for_the_organiser_to_decide() -> None:
    gate, _ = make_door()
    answer = scan(at_door(), gate, codes.sign(4711))
    assert (answer["outcome"], answer["tone"]) == ("unlisted", "already")
    assert answer["said"] == (
        "Genuine, but not in our list. Our list may be older than this ticket. "
        "Let the organiser decide."
    )
    assert answer["may_undo_until"] is None


@pytest.mark.parametrize(
    "code",
    ["", "https://example.org/menu", "WIFI:S:guest;T:WPA;P:x;;", "4006381333931", "\0", "🎟" * 999],
)
def test_foreign_code_is_not_a_ticket(code: str) -> None:
    gate, _ = make_door()
    assert scan(at_door(), gate, code)["outcome"] == "not a ticket"


def test_forged_code_is_not_a_ticket() -> None:
    gate, [ticket] = make_door()
    forged = ticket.code[:-2] + ("AA" if ticket.code[-2:] != "AA" else "BA")
    assert scan(at_door(), gate, forged)["outcome"] == "not a ticket"


@pytest.mark.parametrize("scan_id", ["", "1", "not-a-uuid", "x" * 5000])
def test_scan_without_a_uuid_is_refused(scan_id: str) -> None:
    gate, [ticket] = make_door()
    response = at_door().post(f"/door/{gate.slug}/scan/", {"id": scan_id, "code": ticket.code})
    assert response.status_code == 400
    assert Scan.objects.count() == 0


def test_online_ticket_says_so() -> None:
    conference = factories.make_conference()
    online = factories.make_type(conference, name="Online", is_online=True)
    [ticket] = factories.make_order(conference, ticket_type=online).tickets.all()
    answer = scan(at_door(), factories.make_gate(conference), ticket.code)
    assert answer["lines"] == ["This ticket is for taking part online."]


def test_scan_takes_few_statements() -> None:
    gate, [ticket] = make_door()
    client = at_door()
    with CaptureQueriesContext(
        connection,
    ) as admitted:
        scan(client, gate, ticket.code)
    assert len(admitted) <= 8, [query["sql"] for query in admitted]


# -- undo ---------------------------------------------------------------------------------------


def test_undone_entry_lets_the_ticket_in_again() -> None:
    gate, [ticket] = make_door()
    client, scan_id = at_door(), uuid.uuid4()
    scan(client, gate, ticket.code, scan_id)
    answer = client.post(f"/door/{gate.slug}/undo/", {"id": str(scan_id)})
    assert answer.json() == {"id": str(scan_id), "said": "Undone. Ada Lovelace is not in."}
    assert scan(client, gate, ticket.code)["outcome"] == "admitted"
    assert AuditEntry.objects.filter(verb="entry undone").count() == 1


def test_undone_scan_sent_again_admits_nobody() -> None:
    gate, [ticket] = make_door()
    client, scan_id = at_door(), uuid.uuid4()
    scan(client, gate, ticket.code, scan_id)
    client.post(f"/door/{gate.slug}/undo/", {"id": str(scan_id)})
    answer = scan(client, gate, ticket.code, scan_id)
    assert (answer["outcome"], answer["tone"], answer["title"]) == ("undone", "bad", "Undone")
    assert answer["lines"][-1] == "Scan the ticket again to let them in."
    assert answer["may_undo_until"] is None


def test_undo_is_refused_after_ten_minutes_and_for_what_is_no_entry() -> None:
    gate, [ticket] = make_door()
    client, user = at_door(), factories.make_user("volunteer")
    long_ago, foreign = uuid.uuid4(), uuid.uuid4()
    past = timezone.now() - timedelta(minutes=10, seconds=1)
    actions.scan(scan_id=long_ago, text=ticket.code, gate=gate, by=user, now=past)
    scan(client, gate, "nothing", foreign)
    for scan_id in (str(long_ago), str(foreign), str(uuid.uuid4()), "junk"):
        response = client.post(f"/door/{gate.slug}/undo/", {"id": scan_id})
        assert response.status_code == 409
    assert Scan.objects.filter(undone_at__isnull=False).count() == 0


# -- counts -------------------------------------------------------------------------------------


def test_counts_tell_who_is_in_by_type() -> None:
    conference = factories.make_conference(types={"Professional": 20, "Service user or carer": 20})
    gate = factories.make_gate(conference)
    factories.make_type(conference, name="Online", is_online=True, position=3)
    carer = conference.ticket_types.get(name="Service user or carer")
    online = conference.ticket_types.get(name="Online")
    order = factories.make_order(conference, names=("A", "B", "C"))
    factories.make_order(conference, names=("D",), ticket_type=carer)
    factories.make_order(conference, names=("E",), ticket_type=online)
    factories.make_order(conference, names=("F",), gift_pence=500)
    client = at_door()
    for ticket in order.tickets.all()[:2]:
        scan(client, gate, ticket.code)
        scan(client, gate, ticket.code)
    assert client.get(f"/door/{gate.slug}/counts/").json() == {
        "in": 2,
        "expected": 4,
        "by_type": [
            {"name": "Professional", "in": 2, "expected": 3},
            {"name": "Service user or carer", "in": 0, "expected": 1},
        ],
    }


# -- without scripts ----------------------------------------------------------------------------


def test_form_judges_and_shows_the_result_in_the_page() -> None:
    gate, [ticket] = make_door()
    client, path = at_door(), f"/door/{gate.slug}/"
    form = client.get(path).context["form_id"]
    page = client.post(path, {"form": str(form), "code": f" {ticket.reference.lower()} "})
    assert page.context["result"]["outcome"] == "admitted"
    assert page.context["counts"]["in"] == 1
    again = client.post(path, {"form": str(form), "code": ticket.reference})
    assert again.context["result"]["outcome"] == "admitted"
    anew = client.post(path, {"form": str(page.context["form_id"]), "code": ticket.reference})
    assert anew.context["result"]["outcome"] == "already in"


def test_form_used_again_for_another_code_judges_that_code() -> None:
    gate, [ada, bo] = make_door(("Ada", "Bo"))
    client, path = at_door(), f"/door/{gate.slug}/"
    form = str(client.get(path).context["form_id"])
    names = [
        client.post(path, {"form": form, "code": ticket.reference}).context["result"]["name"]
        for ticket in (ada, bo)
    ]
    assert names == ["Ada", "Bo"]


def test_form_undoes() -> None:
    gate, [ticket] = make_door()
    client, path = at_door(), f"/door/{gate.slug}/"
    form = client.get(path).context["form_id"]
    page = client.post(path, {"form": str(form), "code": ticket.reference})
    after = client.post(path, {"undo": page.context["result"]["id"]}, follow=True)
    assert "Undone. Ada Lovelace is not in." in after.content.decode()
    assert after.context["counts"]["in"] == 0
    reloaded = client.post(path, {"form": str(form), "code": ticket.reference})
    assert reloaded.context["result"]["outcome"] == "undone"
    assert "no longer" in client.post(path, {"undo": "junk"}, follow=True).content.decode()


def test_empty_form_shows_the_scanner() -> None:
    gate, _ = make_door()
    page = at_door().post(f"/door/{gate.slug}/", {"code": "  ", "form": "junk"})
    assert (page.status_code, page.context["result"]) == (200, None)


def test_scanner_may_run_webassembly_and_other_pages_may_not() -> None:
    gate, _ = make_door()
    client = at_door("organiser")
    policy = client.get(f"/door/{gate.slug}/")["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "worker-src 'self'" in policy
    elsewhere = client.get(f"/door/{gate.slug}/search/")["Content-Security-Policy"]
    assert "wasm" not in elsewhere

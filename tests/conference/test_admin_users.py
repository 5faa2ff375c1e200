"""The settings of user accounts: who may change whose, and what they are told."""

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpResponse
from django.test import Client, RequestFactory

from conference.models import AuditEntry, Mail, User
from tests.factories import PASSWORD, make_user
from tests.html import page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "asked", "may"),
    [("organiser", True, True), ("organiser", False, False), ("volunteer", True, False)],
)
def test_new_user_gets_the_rights_that_are_given(
    settings_pages: Client, organiser: User, role: str, asked: bool, may: bool
) -> None:
    data = {
        "email": "New@Example.org",
        "role": role,
        "password1": "a long one 7",
        "password2": "a long one 7",
        **({"may_configure": "on"} if asked else {}),
        "is_superuser": "on",
    }
    settings_pages.post("/admin/conference/user/add/", data)
    user = User.objects.get(email="new@example.org")
    assert (user.role, user.is_staff, user.is_superuser) == (role, may, False)
    assert user.may_configure == may
    assert user.check_password("a long one 7")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject) == ("setting added", f"user: {user.pk}")


def test_new_user_with_an_address_in_use_is_refused(settings_pages: Client) -> None:
    make_user("volunteer", email="vera@example.org")
    data = {
        "email": "VERA@example.org",
        "role": "volunteer",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    response = settings_pages.post("/admin/conference/user/add/", data)
    assert response.context["adminform"].form.errors == {
        "email": ["Somebody logs in with this address already."]
    }


def _save_user(pages: Client, user: User, **changed: str) -> HttpResponse:
    data = {"email": user.email, "role": user.role, "is_active": "on"} | changed
    return pages.post(f"/admin/conference/user/{user.pk}/change/", data)


def test_role_change_takes_the_rights_along(settings_pages: Client) -> None:
    other = make_user("organiser", may_configure=True)
    _save_user(settings_pages, other, role="volunteer", may_configure="on")
    other.refresh_from_db()
    assert (other.role, other.may_configure) == ("volunteer", False)


def test_new_address_of_somebody_is_told_to_the_old_one(settings_pages: Client) -> None:
    dana = make_user("volunteer", email="dana@example.org")
    _save_user(settings_pages, dana, first_name="Dana")
    assert Mail.objects.count() == 0
    _save_user(settings_pages, dana, email="other@example.org")
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == (
        "dana@example.org",
        "Your address for logging in was changed",
    )
    assert "other@example.org" not in mail.text + mail.html


@pytest.mark.parametrize(
    "changed", [{"role": "volunteer"}, {"may_configure": ""}, {"is_active": ""}]
)
def test_nobody_takes_their_own_rights_away(
    settings_pages: Client, organiser: User, changed: dict[str, str]
) -> None:
    data = {"may_configure": "on"} | changed
    response = _save_user(settings_pages, organiser, **data)
    organiser.refresh_from_db()
    assert organiser.is_staff
    assert str(next(iter(get_messages(response.wsgi_request)))).startswith(
        "You cannot remove your own access to the settings."
    )


def test_of_two_who_take_each_others_right_away_one_keeps_it(
    organiser: User, rf: RequestFactory
) -> None:
    """The second request was let in while its sender still had the right."""
    other = make_user("organiser", may_configure=True)
    request = rf.post("/")
    request.user = other
    User.objects.filter(pk=other.pk).update(may_configure=False)
    organiser.may_configure = False
    with pytest.raises(PermissionDenied), transaction.atomic():
        admin.site.get_model_admin(User).save_model(request, organiser, Form(), True)
    assert User.objects.get(pk=organiser.pk).is_staff


def test_superuser_is_out_of_reach_of_those_who_are_none(settings_pages: Client) -> None:
    chief = make_user("organiser", may_configure=True, is_superuser=True)
    assert _save_user(settings_pages, chief, email="mine@example.org").status_code == 403
    address = f"/admin/conference/user/{chief.pk}/password/"
    data = {"password1": "another one 8", "password2": "another one 8"}
    answers = [settings_pages.get(address), settings_pages.post(address, data)]
    assert [answer.status_code for answer in answers] == [403, 403]
    shown = page(settings_pages.get(f"/admin/conference/user/{chief.pk}/change/"))
    assert [
        field.get("name") for field in shown.iter("input") if field.get("name") == "email"
    ] == []
    assert User.objects.get(pk=chief.pk).check_password(PASSWORD)
    assert User.objects.get(pk=chief.pk).email == chief.email


def test_superuser_may_change_a_superuser(client: Client) -> None:
    client.force_login(make_user("organiser", may_configure=True, is_superuser=True))
    chief = make_user("organiser", may_configure=True, is_superuser=True)
    _save_user(client, chief, role="volunteer")
    chief.refresh_from_db()
    assert (chief.role, chief.is_superuser) == ("volunteer", True)
    assert not chief.is_staff


def test_superuser_made_on_the_server_may_change_the_settings(client: Client) -> None:
    client.force_login(User.objects.create_superuser("chief@example.org", PASSWORD))
    assert client.get("/admin/").status_code == 200


def test_desk_links_to_the_settings_for_those_who_may_alone(
    client: Client, organiser: User
) -> None:
    def links(user: User) -> list[str]:
        client.force_login(user)
        found = page(client.get("/desk/")).iterfind(".//main//a")
        return [to for link in found if (to := link.get("href", "")).startswith("/admin/")]

    assert links(make_user("organiser")) == []
    assert links(organiser) == ["/admin/", "/admin/conference/conference/add/"]


def test_password_set_by_an_organiser_is_on_record_and_mailed(
    settings_pages: Client, organiser: User
) -> None:
    volunteer = make_user("volunteer")
    data = {"password1": "another one 8", "password2": "another one 8"}
    settings_pages.post(f"/admin/conference/user/{volunteer.pk}/password/", data)
    volunteer.refresh_from_db()
    assert volunteer.check_password("another one 8")
    assert AuditEntry.objects.get().detail == {"changed": ["changed password"]}
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == (volunteer.email, "Your password was changed")


def test_password_set_by_an_organiser_is_as_good_as_ones_own(settings_pages: Client) -> None:
    volunteer = make_user("volunteer")
    for bad in ("short one 8", "conference2027", ""):
        data = {"password1": bad, "password2": bad, "usable_password": "false"}
        response = settings_pages.post(f"/admin/conference/user/{volunteer.pk}/password/", data)
        assert response.status_code == 200
    volunteer.refresh_from_db()
    assert volunteer.check_password(PASSWORD)


@pytest.mark.parametrize(
    "address", ["password_change/", "conference/user/{}/password/", "conference/user/0{}/password/"]
)
def test_ones_own_password_is_changed_where_the_old_one_is_asked_for(
    settings_pages: Client, organiser: User, address: str
) -> None:
    response = settings_pages.get("/admin/" + address.format(organiser.pk))
    assert (response.status_code, response["Location"]) == (302, "/password/")

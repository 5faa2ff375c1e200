"""What a password may be, and what follows a new one."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference import passwords
from conference.models import AuditEntry, Mail, User
from tests.factories import PASSWORD, make_conference, make_organisation, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def olu(settings: Settings) -> User:
    """Olu of a network in the north, whose site has a name of its own."""
    settings.BASE_URL = "https://tickets.listening-together.example"
    make_organisation(name="Northern Réseau Network", short_name="NRN")
    make_conference(venue="The Mill Hall", address="Kirkgate\nOtley")
    return make_user(email="olu.adeyemi@post.example", first_name="Olu", last_name="Adeyemi")


def refusals(password: str, user: User | None) -> list[str | None]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [each.code for each in error.error_list]
    return []


@pytest.mark.parametrize(
    "password",
    [
        *("opendialogue2027", "Open-Dialogue-2027!", "0p3nD1al0gu3!!!!", "conference-2027"),
        *("Bulletin12345678", "b1u2l3l4e5t6i7n8", "passwordpassword", "P@$$w0rd-P@$$w0rd"),
        *("northern-network", "N.o.r.t.h.e.r.n.2027", "reseau reseau reseau", "NRNnrnNRN2027!!"),
        *("listening-together", "l1sten1ng-t0gether", "tickets tickets", "Dialogue-leeds-26"),
        *("aaaaaaaaaaaa", "qwertyuiopas", "summer2026!!", "psychosis2026", "mentalhealth1"),
        *("therapytherapy", "Otley2026Otley!", "the-mill-hall-27"),
        *("1234opendialogue", "...conference...ab", "ｏｐｅｎｄｉａｌｏｇｕｅ２０２７"),
    ],
)
def test_password_of_our_own_words_is_refused(olu: User, password: str) -> None:
    assert refusals(password, None) == ["password_our_words"]


@pytest.mark.parametrize("password", ["olu-adeyemi-26!", "Ad3yem1-2027-!!!", "post-olu-post-1"])
def test_password_of_ones_own_names_is_refused(olu: User, password: str) -> None:
    assert "password_our_words" in refusals(password, olu)


@pytest.mark.parametrize(
    "password",
    [
        *(
            PASSWORD,
            "a long one 7",
            "kettle umbrella fox",
            "9#2%6&4*2^6-",
            "we sing at open windows",
        ),
        *(
            "Żółw-w-kapuście",
            "опен диалогия кот",
            "开放式对话很好很好很好很好",
            "password kettle fox",
        ),
    ],
)
def test_password_with_words_of_its_own_is_taken(olu: User, password: str) -> None:
    assert refusals(password, olu) == []


def test_password_has_twelve_characters_and_is_not_a_common_one() -> None:
    assert refusals("kettle fox!", None) == ["password_too_short"]
    assert refusals("kettle foxes", None) == []
    assert "password_too_common" in refusals("1234567891011", None)


def test_new_password_is_on_record_and_mailed() -> None:
    user = make_user(first_name="Olu")
    passwords.change(user=user, password="kettle umbrella fox", now=timezone.now())
    assert User.objects.get().check_password("kettle umbrella fox")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.by) == ("password changed", f"user: {user.pk}", user)
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == (user.email, "Your password was changed")
    assert "kettle" not in mail.text + mail.html

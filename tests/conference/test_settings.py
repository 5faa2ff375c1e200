"""The settings: a bare checkout runs, and a real site starts only with all that it needs."""

import base64
import os
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

SETTINGS = Path(__file__).parents[2] / "conference" / "settings.py"

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Read:
    """Reads the settings under this environment and no other."""

    def read_under(**environment: str) -> dict[str, Any]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in (kept | {"DATA_DIR": str(tmp_path / "data")} | environment).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return read_under


# Put together here, so that nothing in the file looks like somebody's key.
LIVE_KEY = "_".join(("rk", "live", "0" * 24))
TEST_KEY = "_".join(("sk", "test", "0" * 24))
REAL = {
    "BASE_URL": "https://conference.example.org/",
    "ALLOWED_HOSTS": "conference.example.org",
    "SECRET_KEY": "s" * 50,
    "TICKET_SIGNING_KEYS": f"1:{base64.b64encode(bytes(32)).decode()}",
    "STRIPE_SECRET_KEY": LIVE_KEY,
    "STRIPE_WEBHOOK_SECRET": "whsec_real",
    "EMAIL_URL": "submission://user:password@mail.example.org:587",
    "TICKETS_FROM": "Tickets <tickets@conference.example.org>",
    "BULLETIN_FROM": "Bulletin <bulletin@conference.example.org>",
}


def test_bare_checkout_runs_as_a_trial(read: Read, tmp_path: Path) -> None:
    settings = read()
    assert (settings["TRIAL"], settings["DEBUG"], settings["MAIL_IS_KEPT_LOCALLY"]) == (
        True,
        False,
        True,
    )
    assert settings["BASE_URL"] == "http://127.0.0.1:8000"
    assert settings["STRIPE_API_BASE"] == "http://127.0.0.1:8001"
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "data" / "db.sqlite3")
    assert settings["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]


def test_ports_move_the_addresses(read: Read) -> None:
    settings = read(PORT="9000")
    assert (settings["BASE_URL"], settings["STRIPE_API_BASE"]) == (
        "http://127.0.0.1:9000",
        "http://127.0.0.1:9001",
    )
    assert read(PORT="9000", SANDBOX_PORT="9500")["STRIPE_API_BASE"] == "http://127.0.0.1:9500"


def test_trial_keeps_its_keys(read: Read) -> None:
    first, again = read(), read()
    assert first["SECRET_KEY"] == again["SECRET_KEY"]
    assert first["TICKET_SIGNING_KEYS"] == again["TICKET_SIGNING_KEYS"]


def test_real_site_starts_with_all_that_it_needs(read: Read) -> None:
    settings = read(**REAL)
    assert (settings["TRIAL"], settings["DEBUG"], settings["STRIPE_LIVE"]) == (False, False, True)
    assert settings["BASE_URL"] == "https://conference.example.org"
    assert settings["STRIPE_API_BASE"] == "https://api.stripe.com"
    assert settings["MAIL_IS_KEPT_LOCALLY"] is False
    assert settings["EMAIL_USE_TLS"] is True
    assert settings["LIMIT_FACTOR"] == 1
    secure = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    assert {settings[name] for name in secure} == {True}


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS", "STRIPE_SECRET_KEY"]
)
def test_one_sign_of_a_real_site_ends_the_trial(read: Read, name: str) -> None:
    values = REAL | {"DATABASE_URL": "sqlite:////tmp/x.sqlite3"}
    with pytest.raises(ImproperlyConfigured):
        read(**{name: values[name]})


@pytest.mark.parametrize("name", sorted(REAL))
@pytest.mark.parametrize("blank", [True, False])
def test_real_site_refuses_to_start_without(read: Read, name: str, blank: bool) -> None:
    environment = {key: value for key, value in REAL.items() if key != name}
    if blank:
        environment[name] = ""
    with pytest.raises(ImproperlyConfigured) as caught:
        read(**environment)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"STRIPE_API_BASE": "http://127.0.0.1:8001"}, "STRIPE_API_BASE"),
        ({"STRIPE_API_BASE": "https://api.stripe.com.evil.test"}, "STRIPE_API_BASE"),
        ({"STRIPE_API_BASE": ""}, "STRIPE_API_BASE"),
        ({"STRIPE_SECRET_KEY": TEST_KEY}, "STRIPE_TEST_MODE"),
        ({"STRIPE_SECRET_KEY": "nonsense"}, "STRIPE_TEST_MODE"),
        ({"STRIPE_TEST_MODE": "1"}, "STRIPE_TEST_MODE"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"TRIAL": "1"}, "TRIAL"),
        ({"BASE_URL": "http://conference.example.org"}, "BASE_URL"),
        ({"ALLOWED_HOSTS": "www.example.org"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "conference.example.org,*"}, "ALLOWED_HOSTS"),
        ({"EMAIL_URL": "dummy://"}, "EMAIL_URL"),
        ({"EMAIL_URL": "console://"}, "EMAIL_URL"),
        ({"EMAIL_URL": "memory://"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pa#ss@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pa/ss@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pa?ss@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user@example.org:pass@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:12#4@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:12/4@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:12?4@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://us/er:pass@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pa[ss@mail.example.org"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pass@mail.example.org:abc"}, "EMAIL_URL"),
        ({"EMAIL_URL": "smtps://user:pass@mail.example.org:99999"}, "EMAIL_URL"),
        ({"DATABASE_URL": "postgresql://u:pa?ss=1@db.example.org/tickets"}, "DATABASE_URL"),
        ({"EMAIL_URL": "smtp://mail.example.org?tls=True"}, "EMAIL_URL"),
        ({"DATABASE_URL": "postgresql://u:p/w@db.example.org/tickets"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:1#2@db.example.org/tickets"}, "DATABASE_URL"),
        ({"TICKET_SIGNING_KEYS": "1:short"}, "TICKET_SIGNING_KEYS"),
        ({"EMAIL_URL": "carrier-pigeon://x"}, "EMAIL_URL"),
        ({"SECURITY_CONTACT": "security@example.org"}, "SECURITY_CONTACT"),
        ({"SECURITY_CONTACT": "mailto:a@example.org\nContact: tel:1"}, "SECURITY_CONTACT"),
        ({"EMAIL_URL": "smtp://mail.example.org"}, "unencrypted"),
        ({"EMAIL_URL": "smtp://user:password@10.0.0.5:587"}, "unencrypted"),
        ({"EMAIL_URL": "smtp://localhost.example.org"}, "unencrypted"),
    ],
)
def test_unsafe_mixture_is_refused(read: Read, changes: dict[str, str], says: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(**REAL | changes)
    assert says in str(caught.value)


def test_what_is_left_as_in_the_example_is_refused(read: Read) -> None:
    example = SETTINGS.parents[1] / "deploy" / "hosting" / "environment.example"
    given = re.findall("^(?:# )?([A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE)
    left = {name: value for name, value in given if re.search("[A-Z]{4}", value)}
    assert {"BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL", "TICKETS_FROM", "DATABASE_URL"} < left.keys()
    for name, value in left.items():
        with pytest.raises(ImproperlyConfigured, match=f"{name} still holds a placeholder"):
            read(**REAL | {name: value})


def test_rehearsal_with_stripes_test_mode_says_so(read: Read) -> None:
    settings = read(**REAL | {"STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_TEST_MODE": "1"})
    assert (settings["STRIPE_LIVE"], settings["TRIAL"]) == (False, False)


def test_limits_against_abuse_cannot_be_lifted_on_a_real_site(read: Read) -> None:
    assert read(**REAL | {"LIMIT_FACTOR": "1000"})["LIMIT_FACTOR"] == 1


def test_value_of_the_wrong_kind_is_refused(read: Read) -> None:
    for name, value in (("PORT", "eighty"), ("TRIAL", "perhaps"), ("PROXIES", "one")):
        with pytest.raises(Exception, match=name):
            read(**{name: value})


def test_postgresql_is_taken_from_its_address(read: Read) -> None:
    settings = read(**REAL | {"DATABASE_URL": "postgresql://u:p@db.example.org/tickets"})
    database = settings["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["CONN_HEALTH_CHECKS"]) == (
        "django.db.backends.postgresql",
        "db.example.org",
        True,
    )


def test_password_in_an_address_may_be_percent_encoded(read: Read) -> None:
    settings = read(**REAL | {"EMAIL_URL": "smtps://user%40x:pa%23%2Fss@mail.example.org"})
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("user@x", "pa#/ss")
    assert settings["EMAIL_HOST"] == "mail.example.org"


@pytest.mark.parametrize(
    ("url", "ssl", "tls", "port"),
    [
        ("submission://user:pass@mail.example.org", False, True, 587),
        ("submission://user:pass@mail.example.org:2587", False, True, 2587),
        ("smtps://user:pass@mail.example.org", True, False, 465),
        ("smtps://user:pass@mail.example.org:2465", True, False, 2465),
        ("smtp://localhost", False, False, 25),
        ("smtp://127.0.0.53:2525", False, False, 2525),
        ("smtp://[::1]", False, False, 25),
    ],
)
def test_mail_goes_out_by_the_protocol_that_its_address_names(
    read: Read, url: str, ssl: bool, tls: bool, port: int
) -> None:
    settings = read(**REAL | {"EMAIL_URL": url})
    said = [settings[f"EMAIL_{name}"] for name in ("USE_SSL", "USE_TLS", "PORT")]
    assert said == [ssl, tls, port]


def test_trial_may_send_mail_unencrypted(read: Read) -> None:
    assert read(EMAIL_URL="smtp://mail.example.org")["EMAIL_HOST"] == "mail.example.org"


def test_cookies_of_a_real_site_are_bound_to_its_host(read: Read) -> None:
    """Browsers refuse a cookie of such a name unless it is Secure, for all paths, of one host."""
    real, trial = read(**REAL), read()
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "MESSAGE_STORAGE")
    assert [real[name] for name in names] == [
        "__Host-sessionid",
        "__Host-csrftoken",
        "conference.cookies.HostMessages",
    ]
    # Without HTTPS a trial cannot have them.
    assert [trial.get(name) for name in names] == [
        None,
        None,
        "django.contrib.messages.storage.cookie.CookieStorage",
    ]
    given = ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "SESSION_COOKIE_PATH")
    assert [name for name in given if name in real] == []


def test_whole_domain_is_bound_to_https_only_if_asked_for(read: Read) -> None:
    names = ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD")
    assert [read(**REAL)[name] for name in ("SECURE_HSTS_SECONDS", *names)] == [
        365 * 24 * 60 * 60,
        False,
        False,
    ]
    assert [read(**REAL, **dict.fromkeys(names, "1"))[name] for name in names] == [True, True]


def test_address_may_have_an_at_sign_elsewhere(read: Read) -> None:
    for url in ("sqlite:////tmp/a@b.sqlite3", "postgresql://db.example.org/x?application_name=a@b"):
        read(**REAL | {"DATABASE_URL": url})


def test_subdomain_may_be_named_by_its_domain(read: Read) -> None:
    assert read(**REAL | {"ALLOWED_HOSTS": ".example.org"})["ALLOWED_HOSTS"] == [".example.org"]


def test_statements_are_counted_for_benchmarks_alone(read: Read) -> None:
    counts = "conference.timing.server_timing"
    assert counts not in read()["MIDDLEWARE"]
    assert read(SERVER_TIMING="1")["MIDDLEWARE"][0] == counts
    assert counts not in read(**REAL | {"SERVER_TIMING": "1"})["MIDDLEWARE"]


def test_trial_runs_the_middleware_of_a_real_site(read: Read) -> None:
    assert read()["MIDDLEWARE"] == read(**REAL)["MIDDLEWARE"]


def test_database_file_is_read_by_nobody_else(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "data" / "db.sqlite3"
    read()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.chmod(0o644)
    read()
    assert file.stat().st_mode & 0o777 == 0o640

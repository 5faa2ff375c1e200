"""Joining the Bulletin and leaving it: each state, and the proof that is kept of each step."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from conference.models import Mail
from signup import actions, links, wording
from signup.models import Consent, Subscriber, Suppression
from tests.factories import make_order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
Status = Subscriber.Status
Step = Consent.Step
Source = Consent.Source
NOW = timezone.now()


def sign_up(email: str = "ada@example.org", now: object = NOW) -> Subscriber | None:
    """Ask by the Bulletin's own form; the subscriber, if there is one now."""
    actions.sign_up(
        email=email,
        first_name="Ada",
        last_name="Lovelace",
        source=Source.BULLETIN_PAGE,
        now=now,  # type: ignore[arg-type]
    )
    return Subscriber.objects.filter(email=email.lower()).first()


def confirmed(email: str = "ada@example.org") -> Subscriber:
    subscriber = sign_up(email)
    assert subscriber is not None
    return actions.confirm(subscriber=subscriber, now=NOW)


def steps(subscriber: Subscriber) -> list[tuple[str, str]]:
    """Each step that was written down, and where it was taken."""
    return list(subscriber.consents.values_list("step", "source"))


def test_sign_up_is_pending_with_the_exact_words(work: Work) -> None:
    subscriber = sign_up()
    assert subscriber is not None
    assert (subscriber.status, subscriber.requested_at) == (Status.PENDING, NOW)
    consent = subscriber.consents.get()
    assert (consent.step, consent.source, consent.at, consent.basis) == (
        Step.REQUESTED,
        Source.BULLETIN_PAGE,
        NOW,
        "consent",
    )
    assert (consent.wording, consent.wording_version, consent.privacy_version) == (
        wording.form_wording(),
        wording.WORDING_VERSION,
        wording.PRIVACY_VERSION,
    )


def test_confirmed_is_written_down_once() -> None:
    subscriber = confirmed()
    actions.confirm(subscriber=subscriber, now=NOW)
    subscriber.refresh_from_db()
    assert (subscriber.status, subscriber.confirmed_at) == (Status.CONFIRMED, NOW)
    assert steps(subscriber) == [
        (Step.REQUESTED, Source.BULLETIN_PAGE),
        (Step.CONFIRMED, Source.CONFIRM_PAGE),
    ]


@pytest.mark.parametrize("source", [Source.UNSUBSCRIBE_PAGE, Source.ONE_CLICK])
def test_unsubscribed_is_written_down_once(source: Consent.Source) -> None:
    subscriber = confirmed()
    for _ in range(2):
        actions.unsubscribe(subscriber=subscriber, source=source, now=NOW)
    subscriber.refresh_from_db()
    assert (subscriber.status, subscriber.ended_at) == (Status.UNSUBSCRIBED, NOW)
    assert steps(subscriber)[2:] == [(Step.WITHDRAWN, source)]


def test_old_button_brings_nobody_back() -> None:
    subscriber = confirmed()
    actions.unsubscribe(subscriber=subscriber, source=Source.ONE_CLICK, now=NOW)
    assert actions.confirm(subscriber=subscriber, now=NOW).status == Status.UNSUBSCRIBED


def test_sign_up_after_leaving_is_pending_again() -> None:
    subscriber = confirmed()
    actions.unsubscribe(subscriber=subscriber, source=Source.ONE_CLICK, now=NOW)
    again = sign_up(now=NOW + timedelta(hours=1))
    assert again == subscriber
    assert again is not None
    assert (again.status, again.ended_at) == (Status.PENDING, None)
    assert actions.confirm(subscriber=again, now=NOW).status == Status.CONFIRMED


def test_sign_up_of_a_subscriber_keeps_them() -> None:
    subscriber = confirmed()
    assert sign_up(now=NOW + timedelta(hours=1)) == subscriber
    subscriber.refresh_from_db()
    assert subscriber.status == Status.CONFIRMED
    mails = [mail.subject for mail in Mail.objects.order_by("created_at")]
    assert mails == ["Please confirm the Bulletin", "You already receive the Bulletin"]


def test_suppressed_address_is_never_written_to() -> None:
    Suppression.objects.create(digest=actions.digest_of("Ada@Example.org"), reason="erased", at=NOW)
    assert sign_up() is None
    assert (Subscriber.objects.count(), Mail.objects.count()) == (0, 0)


def test_suppressed_address_stays_so_under_a_new_secret_key(settings: LazySettings) -> None:
    Suppression.objects.create(digest=actions.digest_of("a@x.org"), reason="erased", at=NOW)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert (actions.is_suppressed("a@x.org"), actions.is_suppressed("b@x.org")) == (True, False)


@pytest.mark.parametrize("status", [Status.COMPLAINED, Status.BOUNCED])
def test_who_complained_is_never_written_to_and_who_bounced_may_try_again(
    status: Subscriber.Status,
) -> None:
    confirmed()
    Subscriber.objects.update(status=status)
    Mail.objects.all().delete()
    sign_up(now=NOW + timedelta(hours=1))
    seen = (Subscriber.objects.get().status, Mail.objects.count())
    expected = {Status.COMPLAINED: ("complained", 0), Status.BOUNCED: ("pending", 1)}
    assert seen == expected[status]


def test_address_is_one_whatever_its_case() -> None:
    assert sign_up("Ada@Example.ORG") == sign_up("ada@example.org")
    assert Subscriber.objects.get().email == "ada@example.org"


def test_address_is_mailed_once_in_a_quarter_of_an_hour() -> None:
    quarter = NOW.replace(minute=0, second=0)
    for minutes in (0, 1, 14, 15, 16, 44, 45):
        sign_up(now=quarter + timedelta(minutes=minutes))
    assert Mail.objects.count() == 4


def test_first_mail_has_the_links_and_nothing_that_was_typed() -> None:
    subscriber = sign_up()
    assert subscriber is not None
    mail = Mail.objects.get()
    assert (mail.to, mail.headers) == (
        "ada@example.org",
        {
            "List-Unsubscribe": mail.headers["List-Unsubscribe"],
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    assert mail.headers["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/bulletin/")
    for text in (mail.text, mail.html):
        assert "/bulletin/confirm/" in text
        assert "/bulletin/unsubscribe/" in text
        assert "Lovelace" not in text
    token = mail.headers["List-Unsubscribe"].split("/")[-2]
    assert links.subscriber_to_unsubscribe(token) == subscriber


def test_sign_up_that_nobody_confirmed_is_forgotten_after_a_week() -> None:
    sign_up()
    actions.sweep(NOW + timedelta(days=7))
    assert Subscriber.objects.count() == 1
    actions.sweep(NOW + timedelta(days=7, seconds=1))
    assert (Subscriber.objects.count(), Consent.objects.count()) == (0, 0)


def test_whoever_stops_a_sign_up_that_was_never_theirs_is_forgotten_as_well() -> None:
    subscriber = sign_up()
    actions.unsubscribe(subscriber=subscriber, source=Source.UNSUBSCRIBE_PAGE, now=NOW)
    actions.sweep(NOW + timedelta(days=7, seconds=1))
    assert (Subscriber.objects.count(), Consent.objects.count()) == (0, 0)


def test_old_subscriber_who_does_not_confirm_again_stays_unsubscribed() -> None:
    subscriber = confirmed()
    actions.unsubscribe(subscriber=subscriber, source=Source.ONE_CLICK, now=NOW)
    sign_up(now=NOW)
    later = NOW + timedelta(days=8)
    actions.sweep(later)
    subscriber.refresh_from_db()
    assert (subscriber.status, subscriber.ended_at) == (Status.UNSUBSCRIBED, later)
    assert len(steps(subscriber)) == 4


def test_sweep_leaves_subscribers_alone() -> None:
    subscriber = confirmed()
    actions.sweep(NOW + timedelta(days=1000))
    subscriber.refresh_from_db()
    assert subscriber.status == Status.CONFIRMED


def test_tick_on_the_ticket_form_is_pending_and_confirmed_from_the_ticket_mail(
    work: Work,
) -> None:
    make_order(bulletin_wording=wording.box_wording())
    subscriber = Subscriber.objects.get()
    consent = subscriber.consents.get()
    assert (subscriber.status, consent.source, consent.wording) == (
        Status.PENDING,
        Source.TICKET_FORM,
        wording.box_wording(),
    )
    work()
    assert [mail.key.split(":")[0] for mail in Mail.objects.all()] == ["tickets"]
    assert "/bulletin/confirm/" in Mail.objects.get().text


def test_no_tick_is_no_sign_up() -> None:
    make_order()
    assert Subscriber.objects.count() == 0


def test_tick_by_a_subscriber_brings_no_button(work: Work) -> None:
    confirmed()
    Mail.objects.all().delete()
    make_order(bulletin_wording=wording.box_wording())
    work()
    assert "/bulletin/confirm/" not in Mail.objects.get().text

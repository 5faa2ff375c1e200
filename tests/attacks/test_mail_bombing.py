"""Somebody wants us to fill a stranger's inbox, or to carry their words to strangers.

All ways that lead to a mail are tried on one victim in one day, and one free order is used to write
to as many strangers as it can. What must hold: an address gets ten mails a day at most, one that
somebody else gave four; nothing that somebody typed reaches an address that somebody else gave; and
whoever is bombed still gets the tickets that they reserve themselves.
"""

import io
from collections.abc import Callable
from email.message import EmailMessage

import pypdf
import pytest
from django.test import Client
from django.utils import timezone

from conference import mail
from conference.models import Conference, Mail
from tests.clock import Clock
from tests.factories import make_conference
from tests.html import field_errors, fields, notices
from tests.mails import MailServer
from tests.tickets.views.filled import filled, send
from tickets import sweep
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
VICTIM = "victim@example.org"
TYPED = "Your account is closed, call us at once"


def reserved(client: Client, conference: Conference, **changes: str) -> Order:
    """A free order by the form."""
    answer = send(client, conference, filled(client, conference, **changes))
    return Order.objects.get(secret=answer["Location"].split("/")[-2])


def rename(client: Client, order: Order, email: str, name: str = TYPED) -> None:
    """Correct the first ticket's name, and give an address for it."""
    reference = order.tickets.all()[0].reference
    new = {"attendee_name": name, "attendee_email": email}
    client.post(f"/orders/{order.secret}/{reference}/name/", new)


def resend(client: Client, order: Order) -> None:
    client.post(f"/orders/{order.secret}/resend/")


def ask_for_links(client: Client) -> None:
    client.post("/orders/", {"email": VICTIM})


def sign_up(client: Client, clock: Clock) -> None:
    form = fields(client.get("/bulletin/"), action="/bulletin/") | {"email": VICTIM}
    clock.advance(seconds=5)
    client.post("/bulletin/", form)


def mails_to(address: str) -> int:
    return Mail.objects.filter(to=address).count()


def texts(message: EmailMessage) -> str:
    """All that a person could read of a message: subject, both parts, PDF, calendar, file names."""
    said = [str(message["Subject"])]
    for part in message.walk():
        if part.get_content_type() == "application/pdf":
            pdf = pypdf.PdfReader(io.BytesIO(part.get_content()))
            said += [page.extract_text() for page in pdf.pages]
            said += [str(pdf.metadata)]
        elif not part.is_multipart():
            said.append(str(part.get_content()))
        said.append(part.get_filename() or "")
    return "\n".join(said)


def test_one_address_gets_ten_mails_a_day_whichever_way_leads_there(
    client: Client, clock: Clock, work: Work
) -> None:
    conference = make_conference()
    for hour in range(5):
        theirs = reserved(client, conference, name=TYPED, email=VICTIM)
        others = reserved(client, conference, email=f"attacker{hour}@example.org")
        for _ in range(3):
            rename(client, others, VICTIM)
            for order in (theirs, others):
                resend(client, order)
            ask_for_links(client)
            work()
        sign_up(client, clock)
        clock.advance(hours=1)
        work()
    assert mails_to(VICTIM) == mail.MOST_TO_AN_ADDRESS


def test_places_that_are_let_go_again_and_again_write_no_more_than_that(
    client: Client, clock: Clock, work: Work
) -> None:
    conference = make_conference()
    send(client, conference, filled(client, conference, email=VICTIM, gift="500"))
    order = Order.objects.get()
    for _ in range(12):
        clock.advance(hours=1)
        sweep.sweep(timezone.now())
        client.post(f"/orders/{order.secret}/again/")
    assert mails_to(VICTIM) == mail.MOST_TO_AN_ADDRESS


def test_whoever_is_bombed_gets_their_own_tickets(
    client: Client, clock: Clock, work: Work, smtp: MailServer
) -> None:
    conference = make_conference()
    for _ in range(12):
        reserved(client, conference, name=TYPED, email=VICTIM)
        work()
    mine = reserved(Client(REMOTE_ADDR="192.0.2.9"), conference, name="Vic", email=VICTIM)
    work()
    page = client.get(f"/orders/{mine.secret}/").content.decode()
    assert mine.tickets.get().reference in page  # at once
    assert mails_to(VICTIM) == 10
    for _ in range(25):
        clock.advance(hours=1)
        work()
    assert Mail.objects.filter(to=VICTIM, about=mine.reference).count() == 1


def test_one_order_cannot_be_used_to_write_to_many_strangers(
    client: Client, clock: Clock, work: Work, smtp: MailServer
) -> None:
    order = reserved(client, make_conference(), name=TYPED, email="attacker@example.org")
    for number in range(60):
        clock.advance(minutes=20)
        rename(client, order, f"stranger{number}@example.org")
        resend(client, order)
        work()
    strangers = [m for m in smtp.messages if str(m["To"]).startswith("stranger")]
    assert len(smtp.messages) <= mail.MOST_OF_AN_ORDER
    assert 0 < len(strangers) <= 10  # five times a day, and midnight may lie between
    assert [m["To"] for m in strangers if "closed" in texts(m)] == []


def test_mail_to_an_address_that_somebody_else_gave_says_who_gave_it(
    client: Client, work: Work, smtp: MailServer
) -> None:
    sent = filled(client, conference := make_conference(), name=TYPED, email="booker@example.org")
    sent |= {"form-0-attendee_name": TYPED, "form-0-attendee_email": VICTIM}
    send(client, conference, sent)
    work()
    (message,) = (m for m in smtp.messages if m["To"] == VICTIM)
    said = texts(message)
    assert ("booker@example.org" in said, "closed" in said) == (True, False)
    assert Order.objects.get().tickets.get().reference in said  # it is a ticket all the same


ONE_INBOX = (
    "v.ic.tim@gmail.com",
    "victim+1@gmail.com",
    "VICTIM@googlemail.com",
    "vict.im+a.b@gmail.com",
)


def test_spelling_an_address_otherwise_is_no_way_round(client: Client, work: Work) -> None:
    conference = make_conference()
    for address in ONE_INBOX * 4:
        reserved(client, conference, email=address)
        work()
    assert Mail.objects.count() == mail.MOST_TO_AN_ADDRESS


def test_order_for_ten_strangers_is_mailed_twice_a_day_at_most(client: Client, work: Work) -> None:
    conference = make_conference(types={"Professional": 500})
    sent = filled(client, conference, names=[f"A{'b' * n}" for n in range(10)])
    sent |= {f"form-{n}-attendee_email": f"stranger{n}@example.org" for n in range(10)}
    send(client, conference, sent | {"email": "attacker@example.org"})
    work()
    for _ in range(4):
        resend(client, Order.objects.get())
        work()
    assert Mail.objects.count() == mail.MOST_OF_AN_ORDER


def test_answer_to_send_again_does_not_tell_how_often_others_wrote_there(
    client: Client, clock: Clock, work: Work
) -> None:
    conference = make_conference()
    first, second = (
        reserved(client, conference, email=email) for email in (VICTIM, "b@example.org")
    )
    for _ in range(12):
        reserved(client, conference, email=VICTIM)
    work()
    said = []
    for order in (first, second):
        client.post(f"/orders/{order.secret}/resend/")
        said.append(notices(client.get(f"/orders/{order.secret}/")))
    assert said[0] == said[1]


LOOK_LIKE_LINKS = (
    *("www.evil.com/login?x=1#a@evil.com", "evil.com/a@evil.com", "a%2fb@evil.com", "a=b@evil.com"),
    "a&b@evil.com",
)


@pytest.mark.parametrize("address", LOOK_LIKE_LINKS)
def test_address_that_looks_like_one_of_the_web_is_refused(client: Client, address: str) -> None:
    sent = filled(client, conference := make_conference(), email=address)
    answer = send(client, conference, sent)
    assert field_errors(answer) == {"email": "Enter an e-mail address like name@example.org."}


LINKS = (
    *("evil.example/login", "Your NHS account: evil.example/login", "evil.com", "EVIL.CO.UK"),
    *("http://evil", "https:evil", "www.evil", "evil。com", "evil．com", "ｅｖｉｌ.ｃｏｍ"),
    *("ev\u200bil.c\u200dom", "банк.рф", "xn--evil", "1.2.3.4", "evil.example:8080"),
    *("evil.example?a", "evil.example #a", "mailto:a", "ada@example.org", "Ada evil.org Lovelace"),
    *(
        "evil.zip",
        "me@evil.bid",
        "evil.москва",
        "evil.みんな",
        "\\\\evil\\share",
        "//evil",
        "sip:a",
    ),
)
NAMES = (
    *("J.R.R. Tolkien", "Anne-Marie O'Neil", "Smith, John", "Dr. Li", "A.B. Cohen", "St. John"),
    *("山田 太郎", "Łucja", "Ann M.A.", "c/o Smith", "Ann (b.1970)", "Mr.T", "A/B", "Louis XIV."),
    *("J.Li", "K.Ng", "D.Le Roux", "J.St Clair", "Charles III"),
)


@pytest.mark.parametrize("name", LINKS)
def test_name_that_a_mail_program_would_make_a_link_is_refused_kindly(
    client: Client, name: str
) -> None:
    sent = filled(client, conference := make_conference(), name=name)
    sent["form-0-attendee_name"] = name
    answer = send(client, conference, sent)
    advice = (
        "Enter a name here, not an e-mail address."
        if "@" in name
        else "This looks like a web address. Enter a name, with a space after each full stop: "
        "'Dr. Li', not 'Dr.Li'."
    )
    assert field_errors(answer) == {"name": advice, "form-0-attendee_name": advice}
    assert fields(answer)["name"] == name  # kept, to be corrected
    bulletin = fields(client.get("/bulletin/"), action="/bulletin/") | {"email": VICTIM}
    answer = client.post("/bulletin/", bulletin | {"first_name": name, "last_name": name})
    assert field_errors(answer) == {"first_name": advice, "last_name": advice}


@pytest.mark.parametrize("name", NAMES)
def test_name_that_only_has_a_full_stop_is_a_name(client: Client, name: str) -> None:
    sent = filled(client, conference := make_conference(), name=name)
    assert send(client, conference, sent).status_code == 302


@pytest.mark.parametrize("name", ["Call 0909 879", "Ada ０９０９８７９", "٠٩٠٩٨٧٩ Ada"])
def test_telephone_number_is_no_name(client: Client, name: str) -> None:
    sent = filled(client, conference := make_conference(), name=name)
    answer = send(client, conference, sent)
    assert field_errors(answer) == {"name": "Enter a name without a telephone number."}

"""An address for every name there is, of a site where something has happened."""

from collections.abc import Iterator
from datetime import date

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver

from conference.models import Mail, MailAttachment
from signup import links
from signup.models import Consent, Edition
from tests.factories import make_conference, make_gate, make_order, make_subscriber
from tests.queue import run_queue


def names_of(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    """The names of all addresses, with their name spaces."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from names_of(pattern.url_patterns, space + inner)
        elif pattern.name:
            yield space + pattern.name


def make_addresses() -> dict[str, str]:
    """An address for every name, of a site where something has happened."""
    conference = make_conference()
    order = make_order(conference, names=("Ada", "Grace"))
    waiting = make_order(conference, gift_pence=500)
    ticket = order.tickets.all()[0]
    gate = make_gate(conference)
    make_gate(conference, "Garden door")
    edition = Edition(number=1, title="One", body="Hello", published_on=date(2026, 1, 1))
    edition.pdf.save("one.pdf", ContentFile(b"%PDF-1.4"))
    subscriber = make_subscriber(Consent.Source.HOME_PAGE)
    run_queue()
    mail = Mail.objects.exclude(attachments=None)[0]
    return {
        "conference:home": "/",
        "conference:privacy": "/privacy/",
        "conference:accessibility": "/accessibility/",
        "conference:security_txt": "/.well-known/security.txt",
        "conference:login": "/login/",
        "conference:after_login": "/login/done/",
        "conference:logout": "/logout/",
        "conference:password": "/password/",
        "conference:password_forgotten": "/password/forgotten/",
        "conference:password_new": "/password/new/MQ/no-token/",
        "conference:media": f"/media/{edition.pdf.name}",
        "conference:outbox": "/outbox/",
        "conference:outbox_mail": f"/outbox/{mail.pk}/",
        "conference:outbox_html": f"/outbox/{mail.pk}/html/",
        "conference:outbox_attachment": (
            f"/outbox/files/{MailAttachment.objects.order_by('pk')[0].pk}/"
        ),
        "signup:bulletin": "/bulletin/",
        "signup:edition": "/bulletin/1/",
        "signup:confirm": links.confirm_url(subscriber).partition("8000")[2],
        "signup:unsubscribe": links.unsubscribe_url(subscriber).partition("8000")[2],
        "tickets:conference": f"/{conference.slug}/",
        "tickets:reserve": f"/{conference.slug}/reserve/",
        "tickets:lost_link": "/orders/",
        "tickets:change_amount": f"/orders/{waiting.secret}/amount/",
        **of_order(f"/orders/{order.secret}", ticket.reference),
        **of_door(f"/door/{gate.slug}"),
        **of_desk(f"/desk/orders/{order.reference}", mail),
    }


def of_order(order: str, reference: str) -> dict[str, str]:
    return {
        "tickets:order": f"{order}/",
        "tickets:returned": f"{order}/returned/",
        "tickets:pay": f"{order}/pay/",
        "tickets:without_donation": f"{order}/free/",
        "tickets:retake": f"{order}/again/",
        "tickets:resend": f"{order}/resend/",
        "tickets:order_pdf": f"{order}/tickets.pdf",
        "tickets:order_calendar": f"{order}/conference.ics",
        "tickets:ticket_pdf": f"{order}/{reference}.pdf",
        "tickets:correct_name": f"{order}/{reference}/name/",
        "tickets:cancel_ticket": f"{order}/{reference}/cancel/",
    }


def of_door(door: str) -> dict[str, str]:
    return {
        "door:gates": "/door/",
        "door:scanner": f"{door}/",
        "door:scan": f"{door}/scan/",
        "door:undo": f"{door}/undo/",
        "door:counts": f"{door}/counts/",
        "door:search": f"{door}/search/",
    }


def of_desk(desk: str, mail: Mail) -> dict[str, str]:
    key = "00000000-0000-0000-0000-000000000000"
    return {
        "desk:home": "/desk/",
        "desk:orders": "/desk/orders/",
        "desk:export_orders": "/desk/orders.csv",
        "desk:attendees": "/desk/attendees/",
        "desk:export_attendees": "/desk/attendees.csv",
        "desk:order": f"{desk}/",
        "desk:resend": f"{desk}/resend/",
        "desk:cancel_order": f"{desk}/cancel/",
        "desk:correct_email": f"{desk}/email/",
        "desk:correct_name": f"{desk}/1/name/",
        "desk:cancel_ticket": f"{desk}/1/cancel/",
        "desk:reissue": f"{desk}/1/replace/",
        "desk:mails": "/desk/mails/",
        "desk:retry_all": "/desk/mails/retry/",
        "desk:retry": f"/desk/mails/{mail.pk}/retry/",
        "desk:attention": "/desk/attention/",
        "desk:clock_is_right": "/desk/attention/clock/",
        "desk:send_withheld": "/desk/attention/withheld/send/",
        "desk:drop_withheld": "/desk/attention/withheld/drop/",
        "desk:close_payment": f"/desk/attention/payments/{key}/",
        "desk:refund_again": f"/desk/attention/refunds/{key}/",
        "desk:paid_back": f"/desk/attention/refunds/{key}/paid/",
        "desk:took_back": "/desk/attention/events/evt_none/took-back/",
        "desk:close_event": "/desk/attention/events/evt_1/",
        "desk:audit": "/desk/audit/",
    }

"""Addresses of the organisers' desk, under /desk/."""

from django.urls import path

from conference.desk import attention, exports, glance, lists, log, mails, one_order

app_name = "desk"

_order = "orders/<str:reference>/"
_ticket = "orders/<str:reference>/<int:number>/"

urlpatterns = [
    path("", glance.home, name="home"),
    path("orders/", lists.orders, name="orders"),
    path("orders.csv", exports.orders, {"kind": "csv"}, name="export_orders"),
    path("orders.xlsx", exports.orders, {"kind": "xlsx"}, name="export_orders"),
    path("attendees/", lists.attendees, name="attendees"),
    path("attendees.csv", exports.attendees, {"kind": "csv"}, name="export_attendees"),
    path("attendees.xlsx", exports.attendees, {"kind": "xlsx"}, name="export_attendees"),
    path(_order, one_order.order_page, name="order"),
    path(f"{_order}resend/", one_order.resend, name="resend"),
    path(f"{_order}email/", one_order.correct_email, name="correct_email"),
    path(f"{_order}cancel/", one_order.cancel, name="cancel_order"),
    path(f"{_ticket}name/", one_order.correct_name, name="correct_name"),
    path(f"{_ticket}cancel/", one_order.cancel_ticket, name="cancel_ticket"),
    path(f"{_ticket}replace/", one_order.reissue, name="reissue"),
    path("mails/", mails.mails, name="mails"),
    path("mails/retry/", mails.retry_all, name="retry_all"),
    path("mails/<uuid:mail_id>/retry/", mails.retry, name="retry"),
    path("attention/", attention.attention, name="attention"),
    path("attention/clock/", attention.clock_is_right, name="clock_is_right"),
    path("attention/withheld/send/", attention.send_withheld, name="send_withheld"),
    path("attention/withheld/drop/", attention.drop_withheld, name="drop_withheld"),
    path("attention/payments/<uuid:key>/", attention.close_payment, name="close_payment"),
    path("attention/refunds/<uuid:key>/", attention.refund_again, name="refund_again"),
    path("attention/refunds/<uuid:key>/paid/", attention.paid_back, name="paid_back"),
    path("attention/events/<str:event_id>/", attention.close_event, name="close_event"),
    path("attention/events/<str:event_id>/took-back/", attention.took_back, name="took_back"),
    path("audit/", log.audit, name="audit"),
]

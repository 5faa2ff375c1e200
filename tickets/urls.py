from django.urls import path

from tickets.views import orders, paying, reserving

app_name = "tickets"
urlpatterns = [
    path("orders/", orders.lost_link, name="lost_link"),
    path("orders/<str:secret>/", orders.order_page, name="order"),
    path("orders/<str:secret>/returned/", paying.returned, name="returned"),
    path("orders/<str:secret>/pay/", paying.pay, name="pay"),
    path("orders/<str:secret>/amount/", paying.change_amount, name="change_amount"),
    path("orders/<str:secret>/free/", paying.without_donation, name="without_donation"),
    path("orders/<str:secret>/again/", paying.retake, name="retake"),
    path("orders/<str:secret>/resend/", orders.resend, name="resend"),
    path("orders/<str:secret>/tickets.pdf", orders.order_pdf, name="order_pdf"),
    path("orders/<str:secret>/conference.ics", orders.order_calendar, name="order_calendar"),
    path("orders/<str:secret>/<str:reference>.pdf", orders.ticket_pdf, name="ticket_pdf"),
    path("orders/<str:secret>/<str:reference>/name/", orders.correct_name, name="correct_name"),
    path("orders/<str:secret>/<str:reference>/cancel/", orders.cancel_ticket, name="cancel_ticket"),
    # Last of all the site's URLs: a conference's slug may be any word that is not taken above.
    path("<slug:slug>/", reserving.conference_page, name="conference"),
    path("<slug:slug>/reserve/", reserving.reserve, name="reserve"),
]

"""The site's URLs. They are printed on posters and linked in mails, so they must not change."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from conference import errors, health
from conference.pages import log_in, outbox, passwords, views
from donations import webhooks

site = (
    [
        path("", views.home, name="home"),
        path("privacy/", views.privacy, name="privacy"),
        path("accessibility/", views.accessibility, name="accessibility"),
        path(".well-known/security.txt", views.security_txt, name="security_txt"),
        path("login/", log_in.Login.as_view(), name="login"),
        path("login/done/", log_in.after_login, name="after_login"),
        path("logout/", LogoutView.as_view(next_page="conference:home"), name="logout"),
        path("password/", passwords.Change.as_view(), name="password"),
        path("password/forgotten/", passwords.forgotten, name="password_forgotten"),
        path("password/new/<uidb64>/<token>/", passwords.New.as_view(), name="password_new"),
        path("healthz", health.healthz, name="healthz"),
        path("readyz", health.readyz, name="readyz"),
        path("media/<path:path>", views.media, name="media"),
        path("outbox/", outbox.outbox, name="outbox"),
        path("outbox/<uuid:mail_id>/", outbox.outbox_mail, name="outbox_mail"),
        path("outbox/<uuid:mail_id>/html/", outbox.outbox_html, name="outbox_html"),
        path(
            "outbox/files/<int:attachment_pk>/", outbox.outbox_attachment, name="outbox_attachment"
        ),
    ],
    "conference",
)

urlpatterns = [
    path("", include(site)),
    path("stripe/webhook/", webhooks.receive, name="stripe_webhook"),
    path("door/", include("tickets.door.urls")),
    path("desk/", include("conference.desk.urls")),
    path("admin/", admin.site.urls),
    path("", include("signup.urls")),
    path("", include("tickets.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken

"""The site's addresses. They are printed on posters and in mails: they do not change."""

from django.urls import include, path

urlpatterns: list = []
handler400 = "conference.errors.bad_request"

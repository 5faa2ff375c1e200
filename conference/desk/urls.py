"""Addresses of the organisers' desk, under /desk/."""

from django.urls import path

from conference.desk import glance

app_name = "desk"

urlpatterns = [
    path("", glance.home, name="home"),
]

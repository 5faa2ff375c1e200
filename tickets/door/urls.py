"""The door's addresses, below /door/."""

from django.urls import path

from tickets.door import views

app_name = "door"

urlpatterns = [
    path("", views.gates, name="gates"),
    path("<slug:gate_slug>/", views.scanner, name="scanner"),
    path("<slug:gate_slug>/scan/", views.scan, name="scan"),
    path("<slug:gate_slug>/undo/", views.undo, name="undo"),
    path("<slug:gate_slug>/counts/", views.counts, name="counts"),
    path("<slug:gate_slug>/search/", views.search, name="search"),
]

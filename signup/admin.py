"""The Bulletin's editions: written and published by organisers."""

from django.contrib import admin

from conference.configuration import AuditedAdmin
from signup.models import Edition


@admin.register(Edition)
class EditionAdmin(AuditedAdmin):
    """One number of the Bulletin, as text, as PDF, or both."""

    list_display = ("number", "title", "published_on")
    fields = ("number", "title", "published_on", "summary", "body", "pdf")

"""WSGI entry point: `python -m deploy.serve` loads `application` from here."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conference.settings")
application = get_wsgi_application()
# Import all views before the web processes are forked, not at their first request.
get_resolver().url_patterns  # noqa: B018

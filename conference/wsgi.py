"""The door of the web server: `gunicorn conference.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from conference.turns import in_turn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conference.settings")
application = in_turn(get_wsgi_application())
# Read all views now, before the workers are forked: Django would wait for the first request.
get_resolver().url_patterns  # noqa: B018

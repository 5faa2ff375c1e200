"""The site's settings as tests run them: nothing of the caller's environment, nothing of its data.

DATABASE_URL alone is taken over: it chooses PostgreSQL in place of SQLite.
"""

import os
import tempfile
from pathlib import Path

_OURS = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "TICKET_SIGNING_KEYS", "ALLOWED_HOSTS", "BASE_URL"),
    *("STRIPE_API_BASE", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_TEST_MODE"),
    *("EMAIL_URL", "TICKETS_FROM", "BULLETIN_FROM", "PORT", "SANDBOX_PORT", "LOG_LEVEL"),
    *("LIMIT_FACTOR", "PROXIES", "DEBUG", "SERVER_TIMING", "SECURITY_CONTACT"),
)
for _name in _OURS:
    os.environ.pop(_name, None)
os.environ["TRIAL"] = "1"
# One folder a process: tests run beside each other. tests/conftest.py takes it away.
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="tests-")
# Playwright's own event loop runs in the thread of the tests; Django would take it for ours.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

from conference.settings import *  # noqa: E402, F403
from conference.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in real life: in memory, connections would share locks that files do not share.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["DATA_DIR"]) / "tests.sqlite3")}
# Static files by their own names, straight from their sources.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Real hashing takes longer than most tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

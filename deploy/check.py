"""`check --deploy` with the settings of a real site and made-up values.

A warning fails it. Keys are generated here, so that no file contains one, not even a fake.
"""

import base64
import os
import secrets
import tempfile
from pathlib import Path

from django.core.management import execute_from_command_line


def production(data: Path) -> dict[str, str]:
    """The environment of a real site behind one proxy, with its data in the given folder."""
    return {
        "DATA_DIR": str(data),
        "BASE_URL": "https://conference.example.org",
        "ALLOWED_HOSTS": "conference.example.org",
        "PROXIES": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "TICKET_SIGNING_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "STRIPE_SECRET_KEY": f"rk_live_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(12)}",
        "EMAIL_URL": "submission://user:password@mail.example.org:587",
        "TICKETS_FROM": "tickets@example.org",
        "BULLETIN_FROM": "bulletin@example.org",
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ.clear()
        os.environ.update(production(Path(folder)), DJANGO_SETTINGS_MODULE="conference.settings")
        execute_from_command_line(["manage.py", "check", "--deploy", "--fail-level", "WARNING"])

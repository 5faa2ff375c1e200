"""Where the site's own keys come from: the environment, or files that a trial makes for itself.

Imported by the settings, so nothing here may use Django's settings.
"""

import base64
import binascii
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def secret_key(folder: Path, *, may_create: bool) -> str:
    """Django's secret key from `folder`/secret_key, which is created if `may_create`.

    Raises ImproperlyConfigured if it is missing and may not be created.
    """
    return _read(folder / "secret_key", may_create, "SECRET_KEY", _fresh_secret_key())


def signing_keys(value: str, folder: Path, *, may_create: bool) -> dict[int, bytes]:
    """The seeds of the tickets' Ed25519 keys by key id (1 to 255).

    `value` is '1:BASE64,2:BASE64' as set in TICKET_SIGNING_KEYS; if it is empty, the file
    `folder`/ticket_signing_keys holds the same, and is created if `may_create`. Raises
    ImproperlyConfigured for anything else.
    """
    if not value:
        path = folder / "ticket_signing_keys"
        value = _read(path, may_create, "TICKET_SIGNING_KEYS", _fresh_signing_key())
    try:
        pairs = [part.split(":", 1) for part in value.replace(" ", "").split(",") if part]
        keys = {int(number): base64.b64decode(seed, validate=True) for number, seed in pairs}
    except (ValueError, binascii.Error) as error:
        raise ImproperlyConfigured("TICKET_SIGNING_KEYS must read 1:BASE64,2:BASE64.") from error
    if not keys or any(not 1 <= number <= 255 or len(seed) != 32 for number, seed in keys.items()):
        raise ImproperlyConfigured("TICKET_SIGNING_KEYS needs seeds of 32 bytes, ids 1 to 255.")
    return keys


def keep_private(file: Path) -> None:
    """Make `file`, a database with people's names, readable for its owner alone.

    Creates it, empty, if it is missing. Takes all rights from others; the group keeps its own, for
    back-ups. What SQLite writes beside the file has the same permissions.
    """
    if str(file) == ":memory:":
        return
    if not file.is_file():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    elif file.stat().st_mode & 0o007:
        with suppress(PermissionError):  # it belongs to somebody else
            file.chmod(file.stat().st_mode & ~0o007)


def _fresh_secret_key() -> str:
    return secrets.token_urlsafe(50)


def _fresh_signing_key() -> str:
    return "1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def _read(path: Path, may_create: bool, name: str, fresh: str) -> str:
    if may_create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written to a draft and linked into place: if two processes start together,
        # one link succeeds and both read that key.
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(fresh)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if not path.exists():
        raise ImproperlyConfigured(f"Set {name}. To make fresh keys: python -m conference.keys")
    return path.read_text().strip()


if __name__ == "__main__":
    sys.stdout.write(f"SECRET_KEY={_fresh_secret_key()}\n")
    sys.stdout.write(f"TICKET_SIGNING_KEYS={_fresh_signing_key()}\n")

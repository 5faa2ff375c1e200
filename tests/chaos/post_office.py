"""A mail server as a process of its own: `python -m tests.chaos.post_office PORT FOLDER`.

Each message that it accepts is a file in the folder before the sender is told so. As in life it
takes a moment to take the address, the message, and to say that it has it: whoever is killed
meanwhile has sent nothing, or does not know that it was accepted.
"""

import asyncio
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

TAKES = 0.1  # seconds for a message, at least
ACCEPTED = ".eml"
# Files that are there while a message is on its way, and while its sender is not told so yet.
COMING = "coming"
TAKEN = "taken"


class PostOffice:
    """Writes down what it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for sign in (COMING, TAKEN):  # of one that was killed
            (folder / sign).unlink(missing_ok=True)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        with self._sign(COMING):
            await asyncio.sleep(TAKES / 2)
            envelope.rcpt_tos.append(address)
            return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = self._folder / uuid.uuid4().hex
        letter.write_bytes(envelope.content)
        letter.rename(letter.with_suffix(ACCEPTED))
        with self._sign(TAKEN):
            await asyncio.sleep(TAKES / 2)
            return "250 OK"

    @contextmanager
    def _sign(self, name: str) -> Iterator[None]:
        sign = self._folder / name
        sign.touch()
        try:
            yield
        finally:
            sign.unlink(missing_ok=True)


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    Controller(PostOffice(folder), hostname="127.0.0.1", port=port).start()
    signal.pause()

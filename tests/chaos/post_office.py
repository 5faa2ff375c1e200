"""A mail server as a process of its own: `python -m tests.chaos.post_office PORT FOLDER`.

Each message that it accepts is a file in the folder before the sender is told so.
"""

import asyncio
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

TAKES = 0.1  # seconds


class PostOffice:
    """Writes down what it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = uuid.uuid4().hex
        unfinished = self._folder / name
        unfinished.write_bytes(envelope.content)
        unfinished.rename(self._folder / f"{name}.eml")
        # As long as a real one takes. Who is killed meanwhile does not know that it was accepted.
        await asyncio.sleep(TAKES)
        return "250 OK"


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    Controller(PostOffice(folder), hostname="127.0.0.1", port=port).start()
    signal.pause()

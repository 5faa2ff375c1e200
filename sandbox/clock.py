"""A clock that can be moved on, so that nobody must wait for a session to expire."""

import time


class Clock:
    """Real time plus `offset` seconds. All times are whole Unix seconds."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def now(self) -> int:
        return int(time.time()) + self.offset

    def advance(self, seconds: int) -> None:
        self.offset += seconds

    def reset(self) -> None:
        """Back to real time."""
        self.offset = 0

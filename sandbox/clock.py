"""A clock that can be moved, so that sessions expire while you watch."""

import time


class Clock:
    """Real time plus an offset in seconds. All times are Unix seconds, whole."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def now(self) -> int:
        return int(time.time()) + self.offset

    def advance(self, seconds: int) -> None:
        self.offset += seconds

    def reset(self) -> None:
        """Back to real time."""
        self.offset = 0

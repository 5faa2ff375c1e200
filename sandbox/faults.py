"""Faults on demand: in the delivery of webhooks and in calls of the API.

They are kept in memory only and are gone after a restart.
"""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

# In deliveries. delay: sent after some seconds, so that later events overtake it.
DELIVERY_KINDS = ("duplicate", "delay", "drop")
# In calls. 500, 409, 429: this status, and nothing is done. commit_500, commit_cut: it is done, but
# the answer is a 500, or the connection is closed without one. hang: answered after some seconds,
# or once the faults are cleared.
CALL_KINDS = ("500", "409", "429", "hang", "commit_500", "commit_cut")


@dataclass
class Fault:
    """A fault that is still to happen `times` times; None: until it is cleared.

    `pattern` is for the path of a call or the type of an event.
    """

    kind: str
    pattern: str
    method: str = "*"
    times: int | None = 1
    seconds: float = 0
    # Set when the faults are cleared, for those who wait because of this one.
    cleared: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


class Faults:
    """The faults that are still to happen, oldest first. Safe from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._cleared = threading.Event()

    def add_call(
        self,
        kind: str,
        *,
        path: str = "*",
        method: str = "*",
        times: int | None = 1,
        seconds: float = 0,
    ) -> None:
        """Let the next `times` calls that match go wrong.

        `path` and `method` may hold wildcards (`/v1/refunds*`); `seconds` is for `hang`.
        Raises ValueError for a kind that is not in CALL_KINDS.
        """
        self._add(CALL_KINDS, Fault(kind, path, method.upper(), times, seconds))

    def add_delivery(
        self, kind: str, *, types: str = "*", times: int | None = 1, seconds: float = 0
    ) -> None:
        """Let the delivery of the next `times` events that match go wrong.

        `types` may hold wildcards (`refund.*`); `seconds` is for `delay`.
        Raises ValueError for a kind that is not in DELIVERY_KINDS.
        """
        self._add(DELIVERY_KINDS, Fault(kind, types, times=times, seconds=seconds))

    def take_call(self, method: str, path: str) -> Fault | None:
        """The first fault that matches this call; it counts as having happened."""
        return self._take(CALL_KINDS, path, method)

    def take_delivery(self, event_type: str) -> Fault | None:
        """The first fault that matches this event; it counts as having happened."""
        return self._take(DELIVERY_KINDS, event_type, "*")

    def waiting(self) -> list[Fault]:
        """All faults that are still to happen."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget all faults, and let calls that hang be answered."""
        with self._lock:
            self._waiting.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def _add(self, kinds: tuple[str, ...], fault: Fault) -> None:
        if fault.kind not in kinds:
            raise ValueError(f"{fault.kind} is none of {', '.join(kinds)}")
        with self._lock:
            fault.cleared = self._cleared
            self._waiting.append(fault)

    def _take(self, kinds: tuple[str, ...], name: str, method: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                is_meant = fnmatchcase(name, fault.pattern) and fnmatchcase(method, fault.method)
                if fault.kind in kinds and is_meant:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._waiting.remove(fault)
                    return fault
        return None

"""What shall go wrong: in the delivery of webhooks and in calls of the API.

Faults are meant for the moment: they are kept in memory only and are gone after a restart.
"""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

# In the delivery of a webhook. delay: sent after some seconds, so that later events overtake it.
DELIVERY_KINDS = ("duplicate", "delay", "drop")
# In calls. 500: refused before anything is done; commit_500 and commit_cut: done, but the answer
# is a 500 or a cut connection; hang: answered after some seconds.
CALL_KINDS = ("500", "409", "429", "hang", "commit_500", "commit_cut")


@dataclass
class Fault:
    """One fault. `times` counts down; None means until it is cleared."""

    kind: str
    pattern: str
    method: str = "*"
    times: int | None = 1
    seconds: float = 0


class Faults:
    """The faults that wait for their moment, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Fault] = []
        self._deliveries: list[Fault] = []

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
        if kind not in CALL_KINDS:
            raise ValueError(f"{kind} is none of {', '.join(CALL_KINDS)}")
        fault = Fault(kind, path, method.upper(), times, seconds)
        with self._lock:
            self._calls.append(fault)

    def add_delivery(
        self, kind: str, *, types: str = "*", times: int | None = 1, seconds: float = 0
    ) -> None:
        """Let the delivery of the next `times` events that match go wrong.

        `types` may hold wildcards (`refund.*`); `seconds` is for `delay`.
        Raises ValueError for a kind that is not in DELIVERY_KINDS.
        """
        if kind not in DELIVERY_KINDS:
            raise ValueError(f"{kind} is none of {', '.join(DELIVERY_KINDS)}")
        fault = Fault(kind, types, times=times, seconds=seconds)
        with self._lock:
            self._deliveries.append(fault)

    def take_call(self, method: str, path: str) -> Fault | None:
        """The first fault that this call meets; it is used up by that."""
        with self._lock:
            return _take(self._calls, path, method)

    def take_delivery(self, event_type: str) -> Fault | None:
        """The first fault that this event meets; it is used up by that."""
        with self._lock:
            return _take(self._deliveries, event_type, "*")

    def waiting(self) -> list[Fault]:
        """All faults that are still to come."""
        with self._lock:
            return [*self._deliveries, *self._calls]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._deliveries.clear()


def _take(faults: list[Fault], name: str, method: str) -> Fault | None:
    for fault in faults:
        if fnmatchcase(name, fault.pattern) and fnmatchcase(method, fault.method):
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    faults.remove(fault)
            return fault
    return None

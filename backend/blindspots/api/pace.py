"""How many requests one person or program may send: a bucket of tokens each, refilled all the time."""

import time
from threading import Lock

from blindspots.api.problems import TryLater

REMEMBERED = 10_000  # buckets; full ones are forgotten first


class Pace:
    """`per_minute` requests on the long run, as many at once at most; 0 lets everything pass.

    Each server process counts for itself.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_second, self._most = per_minute / 60, float(per_minute)
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted
        self._lock = Lock()

    def take(self, name: str, now: float | None = None) -> None:
        """One request of that name. Raises TryLater where its bucket is empty."""
        if not self._most:
            return
        moment = time.monotonic() if now is None else now
        with self._lock:
            left, counted = self._buckets.get(name, (self._most, moment))
            left = min(self._most, left + (moment - counted) * self._per_second)
            if left >= 1:
                self._buckets[name] = left - 1, moment
                self._forget(moment)
                return
        wait = int((1 - left) / self._per_second) + 1
        raise TryLater(
            f"More than {self._most:.0f} requests a minute; go on in {wait} s, or ask less often.",
            retry_after=wait,
        )

    def _forget(self, moment: float) -> None:
        """Buckets that are full again say nothing."""
        if len(self._buckets) > REMEMBERED:
            self._buckets = {
                name: (left, counted)
                for name, (left, counted) in self._buckets.items()
                if left + (moment - counted) * self._per_second < self._most
            }

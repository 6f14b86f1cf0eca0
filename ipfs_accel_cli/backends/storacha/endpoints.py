"""The addresses of one service in the order in which they are liked: a failing one is passed over for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from ipfs_accel_cli.core import breaker
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.breaker import Breaker
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, TryAgain, Unavailable
from ipfs_accel_cli.core.http import client, explained, refuse

T = TypeVar("T")

MAX_ANSWER_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server sent, and what its clock said then."""

    data: bytes
    date: datetime | None = None


class Endpoints:
    """Servers that do the same; `used` is the one that answered last."""

    def __init__(self, urls: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.urls = [checked_url(url).rstrip("/") for url in urls]
        if not self.urls:
            raise Invalid("no address of the service is given; without --url it is that of Storacha's own")
        self.used = ""
        self._clock = clock
        self._breakers = [Breaker() for _ in self.urls]
        self._lock = threading.Lock()

    def ask(self, work: Callable[[str], T]) -> T:
        """Return what `work` gives with the first address that is well; runs it with the next where one fails.

        Raises Unavailable where nobody can be reached, and TryAgain where one is busy.
        """
        errors: list[AccelError] = []
        for place in self._order():
            current().check()
            try:
                result = work(self.urls[place])
            except (TryAgain, Unavailable) as error:
                self._ended(place, well=False)
                errors.append(error)
                continue
            except AccelError:
                self._ended(place, well=True)  # It answered, if not as hoped.
                raise
            self._ended(place, well=True)
            return result
        # One that is busy may have time soon; one that is down will not be up in a second.
        raise next((error for error in errors if isinstance(error, TryAgain)), errors[-1])

    def states(self) -> list[tuple[str, str]]:
        """Return each address with the state of its breaker."""
        now = self._clock()
        with self._lock:
            return [(url, one.state(now)) for url, one in zip(self.urls, self._breakers, strict=True)]

    def _order(self) -> list[int]:
        now = self._clock()
        with self._lock:
            places = breaker.order(self._breakers, now)
            self._breakers = [one.begun(now) if place in places else one for place, one in enumerate(self._breakers)]
        return places

    def _ended(self, place: int, *, well: bool) -> None:
        now = self._clock()
        with self._lock:
            before = self._breakers[place]
            self._breakers[place] = before.succeeded() if well else before.failed(now)
        if well:
            self.used = self.urls[place]


def checked_url(url: str) -> str:
    """Return the address of a server; raises Invalid for what is none."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        known = None
    if not known:
        raise Invalid(f"{url!r} is no address of a server such as https://up.storacha.network")
    return url


def exchange(method: str, url: str, what: str, body: bytes | None = None, media_type: str = "") -> Reply:
    """Send a request and return the whole answer; raises as `core.http` does, Unavailable for a boundless one."""
    headers = {"Accept": media_type} | ({"Content-Type": media_type} if body is not None else {})
    server = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    with (
        explained(what, f"curl -I {server}"),
        client(guarded=True, passwords=False) as opened,
        opened.stream(method, url, content=body, headers=headers if media_type else {}) as response,
    ):
        refuse(response, what)
        data = joined(response.iter_bytes(), MAX_ANSWER_BYTES)
        if len(data) > MAX_ANSWER_BYTES:
            raise Unavailable(f"{server} answers with more than {MAX_ANSWER_BYTES} bytes to a question")
        return Reply(data, _date(response.headers.get("date", "")))


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None

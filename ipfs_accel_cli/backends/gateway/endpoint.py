"""One trustless gateway: what it is asked, and what is known of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ipfs_accel_cli.backends.base import Scope
from ipfs_accel_cli.backends.gateway.arriving import Car, Given, of_content
from ipfs_accel_cli.content.car import MAX_BLOCK_BYTES
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.errors import Invalid, NotFound, Unavailable, VerificationFailed
from ipfs_accel_cli.core.http import explained, refuse

if TYPE_CHECKING:
    import httpx

RAW_TYPE, CAR_TYPE = "application/vnd.ipld.raw", "application/vnd.ipld.car"
PROBE = "bafkqaaa"  # The identity CID of nothing, which the specification keeps for this.
_ACCEPT = {RAW_TYPE: RAW_TYPE, CAR_TYPE: f"{CAR_TYPE}; version=1; order=dfs; dups=y"}
# Answers to requests that a gateway does not take: CARs, paths, HEAD and ranges are all optional.
_REFUSALS = (400, 405, 406, 415, 501)
_NO_METHOD = (400, 405, 501)


class Refused(Unavailable):
    """A gateway does not take requests of this kind."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.answered = status


@dataclass(frozen=True, slots=True)
class Asked:
    """How one call asks: over which connections, and as whom."""

    client: httpx.Client
    login: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of a DAG, as `Dags.get_dag` takes it."""

    root: CID
    path: str = ""
    scope: Scope = "all"
    span: tuple[int, int | None] | None = None

    def check(self) -> None:
        """Raise Invalid for a path that a web address cannot hold."""
        if any(name in (".", "..") for name in self.path.split("/")):
            raise Invalid(f"no gateway can be asked for the path {self.path!r}, in which a name is . or ..")

    @property
    def address(self) -> str:
        """Return the CID and the path as a web address has them."""
        names = [quote(name, safe="") for name in self.path.split("/") if name]
        return "/".join([str(self.root), *names])

    @property
    def parameters(self) -> dict[str, str]:
        """Return what stands behind the question mark."""
        wanted = {"format": "car", "dag-scope": self.scope}
        if self.span is not None:
            first, last = self.span
            # A range stands for the scope `entity`.
            wanted |= {"dag-scope": "entity", "entity-bytes": f"{first}:{'*' if last is None else last}"}
        return wanted


@dataclass(slots=True)
class Gateway:
    """`lie` is what a gateway did that no honest one does: it is not asked again.

    `latency_seconds`, until the first block, is a decaying mean.
    """

    url: str
    lie: str = ""
    latency_seconds: float | None = None

    def car(self, asked: Asked, selection: Selection, given: Given) -> Car:
        """Ask for a CAR; whoever reads it passes over the blocks in `given`. Raises as `raw` does."""
        return Car(self._opened(asked, "GET", selection.address, selection.parameters, CAR_TYPE), self.url, given)

    def raw(self, asked: Asked, cid: CID) -> bytes:
        """Return one block, proven.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, and VerificationFailed for an answer that is a lie.
        """
        response = self._opened(asked, "GET", str(cid), {"format": "raw"}, RAW_TYPE)
        with closing(response), explained(f"{cid} from {self.url}"):
            data = joined(response.iter_raw(), MAX_BLOCK_BYTES)
        if len(data) > MAX_BLOCK_BYTES:
            raise VerificationFailed(f"{self.url} sends over {MAX_BLOCK_BYTES} bytes as the block {cid}")
        try:
            cid.verify(data)
        except ContentError as error:
            raise of_content(error, self.url) from error
        return data

    def has(self, asked: Asked, cid: CID) -> bool:
        """Say whether the gateway claims to have a block; raises as `raw` does, but for NotFound."""
        for method in ("HEAD", "GET"):
            try:
                self._opened(asked, method, str(cid), {"format": "raw"}, RAW_TYPE).close()
            except NotFound:
                return False
            except Refused as error:
                if method == "GET" or error.answered not in _NO_METHOD:
                    raise
            else:
                return True
        return False

    def probe(self, asked: Asked) -> float:
        """Ask for the block that every gateway has; return the milliseconds until the answer. Raises as `raw` does."""
        began = time.perf_counter()
        self._opened(asked, "GET", PROBE, {"format": "raw"}, RAW_TYPE).close()
        return round(1000 * (time.perf_counter() - began), 1)

    def took(self, seconds: float) -> None:
        """Note how long the first block took."""
        known = self.latency_seconds
        self.latency_seconds = seconds if known is None else 0.7 * known + 0.3 * seconds

    def _opened(self, asked: Asked, method: str, path: str, parameters: Mapping[str, str], kind: str) -> httpx.Response:
        """Return an answer whose body was not read yet; raises for any but the one that was asked for."""
        what = f"{path} from {self.url}"
        # A compressed body could be larger than it looks.
        headers = {"accept": _ACCEPT[kind], "accept-encoding": "identity", **asked.login}
        with ExitStack() as stack:
            with explained(what):
                request = asked.client.build_request(
                    method, f"{self.url}/ipfs/{path}", params=parameters, headers=headers
                )
                response = stack.enter_context(closing(asked.client.send(request, stream=True)))
            if response.status_code in _REFUSALS:
                raise Refused(f"{what}: the server answers {response.status_code}", response.status_code)
            refuse(response, what)
            self._check(response, what, kind, needs_type=method == "GET")
            stack.pop_all()
        return response

    def _check(self, response: httpx.Response, what: str, kind: str, *, needs_type: bool) -> None:
        stated = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status_code != 200:
            raise Unavailable(f"{what}: the server answers {response.status_code}")
        if stated != kind and (stated or needs_type):
            raise VerificationFailed(
                f"{self.url} answers with {stated[:60] or 'no type'!r}, where {kind} was asked for"
            )
        if response.headers.get("content-encoding", "identity") != "identity":
            raise VerificationFailed(f"{self.url} sends its answer compressed, which was not asked for")


def gateways(urls: str, name: str) -> list[Gateway]:
    """Read the option `url`: addresses with commas between them. Raises Invalid."""
    return [Gateway(url) for url in dict.fromkeys(_address(url.strip(), name) for url in urls.split(","))]


def _address(url: str, name: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound, parts = False, urlsplit("")
    if parts.username is not None or parts.password is not None:
        # Not repeated: the address holds a password.
        raise Invalid(f"an address of backend {name} holds a login; give it as its token instead")
    if not sound or parts.query or parts.fragment:
        raise Invalid(f"{url[:80]!r} is no address of a gateway for backend {name}, as in https://gateway.example")
    return url.rstrip("/").removesuffix("/ipfs")

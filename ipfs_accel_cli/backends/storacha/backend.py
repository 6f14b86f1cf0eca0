"""A space at Storacha: DAGs go in as CAR shards with an index, and come back through a trustless gateway."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from ipfs_accel_cli.backends.base import Config, Health, Receipt, Scope, Traits
from ipfs_accel_cli.backends.gateway.backend import GatewayBackend
from ipfs_accel_cli.backends.storacha import service as services
from ipfs_accel_cli.backends.storacha.blobs import keep
from ipfs_accel_cli.backends.storacha.endpoints import Endpoints, exchange
from ipfs_accel_cli.backends.storacha.login import PUTS, checked_did, login
from ipfs_accel_cli.backends.storacha.notes import Notes
from ipfs_accel_cli.backends.storacha.service import Service
from ipfs_accel_cli.backends.storacha.shards import SHARD_BYTES, cut, spooled
from ipfs_accel_cli.content import shardindex
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.piece import piece
from ipfs_accel_cli.content.shardindex import Shard
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Invalid,
    NotAuthorised,
    NotFound,
    Offline,
    RemoteFailed,
    TryAgain,
    Unavailable,
    UnsupportedContent,
)
from ipfs_accel_cli.core.files import writing_into

_PAGE = 100  # Each with all its shards, and the page is one block.


class StorachaBackend:
    """One space, as the agent whose key is the token may use it."""

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(addresses_by_cid=True, settles_later=True, reads_back=bool(config.get("gateway")))
        urls = [url.strip() for url in config.get("url", services.URL).split(",") if url.strip()]
        self.endpoints = Endpoints(urls)
        self._did = checked_did(config.get("did", services.DID))
        if space := config.get("space"):
            checked_did(space)
        self._shard_bytes = _size(config.get("shard_bytes", str(SHARD_BYTES)))
        self._filecoin = _claim(config.get("filecoin", "no"))
        self._gateway: GatewayBackend | None = None
        if urls_there := config.get("gateway"):
            # Without the token: that is the agent's key, which is none of a gateway's business.
            self._gateway = GatewayBackend(Config(config.name, {"url": urls_there}, config.folder))
        self._config = config

    def health(self) -> Health:
        """Say who answers, and whether the delegation is one to write with."""
        current().needs_network(f"asking {self.name}")
        try:
            service, trouble = self._service(), ""
            service.login.require(*PUTS)
        except (NotAuthorised, Invalid) as error:
            service, trouble = None, error.detail
        began = time.perf_counter()
        try:
            if service is not None and service.login.grants("upload/list"):
                service.ask("upload/list", {"size": 1})
            else:
                self.endpoints.ask(lambda url: exchange("GET", f"{url}/", f"the service at {url}"))
        except (Cancelled, Offline):
            raise
        except (NotAuthorised, RemoteFailed, NotFound) as error:  # It is there, and says no.
            trouble = trouble or ("" if isinstance(error, NotFound) else error.detail)
        except AccelError as error:
            return Health(False, error.detail)
        took = round(1000 * (time.perf_counter() - began), 3)
        left_out = [url for url, state in self.endpoints.states() if url != self.endpoints.used and state != "closed"]
        detail = f"{self._did} at {self.endpoints.used}" + "".join(f"; {url} fails" for url in left_out)
        return Health(True, f"{detail}; {trouble}" if trouble else detail, latency_ms=took, writable=not trouble)

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        """Fetch a DAG through the gateway, or several with commas between."""
        if self._gateway is None:
            raise UnsupportedContent(
                f"Storacha's service itself gives no DAGs: backend {self.name} needs --option gateway=https://storacha.link",
                suggestion=f"ipfs-accel store backend add {self.name} --help",
            )
        return self._gateway.get_dag(root, path, scope, span)

    def has(self, cids: Sequence[CID]) -> set[CID]:
        """Say which roots are among the uploads of the space."""
        service = self._service()
        if not service.login.grants("upload/get") and service.login.grants("upload/list"):
            return set(cids).intersection(self.dags())
        found: set[CID] = set()
        for cid in cids:
            try:
                service.ask("upload/get", {"root": cid})
            except NotFound:
                continue
            found.add(cid)
        return found

    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        """Bring a DAG in shards, then its index, and list it; what an unfinished put has brought is not sent again."""
        current().needs_network(f"sending {root}")
        service, folder = self._service(), self._config.folder
        service.login.require(*PUTS)
        with writing_into(folder):
            folder.mkdir(parents=True, exist_ok=True)
        notes = Notes(folder, self._did, service.login.space, str(root))
        accepted, shards, size_bytes = notes.accepted(), list[Shard](), 0
        for number, one in enumerate(cut(root, blocks, folder, self._shard_bytes), start=1):
            if one.spool.cid not in accepted:
                keep(service, one.spool, f"shard {number} of {root}")
                if self._filecoin:
                    offered = {"content": CID(1, RAW, one.spool.digest), "piece": piece(one.spool.pieces())}
                    service.ask_as_self("filecoin/offer", offered)
                notes.add(one.spool.cid)
            shards.append(one.shard)
            size_bytes += sum(length for _, length in one.shard.slices.values())
        try:
            self._list(service, root, shards)
        except TryAgain:
            notes.forget()  # The service may have lost a shard meanwhile: the next time it is asked about each.
            raise
        notes.forget()
        return Receipt(str(root), size_bytes, "checksum", via=self.endpoints.used)

    def remove_dag(self, root: CID) -> None:
        """Take a DAG off the list of uploads; its shards stay, since other uploads may need them."""
        try:
            self._service().ask("upload/remove", {"root": root})
        except NotFound:
            return

    def dags(self) -> Iterator[CID]:
        """Yield the roots of the uploads of the space."""
        service, cursor = self._service(), None
        seen: set[CID] = set()
        while True:
            page = service.ask("upload/list", {"size": _PAGE} | ({"cursor": cursor} if cursor else {}))[0]
            roots = [one.get("root") for one in page.get("results", [])]
            for root in roots:
                if isinstance(root, CID) and root not in seen:
                    seen.add(root)
                    yield root
            before, cursor = cursor, page.get("cursor")
            if not roots or not isinstance(cursor, str) or cursor == before:
                return

    def _list(self, service: Service, root: CID, shards: Sequence[Shard]) -> None:
        """Bring the index, tell the service what it is, and list the DAG."""
        index = spooled(shardindex.encode(root, shards), self._config.folder)
        with closing(index.file):
            keep(service, index, f"the index of {root}")
            service.ask("space/index/add", {"index": index.cid})
        links = [CID(1, index.cid.codec, one.digest) for one in shards]
        listed = service.ask("upload/add", {"root": root, "shards": links})[0]
        if not isinstance(listed, dict) or listed.get("root") != root:
            raise Unavailable(f"the service lists another DAG than {root}")

    def _service(self) -> Service:
        return Service(self._did, self.endpoints, login(self._config))


def _claim(text: str) -> bool:
    if text not in ("yes", "no"):
        raise Invalid(f"the option filecoin is yes or no, not {text!r}")
    return text == "yes"


def _size(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 4 << 30:
        raise Invalid(f"the option shard-bytes is a number from 1 to {4 << 30}, not {text!r}")
    return int(text)

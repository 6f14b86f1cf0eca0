"""What a node does with names: its own keys and what it publishes under them, records that others signed, providers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from ipfs_accel_cli.backends.ipfs import answers
from ipfs_accel_cli.backends.ipfs.answers import Key, Peer
from ipfs_accel_cli.backends.ipfs.compatible import library
from ipfs_accel_cli.backends.ipfs.line import Line, Value
from ipfs_accel_cli.backends.ipfs.refusals import Lacking, meaning
from ipfs_accel_cli.backends.ipfs.sending import Form
from ipfs_accel_cli.content import multibase
from ipfs_accel_cli.content.cid import CID, LIBP2P_KEY
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, UnsupportedContent

T = TypeVar("T")

# The kinds of events that a search on the network tells.
_FOUND, _FAILED, _PROVIDER, _VALUE = 2, 3, 4, 5
_MAX_RECORD_BYTES = 10 << 10  # https://specs.ipfs.tech/ipns/ipns-record/#record-size-limit


class Naming:
    """The calls key, name and routing; the last is called `dht` by older nodes."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def keys(self) -> tuple[Key, ...]:
        """Say which keys the node holds."""
        told = library(self._line).key.list(opts={"l": "true"}).as_json()
        # js-ipfs says each key as often as it finds it.
        return tuple(dict.fromkeys(_key(one) for one in answers.rows(told, "Keys")))

    def make_key(self, name: str, kind: Literal["ed25519", "rsa"] = "ed25519") -> Key:
        """Let the node make a key."""
        return _key(library(self._line).key.gen(name, kind))

    def remove_key(self, name: str) -> None:
        """Let the node forget a key; raises NotFound."""
        library(self._line).key.rm(name)

    def export_key(self, name: str) -> bytes:
        """Return a key, secret and all, where the node gives it away; Kubo does so to its own shell only."""
        return b"".join(self._line.read("key/export", name))

    def import_key(self, name: str, data: bytes, kind: str = "libp2p-protobuf-cleartext") -> Key:
        """Give the node a key, in a form that it names; never in an address, as js-ipfs would have it."""
        if "ipfs-core" in self._line.version():
            raise UnsupportedContent(
                f"{self._line.server.name}: js-ipfs takes keys in the address only, where logs keep it"
            )
        return _key(self._line.ask("key/import", name, content=Form.of([data]), format=kind))

    def publish(self, path: str, key: str = "self", *, lifetime: str = "24h") -> tuple[str, str]:
        """Let the node sign a record for a path with a key of its own; return the name and the path."""
        options = {"allow-offline": "true"}
        told = library(self._line).name.publish(path, resolve=False, lifetime=lifetime, key=key, opts=options)
        return answers.text(told, "Name"), answers.text(told, "Value")

    def resolve(self, name: str) -> str:
        """Return the path that a name stands for, as the node has verified it."""
        told = library(self._line).name.resolve(f"/ipns/{_peer_id(name)}", recursive=False)
        return answers.text(told, "Path")

    def put_record(self, name: CID, record: bytes) -> None:
        """Bring a record that somebody signed to the network."""
        options: Mapping[str, Value] = {"allow_offline": True}
        told = self._routed("put", lambda call: list(self._events(call, _ipns(name), options, content=record)))
        self._failed("put", told)

    def get_record(self, name: CID) -> bytes:
        """Return the newest record that the network knows, not verified; raises NotFound."""
        told = self._routed("get", lambda call: list(self._events(call, _ipns(name), {})))
        for event in told:
            if event.get("Type") == _VALUE:
                return _record(str(event.get("Extra") or ""))
        self._failed("get", told)
        raise NotFound(f"the node of {self._line.server.name} finds no record under {name.to_v1().encode('base36')}")

    def providers(self, cid: CID, most: int = 20) -> Iterator[Peer]:
        """Yield who says to have a block, each once."""
        seen = set[str]()
        for event in self._routed(
            "findprovs", lambda call: list(self._events(call, str(cid), {"num_providers": most}))
        ):
            if event.get("Type") == _PROVIDER:
                for peer in map(_peer, answers.rows(event, "Responses")):
                    if peer.id not in seen:
                        seen.add(peer.id)
                        yield peer

    def find_peer(self, peer: str) -> Peer:
        """Say where another node is; raises NotFound."""
        told = self._routed("findpeer", lambda call: list(self._events(call, peer, {})))
        for event in told:
            if event.get("Type") == _FOUND:
                for found in map(_peer, answers.rows(event, "Responses")):
                    if found.id == peer:
                        return found
        self._failed("findpeer", told)
        raise NotFound(f"the network of {self._line.server.name} does not know where {peer} is")

    def provide(self, cid: CID) -> None:
        """Tell the network that the node has a block."""
        self._failed("provide", self._routed("provide", lambda call: list(self._events(call, str(cid), {}))))

    def _failed(self, verb: str, told: Sequence[Any]) -> None:
        """Raise what a search ended with; that single peers did not answer is told with their names, and is no end."""
        last = told[-1] if told else {}
        if last.get("Type") == _FAILED and not last.get("ID"):
            raise meaning(f"{self._line.server.name}: routing/{verb}", 500, str(last.get("Extra") or "it failed"))

    def _events(
        self, call: str, argument: str, options: Mapping[str, Value], content: bytes | None = None
    ) -> Iterator[Any]:
        sent = Form.of([content]) if content is not None else None
        for event in self._line.objects(call, argument, content=sent, slow=True, **options):
            current().check()
            yield event

    def _routed(self, verb: str, work: Callable[[str], T]) -> T:
        """Ask by the name of today, else by the older one; raises UnsupportedContent that names both."""
        try:
            return work(f"routing/{verb}")
        except Lacking as error:
            try:
                return work(f"dht/{verb}")
            except Lacking:
                raise Lacking(f"{error.detail}, and none dht/{verb}", suggestion=error.suggestion) from error


def _ipns(name: CID) -> str:
    return f"/ipns/{name.to_v1().encode('base36')}"


def _peer_id(name: str) -> str:
    """Write a name as all nodes read it: that of a key as the base58 that older ones know alone."""
    bare = name.removeprefix("/ipns/")
    try:
        cid = CID.parse(bare)
    except ContentError:
        return bare
    return multibase.encode_base58(cid.multihash.encode()) if cid.codec == LIBP2P_KEY else bare


def _record(extra: str) -> bytes:
    try:
        record = base64.b64decode(extra, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnsupportedContent("the node answers with a record as text, of which bytes are lost") from error
    if not record or len(record) > _MAX_RECORD_BYTES:
        raise NotFound(f"the node answers with {len(record)} bytes, which no record has")
    return record


def _key(told: Any) -> Key:
    return Key(answers.text(told, "Name"), answers.text(told, "Id"))


def _peer(told: Any) -> Peer:
    return Peer(answers.text(told, "ID"), tuple(map(str, answers.rows(told, "Addrs"))))

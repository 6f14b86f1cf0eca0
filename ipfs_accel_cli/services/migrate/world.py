"""What migrations need of the store and of models: handed over by the node, since services do not know each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.content.cid import CID


@dataclass(frozen=True, slots=True)
class Reference:
    """A copy that was proven: of a whole DAG by its root, or of one file."""

    cid: CID
    backend: str
    locator: str
    whole_dag: bool
    size_bytes: int
    sha256: bytes | None
    how: str


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What is declared and measured of a backend; None is not known. Prices are per GiB, and per thousand calls."""

    name: str
    latency_s: float | None = None
    write_bytes_s: float | None = None
    read_bytes_s: float | None = None
    storage: float | None = None
    egress: float | None = None
    ingress: float | None = None
    puts: float | None = None
    gets: float | None = None
    unreachable: str = ""
    takes: bool = True
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A DAG that arrived: where, its bytes, those that travelled, and how it was proven."""

    locator: str
    size_bytes: int
    sent_bytes: int
    proof: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A model that arrived or would: its name, where it lies, its manifest (None where not known yet), and bytes."""

    name: str
    locator: str
    cid: str | None
    size_bytes: int | None
    sent_bytes: int
    unchanged: bool


@dataclass(frozen=True, slots=True)
class World:
    """The store and the models of one home, as far as migrations use them; `here` is the store's name as a place."""

    here: str
    open: Callable[[str], Backend]
    names: Callable[[], Sequence[str]]
    roots: Callable[[str], Iterator[CID]]
    own_roots: Callable[[], Iterator[tuple[CID, int | None]]]
    send: Callable[[CID, str, str], Sent]
    fetch: Callable[[CID, str, str | None], int]
    let_go: Callable[[str], None]
    reread: Callable[[CID, str], int]
    remove: Callable[[CID, str | None], None]
    is_whole: Callable[[CID], bool]
    size_of: Callable[[CID], int | None]
    note: Callable[[Sequence[Reference]], None]
    forget: Callable[[str, Sequence[str]], None]
    known_at: Callable[[str], Iterator[Reference]]
    copies_of: Callable[[CID], Sequence[Reference]]
    facts: Callable[[Sequence[str]], Sequence[PlaceFacts]]
    currency: Callable[[], str]
    model: Callable[[str], tuple[CID, int]]
    push: Callable[[str, str, bool], Carried]
    pull: Callable[[str, str, bool], Carried]
    foresee: Callable[[str, int], tuple[int | None, float | None, str]]
    enqueue: Callable[[str, int, int, tuple[str, ...]], str]

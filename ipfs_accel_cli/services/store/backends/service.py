"""The backends of one home: added, shown, tested and opened by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ipfs_accel_cli.backends.base import Backend, Batch, Config, Dags, Files, Names, Pins, Sweeps, TakesDags
from ipfs_accel_cli.backends.registry import COMMON, FAILOVER, backend_for, checked
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.backends.wrap.base import wrapped
from ipfs_accel_cli.backends.wrap.cache import cached
from ipfs_accel_cli.backends.wrap.failover import failover
from ipfs_accel_cli.backends.wrap.meter import LEAST_TRANSFER_BYTES, Note
from ipfs_accel_cli.core import secrets
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.core.parts import Pace
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.services.store.backends.behalf import OnBehalf, owners
from ipfs_accel_cli.services.store.backends.caches import Caches
from ipfs_accel_cli.services.store.backends.copies import HERE, Copies
from ipfs_accel_cli.services.store.backends.records import Origin, Record, Records
from ipfs_accel_cli.services.store.backends.results import (
    BackendRemoved,
    BackendShown,
    BackendTested,
    CacheCleared,
    CacheShown,
    Swept,
)
from ipfs_accel_cli.services.store.backends.round_trip import round_trip
from ipfs_accel_cli.sources.reference import place_in, schemes

if TYPE_CHECKING:
    from ipfs_accel_cli.backends.ipfs.backend import Node

TokenFrom = Literal["", "stdin", "keyring"]
_CONTRACTS: tuple[tuple[str, type], ...] = (
    ("files", Files),
    ("batch", Batch),
    ("dags", Dags),
    ("takes-dags", TakesDags),
    ("pins", Pins),
    ("names", Names),
)


class Backends:
    """Places that keep content, by the names that the owner gave them.

    `gone` is told a name that means another place from now on, or none; `note` is told of every call of a backend that
    ended: its name, the operation, the bytes, the seconds and the code of its error. `pace` says what was measured
    of a backend by its name.
    """

    def __init__(
        self,
        home: Home,
        copies: Copies,
        gone: Callable[[str], None] = lambda _name: None,
        note: Callable[[str, str, int, float, str | None], None] = lambda *_: None,
        pace: Callable[[str], Pace] = lambda _name: Pace(),
    ) -> None:
        self._gone = gone
        self._note = note
        self._pace = pace
        self._home = home
        self._records = Records(home.keys)
        self._copies = copies
        self.caches = Caches(home.path / "backends")

    def add(
        self,
        name: str,
        kind: str,
        options: dict[str, str],
        *,
        token_env: str = "",
        token_from: TokenFrom = "",
        replace: bool = False,
    ) -> BackendShown:
        """Make a backend known, without asking it; the token is piped in unless it is in the environment.

        Raises Invalid for options that the kind does not take, Conflict for a known name.
        """
        if name == HERE:
            raise Invalid("`here` is this store, and no name for a backend")
        if name in schemes():
            raise Invalid(f"{name}: begins other references, so no backend is called so; choose another name")
        if token_env and token_from:
            raise Invalid("a token comes from --token-env, --token-stdin or --token-keyring, from one of them")
        secrets.checked_variable(token_env, "--token-env")
        given = {option: value for option, value in options.items() if value}
        if kind == "local" and "path" in given:
            given["path"] = str(Path(given["path"]).expanduser().absolute())
        if (file := _file(given.get("proof", ""))) is not None:
            given["proof"] = str(file)
        checked(kind, given, token=bool(token_env or token_from))
        origin: Origin = "environment" if token_env else _ORIGINS[token_from]
        token = secrets.from_input(f"--token-{token_from}") if token_from else ""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record = Record(kind, given, origin, token_env, now)
        for option in ("rate", "cache"):
            parse_bytes(given.get(option, "0"))
        if not given.get("at_once", "1").isdecimal():
            raise Invalid("at-once is a number of calls")
        if name in given.get("of", "").split(","):
            raise Invalid(f"{name} cannot stand for itself")
        self._made(name, record)  # What cannot be made is not kept.
        self._home.ensure()
        self._records.add(name, record, token, replace=replace)
        self._gone(name)
        return self.show(name)

    def ls(self) -> Stream[BackendShown]:
        """Return all backends, by name."""
        return Stream(self.show(name) for name in self._records.names())

    def names(self) -> list[str]:
        """Return the names of all backends."""
        return list(self._records.names())

    def show(self, name: str) -> BackendShown:
        """Return one backend; raises NotFound, and MissingExtra where its library is not installed."""
        record = self._records.read(name)
        backend = self._made(name, record)
        variable = f" {record.token_env}" if record.token_env else ""
        return BackendShown(
            name=name,
            kind=record.kind,
            options=record.options,
            token=f"{record.origin}{variable}",
            can=[word for word, contract in _CONTRACTS if isinstance(backend, contract)],
            read_only=backend.traits.read_only,
            region=backend.traits.region,
            added_at=record.added_at,
        )

    def test(self, name: str, *, whole: bool = False) -> BackendTested:
        """Ask a backend how it is; `whole` also puts a small file there, reads it back and deletes it."""
        record, backend = self._records.read(name), self.open(name)
        health = backend.health()
        return BackendTested(
            name=name,
            kind=record.kind,
            reachable=health.reachable,
            writable=health.writable,
            detail=health.detail,
            latency_ms=health.latency_ms,
            version=health.version,
            lacks=list(health.lacks),
            steps=list(round_trip(backend)) if whole and health.reachable is not False else [],
        )

    def sweep(self, name: str, older_seconds: float) -> Swept:
        """Clear what uploads left at a backend that died so long ago; raises UnsupportedContent where none can be."""
        backend = self.open(name)
        if not isinstance(backend, Sweeps):
            raise UnsupportedContent(
                f"{name} leaves nothing behind that could be cleared",
                suggestion=f"ipfs-accel store backend show {name}",
            )
        return Swept(name=name, cleared=backend.sweep(datetime.now(UTC) - timedelta(seconds=older_seconds)))

    def remove(self, name: str) -> BackendRemoved:
        """Forget a backend, its token and what is known of copies there; raises NotFound."""
        self._records.remove(name)
        self._gone(name)
        return BackendRemoved(name=name, copies=self._copies.forget_all(name))

    def open(self, name: str) -> Backend:
        """Return a backend, ready for use: asked as the owner, patiently, its receipts proven.

        Raises NotFound and MissingExtra.
        """
        record = self._records.read(name)
        inner = wrapped(self._made(name, record), OnBehalf())
        rate, at_once, cache = (record.options.get(option) for option in COMMON)
        whole = composed(
            inner,
            note=_Warm(partial(self._note, name)),
            rate_bytes_s=parse_bytes(rate) if rate else None,
            concurrency=int(at_once) if at_once else None,
        )
        return cached(whole, self.caches.shelf(name, parse_bytes(cache))) if cache else whole

    def as_path(self, path: Path, instead: str) -> Path:
        """Return a path that is to be one of this machine; raises Invalid for `NAME:…` of a backend that is known.

        `instead` is the command that was meant then, with `{}` for the place. A file that is there is meant itself.
        """
        place = place_in(str(path))
        if place is None or place[0] not in self.names() or path.exists():
            return path
        raise Invalid(
            f"{path} is at the backend {place[0]}, and this command takes a path here; a file is written ./{path}",
            suggestion=f"ipfs-accel {instead.format(path)}",
        )

    def cache(self, name: str) -> CacheShown:
        """Show the cache of a backend; raises Invalid for one that has none."""
        cache = self._records.read(name).options.get("cache")
        if not cache:
            raise Invalid(f"{name} has no cache: add it with --option cache=SIZE")
        return self.caches.shown(name, parse_bytes(cache))

    def clear_cache(self, name: str) -> CacheCleared:
        """Empty the cache of a backend; raises Invalid for one that has none."""
        self.cache(name)
        return self.caches.clear(name)

    def cached(self) -> Stream[CacheShown]:
        """Show all caches."""
        return Stream(self.cache(name) for name in self.names() if self._records.read(name).options.get("cache"))

    def _made(self, name: str, record: Record) -> Backend:
        """Make a backend; one that stands for several is made of those."""
        if record.kind == FAILOVER:
            return failover(name, [self.open(one) for one in record.options["of"].split(",")])
        return backend_for(record.kind, self._config(name, record))

    def names_at(self, name: str) -> Names:
        """Return a backend that keeps IPNS records; raises NotFound, and UnsupportedContent for one that does not."""
        backend = self.open(name)
        if not isinstance(backend, Names):
            raise UnsupportedContent(f"{name} keeps no names", suggestion=f"ipfs-accel store backend show {name}")
        return backend

    @contextmanager
    def node_at(self, name: str) -> Iterator[Node]:
        """Open a line to an IPFS node, as the owner; raises NotFound, and UnsupportedContent for what is none."""
        from ipfs_accel_cli.backends.ipfs.backend import IpfsBackend

        record = self._records.read(name)
        backend = self._made(name, record) if record.kind == "ipfs" else None
        if not isinstance(backend, IpfsBackend):
            others = [one for one in self.names() if self._records.read(one).kind == "ipfs"]
            known = f"; of the backends here, {', '.join(others)} can" if others else ""
            raise UnsupportedContent(
                f"{name} is of kind {record.kind} and no IPFS node{known}",
                suggestion="ipfs-accel store backend ls" if others else "ipfs-accel store backend add --help",
            )
        with owners(), backend.node() as node:
            yield node

    def _config(self, name: str, record: Record) -> Config:
        folder = self._home.path / "backends" / name
        return Config(name, record.options, folder, self._token(name), partial(self._pace, name))

    def _token(self, name: str) -> Callable[[], str]:
        return lambda: self._records.token(name)


def _file(text: str) -> Path | None:
    """Return the file that a text names; None where it names none, as a proof does that is written out."""
    with suppress(OSError):  # It may be longer than any name of a file.
        if text and (file := Path(text).expanduser()).is_file():
            return file.absolute()
    return None


class _Warm:
    """Passes notes on, but of the first call no time: it loads libraries, which says nothing of how far a place is.

    One that moved much is timed all the same.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._is_first = True

    def __call__(self, operation: str, size_bytes: int, seconds: float, code: str | None) -> None:
        is_first, self._is_first = self._is_first, False
        self._note(operation, size_bytes, 0.0 if is_first and size_bytes < LEAST_TRANSFER_BYTES else seconds, code)


_ORIGINS: dict[TokenFrom, Origin] = {"": "none", "stdin": "file", "keyring": "keyring"}

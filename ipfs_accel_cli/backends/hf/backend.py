"""A branch of a repository at the Hugging Face Hub, or at a hub of the same kind: files under their keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from ipfs_accel_cli.backends.base import Body, Config, Health, Receipt, Stat, Traits
from ipfs_accel_cli.backends.hf.change import Change, etag_of
from ipfs_accel_cli.backends.keys import checked_key
from ipfs_accel_cli.core import fetch, hub
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotAuthorised, NotFound, Offline, TryAgain
from ipfs_accel_cli.core.http import is_loopback, refuse_private
from ipfs_accel_cli.core.hub import LOGIN, MAIN, Listed, Repository

KINDS = ("model", "dataset", "space")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_TRUE, _FALSE = ("true", "yes", "1"), ("", "false", "no", "0")


class HubBackend:
    """Files of a branch, where every change is one commit and its history stays.

    The owner's calls carry the token of the backend, else the one that huggingface_hub finds; any other caller reads
    what everybody can read, and changes nothing. A revision that is a commit can only be read.
    """

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self._config = config
        self._revision = config.get("revision", MAIN)
        self.traits = Traits(read_only=hub.is_commit(self._revision))
        self._creates, self._private = (_claim(config, option) for option in ("create", "private"))
        prefix = config.get("prefix").strip("/")
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""
        self._kind = config.get("type", "model")
        if not _NAME.fullmatch(config.get("repo")):
            raise Invalid(f"backend {self.name} is no repository: --repo ORG/NAME, not {config.get('repo')!r}")
        if self._kind not in KINDS:
            raise Invalid(f"backend {self.name}: the option type is {', '.join(KINDS)}, not {self._kind!r}")
        _check_endpoint(config)

    def health(self) -> Health:
        """Ask for the branch, and whether the token may write to it."""
        repository, began = self._repository(), time.perf_counter()
        try:
            info = repository.api().repo_info(repository.name, repo_type=self._kind, revision=self._revision)
        except Exception as wrapped:
            return self._illness(repository, hub.meaning(repository, wrapped))
        took = 1000 * (time.perf_counter() - began)
        detail = f"{self._kind} {repository.name}, {self._revision} at commit {str(info.sha)[:12]}"
        return Health(True, detail, latency_ms=round(took, 3), writable=self._writable(repository))

    def put(self, body: Body, key: str) -> Receipt:
        """Commit one file; what is there already with the same bytes makes no commit."""
        return self.put_all([(body, key)])[0]

    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        """Commit many files at once, on top of what the branch has: others may commit other files meanwhile."""
        if not bodies:
            return []
        change = self._change()
        commit = change.put([(body, self._path(key)) for body, key in bodies])
        listed = change.listed([self._path(key) for _, key in bodies], commit)
        return [self._receipt(body, key, listed.get(self._path(key)), change) for body, key in bodies]

    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        """Commit a file in the place of the one that was seen; raises Conflict for another."""
        change, path = self._change(), self._path(key)
        commit = change.put([(body, path)], {path: (seen.size_bytes, seen.etag)})
        return self._receipt(body, key, change.listed([path], commit).get(path), change)

    def guards(self) -> bool:
        """Say yes: a commit names the one that was looked at."""
        return True

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file as the branch has it now, from the hub or from where it leads to."""
        path, repository, what = self._path(locator), self._repository(), f"{self.name}:{locator}"
        confined = current().folders is not None
        address, headers = repository.address(path), repository.headers()
        try:
            for piece in fetch.ranged(address, offset, what, headers=headers, guarded=confined, length=length):
                current().check()
                yield piece
        except NotAuthorised as error:
            raise NotAuthorised(error.detail, suggestion=self._login()) from error

    def stat(self, key: str) -> Stat | None:
        """Say what lies under a key, with the sha-256 of a large file."""
        path = self._path(key)
        found = Change(self._repository(), self._creates).listed([path]).get(path)
        return self._stat(found) if found is not None else None

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        """List the files of one commit, so that the list is that of one moment."""
        repository, start = self._repository(), self._prefix + prefix
        head = Change(repository, self._creates).head()
        if head is None:
            return
        found = hub.asked(repository, lambda: list(_below(repository, head, start.rpartition("/")[0])))
        yield from (self._stat(one) for one in sorted(found, key=lambda one: one.path) if one.path.startswith(start))

    def delete(self, locator: str) -> None:
        """Commit that a file is gone; the history of the branch keeps it."""
        self._change().delete(self._path(locator))

    def _change(self) -> Change:
        if current().folders is not None:
            raise NotAuthorised(f"only the owner's own shell changes {self.name}, because that is done with its token")
        if self.traits.read_only:
            raise Invalid(f"backend {self.name} is a commit, which nothing can be added to; choose a branch")
        return Change(self._repository(), self._creates, self._private)

    def _repository(self) -> Repository:
        name = self._config.get("repo")
        current().needs_network(f"asking the hub for {name}")
        repository = Repository(name, self._kind, self._revision, self._config.get("endpoint") or None)
        if current().folders is None:
            return replace(repository, token=self._config.secret() or None)
        refuse_private(repository.api().endpoint)
        return replace(repository, token=False)

    def _receipt(self, body: Body, key: str, found: Listed | None, change: Change) -> Receipt:
        """Return what the hub states: both kinds of its digests are computed over the bytes that it has."""
        change.check(body, self._path(key), found)
        return Receipt(key, body.size_bytes, "checksum")

    def _path(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _stat(self, found: Listed) -> Stat:
        key = found.path.removeprefix(self._prefix)
        return Stat(key, key, found.size_bytes, sha256=found.sha256, etag=etag_of(found))

    def _writable(self, repository: Repository) -> bool | None:
        if self.traits.read_only or current().folders is not None:
            return False
        try:
            repository.api().auth_check(repository.name, repo_type=self._kind, write=True)
        except Exception as wrapped:
            return False if isinstance(hub.meaning(repository, wrapped), NotAuthorised) else None
        return True

    def _illness(self, repository: Repository, error: AccelError) -> Health:
        if isinstance(error, Offline):
            raise error
        if isinstance(error, NotFound) and self._creates:
            return Health(True, f"there is no {self._kind} {repository.name} yet; the first file makes it")
        if isinstance(error, NotAuthorised):
            return Health(True, error.detail, writable=False)
        return Health(None if isinstance(error, TryAgain) else False, error.detail)

    def _login(self) -> str:
        return f"ipfs-accel store backend add {self.name} --help" if self._config.secret() else LOGIN


def _below(repository: Repository, commit: str, folder: str) -> Iterator[Listed]:
    from huggingface_hub.errors import EntryNotFoundError

    entries = repository.api().list_repo_tree(
        repository.name, folder or None, recursive=True, revision=commit, repo_type=repository.kind
    )
    try:
        for one in hub.listed(entries):
            current().check()
            yield one
    except EntryNotFoundError:  # There is no such folder.
        return


def _claim(config: Config, option: str) -> bool:
    value = config.get(option).lower()
    if value not in (*_TRUE, *_FALSE):
        raise Invalid(f"backend {config.name}: --{option} is true or false, not {value!r}")
    return value in _TRUE


def _check_endpoint(config: Config) -> None:
    endpoint = config.get("endpoint")
    if not endpoint:
        return
    parts = urlsplit(endpoint)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise Invalid(f"the endpoint of backend {config.name} is no https:// address without a password")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Invalid(f"the token of backend {config.name} would be sent to {parts.hostname} without encryption")

"""What is kept of a backend: a folder with how it is reached and, in a file of its own, its token."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ipfs_accel_cli.core import secrets
from ipfs_accel_cli.core.errors import Conflict, Invalid, MalformedContent, NotFound
from ipfs_accel_cli.core.files import replacing

_RECORD, _TOKEN = "backend.json", "token"
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")

Origin = Literal["none", "environment", "keyring", "file"]


@dataclass(frozen=True, slots=True)
class Record:
    """A backend: `origin` says where its token is; that of the environment is in the variable `token_env`."""

    kind: str
    options: dict[str, str] = field(default_factory=dict)
    origin: Origin = "none"
    token_env: str = ""
    added_at: str = ""

    def as_json(self) -> str:
        """Return it as it is kept."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, indent=1, sort_keys=True)


class Records:
    """The backends of one home: a folder each, which only the owner can read."""

    def __init__(self, keys: Path) -> None:
        self._keys, self._folder = keys, keys / "backends"

    def names(self) -> Iterator[str]:
        """Yield the names, sorted."""
        if self._folder.is_dir():
            yield from sorted(path.name for path in self._folder.iterdir() if (path / _RECORD).exists())

    def add(self, name: str, record: Record, token: str, *, replace: bool) -> None:
        """Keep a backend; raises Invalid for a name that none can have, and Conflict for a known one."""
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{name!r} is no name of a backend: two or more small letters, digits, . - or _, a letter first"
            )
        folder = self._folder / name
        if (folder / _RECORD).exists() and not replace:
            raise Conflict(
                f"there is a backend {name!r} already; --replace replaces it",
                suggestion=f"ipfs-accel store backend show {name}",
            )
        for each in (self._keys, self._folder, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        if record.origin == "file":
            with replacing(folder / _TOKEN, 0o600) as file:
                file.write(token.encode())
        if record.origin == "keyring":
            secrets.into_keyring(_ring(name), token)
        with replacing(folder / _RECORD, 0o600) as file:
            file.write(record.as_json().encode())
        if record.origin != "file":
            (folder / _TOKEN).unlink(missing_ok=True)

    def read(self, name: str) -> Record:
        """Return a backend; raises NotFound, and MalformedContent for a file that was damaged."""
        path = self._folder / name / _RECORD
        if not _NAME.fullmatch(name) or not path.exists():
            known = ", ".join(self.names()) or "none is"
            raise NotFound(
                f"no backend named {name!r} is known; known: {known}", suggestion="ipfs-accel store backend ls"
            )
        try:
            return Record(**json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError) as error:
            raise MalformedContent(f"{path} is damaged; remove and add the backend again") from error

    def remove(self, name: str) -> None:
        """Forget a backend and its token; raises NotFound."""
        if self.read(name).origin == "keyring":
            secrets.out_of_keyring(_ring(name))
        shutil.rmtree(self._folder / name)

    def token(self, name: str) -> str:
        """Return a backend's token, or nothing for one without; raises NotAuthorised where it is not to be had."""
        record = self.read(name)
        if record.origin == "environment":
            return secrets.from_variable(record.token_env, f"backend {name}")
        if record.origin == "keyring":
            return secrets.from_keyring(_ring(name))
        return secrets.from_file(self._folder / name / _TOKEN)


def _ring(name: str) -> str:
    return f"backend:{name}"

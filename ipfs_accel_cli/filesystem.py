"""`ipfsaccel://` for fsspec: pandas, datasets and torch read content by its CID, and write into trees.

ipfsaccel://CID/path      content of the store; it never changes, so it is only read
ipfsaccel://TREE/path     a tree of the store (`ipfs-accel store path`), read and written
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import IO, Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.node import Node
from ipfs_accel_cli.services.store.trees.results import TreeEntry

_PIECE_BYTES = 1 << 20


class IpfsAccelFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The store of one home as a file system; `home` is its folder, as for `Node`."""

    protocol = "ipfsaccel"
    root_marker = ""

    def __init__(self, home: str | Path | None = None, **options: Any) -> None:
        super().__init__(home=home, **options)
        self._node = Node(home)
        self._store = self._node.store

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """List a folder; raises FileNotFoundError."""
        entries = list(self._listed(self._strip_protocol(path)))
        return entries if detail else [entry["name"] for entry in entries]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Say what is at a path: `name`, `size`, `type`, `cid`, and `mtime` in trees; raises FileNotFoundError."""
        clean = self._strip_protocol(path)
        if not clean:
            return {"name": "", "size": 0, "type": "directory"}
        try:
            if _is_cid(clean):
                found = self._store.stat(clean)
                kind = "directory" if found.kind == "directory" else "file"
                size = 0 if kind == "directory" else found.size_bytes
                return {"name": clean, "size": size, "type": kind, "cid": found.cid}
            return _told(self._store.trees.find(clean))
        except NotFound as error:
            raise FileNotFoundError(clean) from error

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Make a folder of a tree."""
        clean = self._writable(path)
        parent = self._parent(clean)
        if parent and not create_parents and not self.exists(parent):
            raise FileNotFoundError(parent)
        try:
            self._store.trees.make_folder(clean)
        except Conflict as error:
            raise FileExistsError(clean) from error

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder and those above it."""
        try:
            self.mkdir(path)
        except FileExistsError:
            if not exist_ok or not self.isdir(path):
                raise

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        try:
            self._store.trees.remove(self._writable(path))
        except NotFound as error:
            raise FileNotFoundError(path) from error
        except Conflict as error:
            raise OSError(f"{path} is not empty") from error

    def rm(self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and folders where `recursive`."""
        for one in [path] if isinstance(path, str) else path:
            for each in self.expand_path(one, recursive=recursive, maxdepth=maxdepth)[:1] if recursive else [one]:
                self._remove(each, recursive=recursive)

    def _rm(self, path: str) -> None:
        self._remove(path, recursive=False)

    def _remove(self, path: str, *, recursive: bool) -> None:
        try:
            self._store.trees.remove(self._writable(path), recursive=recursive)
        except NotFound as error:
            raise FileNotFoundError(path) from error
        except Conflict as error:
            raise IsADirectoryError(path) from error

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        """Let another path be the same content; nothing is copied."""
        found = self.info(path1)
        target = self._writable(path2)
        if found["type"] == "directory":
            self.makedirs(target, exist_ok=True)
        else:
            self._store.trees.link(target, CID.parse(found["cid"]))

    def created(self, path: str) -> datetime:
        """Return when a path of a tree became what it is."""
        return self.modified(path)

    def modified(self, path: str) -> datetime:
        """Return when a path of a tree became what it is; content by its CID has no time."""
        moment = self.info(path).get("mtime")
        if moment is None:
            raise FileNotFoundError(f"{path} has no time of its own")
        return datetime.fromisoformat(moment)

    def ukey(self, path: str) -> str:
        """Return what is another value whenever the content is another: its CID."""
        return str(self.info(path).get("cid", path))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """Return bytes of a file; negative positions count from its end."""
        found = self.info(path)
        if found["type"] == "directory":
            raise IsADirectoryError(path)
        begin, stop, _step = slice(start, end).indices(found["size"])
        return b"".join(map(bytes, self._store.open(CID.parse(found["cid"]), begin, max(0, stop - begin)).chunks))

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **options: Any) -> Any:
        if mode == "rb":
            found = self.info(path)
            if found["type"] == "directory":
                raise IsADirectoryError(path)
            return _Reading(self._store.content(CID.parse(found["cid"])), found)
        return _Writing(self, self._writable(path), mode, self._before(path) if mode == "ab" else None)

    def _before(self, path: str) -> bytes | None:
        return self.cat_file(path) if self.exists(path) else None

    def _listed(self, path: str) -> Iterator[dict[str, Any]]:
        try:
            if path and _is_cid(path):
                for entry in self._store.ls(path).entries:
                    name = path if entry.name == path.rpartition("/")[2] else f"{path}/{entry.name}"
                    kind = "directory" if entry.kind == "directory" else "file"
                    size = 0 if kind == "directory" else entry.size_bytes
                    yield {"name": name, "size": size, "type": kind, "cid": entry.cid}
                return
            yield from map(_told, self._store.trees.ls(path))
        except NotFound as error:
            raise FileNotFoundError(path) from error

    def _writable(self, path: str) -> str:
        clean: str = self._strip_protocol(path)
        if _is_cid(clean):
            raise PermissionError(f"{clean} is content by its CID, which never changes; write into a tree instead")
        return clean


class _Reading(RawIOBase):
    """A file of the store, read at any place."""

    def __init__(self, content: Any, details: dict[str, Any]) -> None:
        self._content, self.details, self.size = content, details, int(details["size"])
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        if self._at < 0:
            raise ValueError("before the beginning of the file")
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = memoryview(buffer).cast("B")
        count = min(len(wanted), max(0, self.size - self._at))
        data = self._content.read(self._at, count)
        wanted[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._content.close()
        super().close()


class _Writing(AbstractBufferedFile):  # type: ignore[misc]
    """A file of a tree that is being written: it is there, whole, when it is closed."""

    def __init__(self, fs: IpfsAccelFileSystem, path: str, mode: str, before: bytes | None) -> None:
        super().__init__(fs, path, mode="wb", autocommit=True)
        self._scratch: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this file
        if mode == "xb" and fs.exists(path):
            raise FileExistsError(path)
        self._scratch.write(before or b"")

    def _initiate_upload(self) -> None:
        """Begin: the file is beside the store until it is whole."""

    def _upload_chunk(self, final: bool = False) -> bool:
        self.buffer.seek(0)
        shutil.copyfileobj(self.buffer, self._scratch)
        if final:
            self._scratch.seek(0)
            try:
                self.fs._store.trees.write(self.path, iter(lambda: self._scratch.read(_PIECE_BYTES), b""))
            except Conflict as error:
                raise IsADirectoryError(self.path) from error
            except Invalid as error:
                raise ValueError(error.detail) from error
            finally:
                self._scratch.close()
        return True


def _is_cid(path: str) -> bool:
    try:
        CID.parse(path.partition("/")[0])
    except ContentError:
        return False
    return True


def _told(entry: TreeEntry) -> dict[str, Any]:
    told = {"name": entry.path, "size": entry.size_bytes, "type": entry.kind}
    return (
        told | ({"cid": entry.cid} if entry.cid else {}) | ({"mtime": entry.modified_at} if entry.modified_at else {})
    )

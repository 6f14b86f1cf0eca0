"""Pictures and recordings read by models, when that is asked for: one file at a time, each kept once it is read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Conflict,
    DiskFull,
    DoesNotFit,
    HomeUnusable,
    Invalid,
    MissingExtra,
    NotFound,
)
from ipfs_accel_cli.extractors.base import Limits
from ipfs_accel_cli.services.search import readings
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.making import Maker
from ipfs_accel_cli.services.search.readings import READ_OF, Kind, Reading
from ipfs_accel_cli.services.search.results import ReadBy
from ipfs_accel_cli.services.search.supply import Beside, Read, Reader, StoredContent

BY_PATH = "path:"
NONE = "none"
# What would go wrong with the next file, too.
_OF_ALL = (Cancelled, DiskFull, DoesNotFit, HomeUnusable, MissingExtra)

log = logging.getLogger("ipfs_accel_cli")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read, and by which models; without a name the usual one, `none` leaves text or caption out."""

    pictures: bool = False
    speech: bool = False
    ocr: str | None = None
    caption: str | None = None
    transcript: str | None = None


NOTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Perceiving:
    """Lets models read what is in the index."""

    index: Index
    beside: Beside
    maker: Maker

    def readers(self, wanted: Wanted) -> list[Reader]:
        """Return what reads, loading nothing yet.

        Captions are made where a model for them is registered, or named. Raises Invalid for models of what is not to be
        read, and NotFound, MissingExtra or what else finding and choosing raise, with the command that helps.
        """
        if not wanted.pictures and (wanted.ocr or wanted.caption):
            raise Invalid("--ocr-model and --caption-model say who reads pictures: give --read-pictures, too")
        if not wanted.speech and wanted.transcript:
            raise Invalid("--speech-model says who writes down what is spoken: give --transcribe, too")
        if wanted.pictures and wanted.ocr == wanted.caption == NONE:
            raise Invalid("nothing is left to read in pictures: leave --read-pictures out")
        found: list[Reader] = []
        if wanted.pictures and wanted.ocr != NONE:
            found.append(self._reader("ocr", wanted.ocr))
        if wanted.pictures and wanted.caption != NONE:
            try:
                found.append(self._reader("caption", wanted.caption))
            except NotFound:
                if wanted.caption is not None or wanted.ocr == NONE:
                    raise
        if wanted.speech:
            found.append(self._reader("transcript", wanted.transcript))
        return found

    def read(self, roots: Sequence[str] | None, readers: Sequence[Reader]) -> list[ReadBy]:
        """Let models read what is below some roots, or in the store; what each of them has read stays.

        A file that cannot be read costs its own document only, whose `problem` tells why.
        """
        return [self._all(reader, self._documents(roots, reader.kind)) for reader in readers]

    def _reader(self, kind: Kind, model: str | None) -> Reader:
        if self.beside.reader is None:
            raise NotFound("nothing here reads pictures or recordings", suggestion="ipfs-accel model ls")
        return self.beside.reader(kind, model)

    def _all(self, reader: Reader, documents: Sequence[sqlite3.Row]) -> ReadBy:
        """Read one file after the other; a model that has nothing left to read is not loaded."""
        left, before = [], 0
        for row in documents:
            known = readings.kept(self.index.connection(), row["cid"], reader.kind, reader.model_cid)
            if known is None:
                left.append(row)
                continue
            before += 1
            reading, is_shown = known
            if not is_shown:
                self.maker.again(row["cid"], reading)
        failed = self._each(reader, left) if left else 0
        about = {"kind": reader.kind, "model": reader.model, "model_cid": reader.model_cid}
        return ReadBy(**about, read=len(left) - failed, kept=before, failed=failed)

    def _each(self, reader: Reader, documents: Sequence[sqlite3.Row]) -> int:
        failed = 0
        with reader.opened() as read:
            for done, row in enumerate(documents):
                current().progress(done, len(documents), f"files read by {reader.model}")
                reading = self._reading(reader, read, row)
                failed += reading.problem is not None
                self.maker.again(row["cid"], reading)
            current().progress(len(documents), len(documents), f"files read by {reader.model}")
        return failed

    def _reading(self, reader: Reader, read: Read, row: sqlite3.Row) -> Reading:
        about = (reader.kind, reader.model, reader.model_cid)
        try:
            with self._content(row) as stream:
                return Reading(*about, read(stream, row["title"])[: Limits().text_chars])
        except _OF_ALL:
            raise
        except AccelError as error:
            log.warning("%s: %s", row["title"], error.detail)
            return Reading(*about, "", error.detail)

    @contextmanager
    def _content(self, row: sqlite3.Row) -> Iterator[BinaryIO]:
        """Open a file, where it is kept or where it lies; raises Conflict for one that is another by now."""
        if not row["root"].startswith(BY_PATH):
            with closing(self.beside.store.content(row["cid"])) as opened:
                yield StoredContent(opened, row["title"]).open()
            return
        path = Path(row["root"].removeprefix(BY_PATH))
        path = path / row["path"] if path.is_dir() else path
        (computed,) = self.beside.store.cid_of([path])
        if computed.cid != row["cid"]:
            raise Conflict(f"{path.name} changed meanwhile", suggestion="ipfs-accel search index add")
        with path.open("rb") as stream:
            yield stream

    def _documents(self, roots: Sequence[str] | None, kind: Kind) -> list[sqlite3.Row]:
        """Return the files that one of a kind reads, each once, kept ones before those that only lie in a folder."""
        kinds = [name for name, read in READ_OF.items() if kind in read]
        below = "root IN (SELECT value FROM json_each(?))" if roots is not None else f"root NOT LIKE '{BY_PATH}%'"
        return self.index.rows(
            "SELECT cid, title, path, root, max(root NOT LIKE ?) FROM documents JOIN members ON document = documents.id"
            f" WHERE kind IN (SELECT value FROM json_each(?)) AND {below} GROUP BY documents.id ORDER BY documents.id",
            (f"{BY_PATH}%", json.dumps(kinds), *([json.dumps(list(roots))] if roots is not None else [])),
        )

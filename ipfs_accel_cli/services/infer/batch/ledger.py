"""The output of a batch while it grows: what is committed survives a kill, what is not is cut off and made again.

Beside OUT stand OUT.partial, to which answers are appended in the order of the input, and OUT.journal, which says how
much of it is committed and of which input. The journal is replaced whole, after the answers are on the disk; so a line
is in the output once its input counts as read, and never before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.core.files import replacing, sync_folder, writing_into
from ipfs_accel_cli.core.locks import taken


@dataclass(slots=True)
class Progress:
    """What is committed: input lines read, how many of their answers are failures, and bytes of output."""

    lines: int = 0
    failed: int = 0
    size_bytes: int = 0
    input_sha256: str = field(default_factory=lambda: hashlib.sha256().hexdigest())


class Ledger:
    """The growing output of one batch; a context manager that holds it against other processes.

    `asked` is a digest of what decides the answers beside the input: a batch only goes on as it was begun.
    """

    def __init__(self, output: Path, asked: str, *, restart: bool = False) -> None:
        if not output.name:
            raise Invalid(f"{output} is no name of a file", suggestion="ipfs-accel infer batch --help")
        self._output, self._asked, self._restart = output, asked, restart
        self._partial, self._journal = (output.with_name(output.name + end) for end in (".partial", ".journal"))
        self._file: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self.done = Progress()

    def __enter__(self) -> Ledger:
        """Open it where it was left; raises Conflict where that cannot be gone on with, and for a finished output."""
        self._check_output()
        with writing_into(self._output.parent):
            # Through a link the answers would go, and the cutting off would happen, somewhere else.
            opened = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            self._file = os.fdopen(opened, "a+b")
        try:
            self._begin(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def _begin(self, file: IO[bytes]) -> None:
        if not taken(file.fileno()):
            raise Conflict(f"another run is writing {self._output}")
        # What was opened is the output itself where another run ended before it was locked.
        if not self._partial.exists() or not os.path.samestat(os.fstat(file.fileno()), self._partial.stat()):
            raise Conflict(f"another run has just written {self._output}")
        self._check_output()
        self.done = self._left_off()
        file.truncate(self.done.size_bytes)
        file.seek(self.done.size_bytes)
        if not self.done.lines:
            # From now on the journal says whose the part is.
            self.commit()

    def _check_output(self) -> None:
        if self._output.exists() and not self._output.is_file():
            raise Invalid(f"{self._output} is no file that answers could be kept in, so that a killed run goes on")
        if self._output.exists() and not self._restart:
            raise Conflict(f"{self._output} is there already; --restart replaces it once all is answered anew")

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        self._file.close()

    def refuse_input(self, source: Path) -> None:
        """Raise Invalid for an input that the output would be written over."""
        for path in (self._output, self._partial, self._journal):
            if path.exists() and source.exists() and path.samefile(source):
                raise Invalid(f"{source} would be written over: give another file for the answers")

    def skipped(self, lines: Iterator[str]) -> None:
        """Read the lines of the input that were answered before; raises Conflict when they are others now."""
        for _ in range(self.done.lines):
            line = next(lines, None)
            if line is None:
                raise self._changed(f"it ends before line {self.done.lines}")
            self._read(line)
        if self._hash.hexdigest() != self.done.input_sha256:
            raise self._changed(f"its first {self.done.lines} lines are not those that were answered")

    def add(self, line: str, answer: bytes, *, failed: bool) -> None:
        """Append the answer to an input line; it is kept from the next commit on."""
        assert self._file is not None
        self._read(line)
        self.done.lines += 1
        self.done.failed += failed
        self.done.size_bytes += self._file.write(answer + b"\n")

    def commit(self) -> None:
        """Make what was added survive."""
        assert self._file is not None
        with writing_into(self._output.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
            self.done.input_sha256 = self._hash.hexdigest()
            with replacing(self._journal) as journal:
                state = {name: getattr(self.done, name) for name in Progress.__slots__}
                journal.write(json.dumps({"asked": self._asked, **state}).encode())

    def finish(self) -> None:
        """Let the output be whole: the input has ended, and all of it is answered."""
        self.commit()
        with writing_into(self._output.parent):
            os.replace(self._partial, self._output)
            with suppress(FileNotFoundError):
                self._journal.unlink()
            sync_folder(self._output.parent)

    def _left_off(self) -> Progress:
        assert self._file is not None
        try:
            if self._restart:
                self._journal.unlink()
                return Progress()
            state = json.loads(self._journal.read_bytes())
            known = Progress(**{name: state[name] for name in Progress.__slots__})
        except FileNotFoundError:
            if self._file.seek(0, os.SEEK_END) and not self._restart:
                raise Conflict(f"{self._partial} is there, and no batch says that it is its own") from None
            return Progress()
        except (ValueError, KeyError, TypeError) as error:
            raise Conflict(f"{self._journal} is no journal of a batch; begin anew with --restart") from error
        if state.pop("asked", None) != self._asked:
            raise Conflict(
                f"{self._output} was begun with other options, or with another version of the model; "
                "go on with the same, or begin anew with --restart"
            )
        if self._file.seek(0, os.SEEK_END) < known.size_bytes:
            raise Conflict(f"{self._partial} is shorter than its journal says; begin anew with --restart")
        return known

    def _read(self, line: str) -> None:
        self._hash.update(line.encode() + b"\n")

    def _changed(self, how: str) -> Conflict:
        return Conflict(f"the input is not the one that {self._output} was begun with: {how}; --restart begins anew")

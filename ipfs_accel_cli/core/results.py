"""What commands return: frozen models, and bytes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ipfs_accel_cli.core.errors import AccelError, LimitReached

STRUCTURED_BYTES = 1 << 20


class Result(BaseModel):
    """Base of every result: immutable, and no field that was not declared.

    `columns` names the fields that a table shows (all of them when empty); `essence` names the field that `--quiet`
    prints (the first one when empty); `bars` names fields between 0 and 1 that a terminal draws as bars, and
    `gains` those of them of which more is better.
    """

    # Most commands use few of the models that they import; building one costs ten times as much as declaring it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    columns: ClassVar[tuple[str, ...]] = ()
    essence: ClassVar[str] = ""
    bars: ClassVar[tuple[str, ...]] = ()
    gains: ClassVar[tuple[str, ...]] = ()

    def failure(self) -> AccelError | None:
        """Return what a shell is to be told of a result that is not all of what was asked for."""
        return None


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes as a result: `chunks` is read once; `size_bytes` counts what `chunks` yields."""

    chunks: Iterable[bytes | memoryview]
    size_bytes: int
    cid: str
    offset: int = 0

    def __iter__(self) -> Iterator[bytes | memoryview]:
        return iter(self.chunks)

    def structured(self) -> Bytes:
        """Return the bytes as a JSON-able model; raise LimitReached beyond 1 MiB."""
        if self.size_bytes > STRUCTURED_BYTES:
            raise LimitReached(
                f"{self.size_bytes} bytes do not belong in JSON (limit {STRUCTURED_BYTES});"
                " --offset and --length give a part of them",
                suggestion=f"ipfs-accel store get {self.cid} -o FILE",
            )
        data = b"".join(bytes(chunk) for chunk in self.chunks)
        try:
            text, encoding = data.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = base64.b64encode(data).decode("ascii"), "base64"
        return Bytes(
            cid=self.cid,
            offset=self.offset,
            size_bytes=len(data),
            encoding="utf-8" if encoding == "utf-8" else "base64",
            data=text,
        )


class Bytes(Result):
    """Bytes of some content, as text where they are UTF-8 and as base64 where they are not."""

    essence = "data"

    cid: str = Field(description="The content the bytes belong to.")
    offset: int = Field(description="Where in the content they begin, in bytes.")
    size_bytes: int
    encoding: Literal["utf-8", "base64"]
    data: str

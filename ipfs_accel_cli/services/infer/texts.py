"""Texts from wherever the caller has them: one a line, UTF-8, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.infer.halves import unwritable

LONGEST_LINE_BYTES = 1 << 20
LARGEST_PROMPT_BYTES = 16 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def open_texts(
    texts: Iterable[str], file: Path | None, call: Call, example: str = "ipfs-accel infer embed 'some text'"
) -> Iterator[str]:
    """Return the texts given, else the lines of a file, else those of the caller's input.

    Raises Invalid when there are none of these, or two of them; NotFound for a file that is not there. Lines are read
    as they are asked for. `example` is what to type when there is no text.
    """
    given = list(texts)
    if given and file is not None:
        raise Invalid("texts come from the arguments or from --file, not from both")
    if given:
        refuse_halves(given)
        return iter(given)
    if file is not None:
        return lines(_open(call.path(file)))
    if call.input is not None:
        return lines(call.input())
    raise Invalid(
        "there is no text: give it as an argument, with --file, or on standard input",
        suggestion=example,
    )


def read_prompt(prompt: str | None, call: Call) -> str:
    """Return the prompt given, else the caller's whole input without its last line end.

    Raises Invalid when there is neither or it is no UTF-8, and LimitReached beyond 16 MiB.
    """
    if prompt is not None:
        refuse_halves([prompt])
        return prompt
    if call.input is None:
        raise Invalid(
            "there is no prompt: give it as an argument or on standard input",
            suggestion="ipfs-accel infer generate 'Once upon a time'",
        )
    return _whole(call.input(), "a prompt")


def read_document(file: Path | None, call: Call, example: str) -> str:
    """Return a whole file as one text, else the caller's whole input; without its last line end.

    Raises Invalid when there is neither, or it is no UTF-8, NotFound, and LimitReached beyond 16 MiB.
    """
    if file is not None:
        return _whole(_open(call.path(file)), "a text")
    if call.input is None:
        raise Invalid("there is no text: give it as an argument, with --file, or on standard input", suggestion=example)
    return _whole(call.input(), "a text")


def lines(stream: BinaryIO) -> Iterator[str]:
    """Yield a stream's lines without their ends and close it.

    Raises Invalid naming the first byte that is no UTF-8, and LimitReached for a line beyond 1 MiB.
    """
    with stream:
        offset = 0
        while data := stream.readline(LONGEST_LINE_BYTES + 1):
            text = _text(data.removeprefix(_BYTE_ORDER_MARK) if offset == 0 else data, offset)
            if len(data) > LONGEST_LINE_BYTES:
                raise LimitReached(f"the line at byte {offset} is longer than {LONGEST_LINE_BYTES} bytes")
            offset += len(data)
            yield text.removesuffix("\n").removesuffix("\r")


def windows(texts: Iterator[str], batch: int, batches: int = 8) -> Iterator[list[str]]:
    """Yield lists of texts: one batch first, so that answers begin early, then twice as many up to `batches`.

    Within a window an engine may reorder texts by length, which is what large windows are for.
    """
    size = batch
    while window := list(islice(texts, size)):
        yield window
        size = min(size * 2, batch * batches)


def _whole(stream: BinaryIO, what: str) -> str:
    with stream:
        data = stream.read(LARGEST_PROMPT_BYTES + 1)
    if len(data) > LARGEST_PROMPT_BYTES:
        raise LimitReached(f"{what} may have {LARGEST_PROMPT_BYTES} bytes at most")
    return _text(data.removeprefix(_BYTE_ORDER_MARK), 0).removesuffix("\n").removesuffix("\r")


def refuse_halves(given: list[str]) -> None:
    """Raise Invalid for a text that libraries could not write down."""
    if (found := unwritable(given)) is not None:
        raise Invalid(f"a text is not UTF-8: {found!r}")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"no file {str(path)!r}") from error
    except OSError as error:
        raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error


def _text(data: bytes, offset: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"the input is not UTF-8 at byte {offset + error.start}",
            suggestion="give plain text, one text a line",
        ) from error

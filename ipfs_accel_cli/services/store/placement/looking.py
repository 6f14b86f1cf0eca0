"""What is to be placed: its size, its files and its type, from what is here or known to lie elsewhere."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import AccelError, NotFound
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.walking import Frontier, walk


@dataclass(frozen=True, slots=True)
class Content:
    """A DAG as placement sees it; `largest_bytes` is its largest file."""

    size_bytes: int
    files: int
    largest_bytes: int
    type: str


def look(reader: Reader, copies: Copies, root: CID) -> Content:
    """Measure a DAG that is here, or one that is known to lie at a backend; raises NotFound."""
    if reader.index.find_file(root) is None and not reader.blocks.has(root):
        known = next((one for one in copies.of(root)), None)
        if known is None:
            raise NotFound(f"{root} is neither here nor known to be elsewhere", suggestion="ipfs-accel store ls")
        return Content(known.size_bytes, 1, known.size_bytes, "")
    sizes, inner = [], 0
    with Frontier() as frontier:
        for visit in walk(reader.index, reader.blocks, [root], frontier, inner_leaves=False):
            if visit.file is not None:
                sizes.append(visit.file.object.size_bytes)
            elif not visit.inside:
                inner += len(visit.data)
    return Content(sum(sizes) + inner, max(1, len(sizes)), max(sizes, default=inner), type_of(reader, root))


def quick_look(reader: Reader, root: CID) -> Content:
    """Take the size of a DAG from its root alone, for many of them; its files are not counted."""
    try:
        named = reader.look(root)
        return Content(named.total_bytes, 1, named.total_bytes if named.kind == "file" else 0, type_of(reader, root))
    except (AccelError, ContentError):  # What is not here, or damaged, fails when it is sent, and is told there.
        return Content(0, 1, 0, "")


def type_of(reader: Reader, root: CID) -> str:
    """Return the media type that the name of a kept file tells, else what kind of thing it is."""
    kind = reader.look(root).kind
    names = [row["label"] for row in reader.index.roots(root)] if kind == "file" else []
    guesses = [guess for name in names if (guess := mimetypes.guess_type(name)[0])]
    return guesses[0] if guesses else kind

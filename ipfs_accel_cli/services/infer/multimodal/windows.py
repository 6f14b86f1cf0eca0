"""Pictures, some at a time; what cannot be read is put aside, and told at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.services.infer.failures import Failures
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread, open_pictures
from ipfs_accel_cli.services.infer.image.run import seen

# Models look at a few hundred pixels; so many keep a window of them small.
LONGEST_SIDE = 1024


@dataclass(slots=True)
class Windows:
    """The pictures of some files, `size` at a time; raises what is wrong with a single one."""

    pictures: Iterator[Picture | Unread]
    size: int
    failures: Failures = field(default_factory=Failures)

    def __iter__(self) -> Iterator[list[Picture]]:
        """Yield windows of at least one picture."""
        while some := list(islice(self.pictures, self.size)):
            read = [one for one in some if seen(one, self.failures)]
            if read:
                yield read

    def end(self) -> None:
        """Raise SomeFailed when pictures were put aside."""
        self.failures.end()


def open_windows(files: Sequence[Path], call: Call, size: int) -> Windows:
    """Return pictures of files, or of the caller's input where none is given; raises Invalid where that is none."""
    return Windows(open_pictures(files, call, longest=LONGEST_SIDE), size)

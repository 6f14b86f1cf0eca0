"""Parameters that several commands of the group share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from ipfs_accel_cli.node import node

ProfileName = Literal["unixfs-v1-2025", "legacy-cid-v1", "unixfs-v0-2015"]

Reference = Annotated[
    str,
    Argument(
        metavar="CID[/PATH]",
        help="CID, CID/path, /ipfs/CID/path or ipfs://CID/path; /ipns/NAME; ipns:KEY; NAME:CID, NAME:PATH elsewhere.",
    ),
]
Paths = Annotated[list[Path], Argument(metavar="PATH", help="Files and folders.")]
Profile = Annotated[
    ProfileName | None,
    Option("--cid-profile", metavar="NAME", help="unixfs-v1-2025, legacy-cid-v1 or unixfs-v0-2015; else the setting."),
]
Block = Annotated[str, Argument(metavar="CID", help="The CID of one block.")]
Source = Annotated[Path | None, Argument(metavar="FILE", help="A file with the bytes; else --text or standard input.")]
Text = Annotated[str | None, Option(help="The bytes as text, instead of a file.")]
HashName = Annotated[Literal["sha2-256", "sha2-512", "blake3"], Option("--hash", help="The hash function of the CID.")]
Codec = Literal["raw", "dag-pb", "dag-cbor", "dag-json"]
KeptName = Annotated[str | None, Option("--name", help="Keep it under this name; else that of the file, or its CID.")]
Unkept = Annotated[bool, Option("--no-keep", help="Leave it to the next `store gc`.")]
On = Annotated[
    str | None, Option("--on", metavar="NAME", help="At this backend; see `store backend ls`.", show_default=False)
]
OnNode = Annotated[str, Option("--on", metavar="NAME", help="The IPFS node: a backend of kind ipfs.")]
From = Annotated[
    str | None, Option("--on", metavar="NAME", help="Fetch it from this backend first, every byte proven.")
]
To = Annotated[
    list[str] | None,
    Option("--to", metavar="NAME[:PATH]", help="Send it to this backend, too; several with commas or again."),
]
Identity = Annotated[
    str | None, Option("--identity", metavar="NAME", help="Decrypt with this identity of `store identity ls`.")
]
Recipients = Annotated[
    list[str] | None,
    Option("--to-recipient", metavar="R", help="Who can read it: age1…, or an identity here; may be repeated."),
]


def here(path: Path, instead: str) -> Path:
    """Return a path of this machine; raises Invalid for a place, and names the command that takes one."""
    return node().store.backends.as_path(path, instead)


def places(given: list[str] | None) -> list[str]:
    """Return the places of `--to`, each `NAME:PATH`."""
    names = [name for text in given or [] for name in text.split(",") if name]
    return [name if ":" in name else f"{name}:" for name in names]

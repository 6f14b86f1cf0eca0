"""Parameters that several commands of the group `model` take."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

Name = Annotated[
    str, Argument(help="A name, name@version, alias, manifest or root CID, or a reference that was pulled.")
]
NameOrPath = Annotated[
    str, Argument(help="A name, name@version, alias, CID or pulled reference; or the path of a folder or file.")
]

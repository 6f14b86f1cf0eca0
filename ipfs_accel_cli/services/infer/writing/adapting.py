"""Which adapters a caller names, and how strong each is to be."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Adapter
from ipfs_accel_cli.services.infer.opening import Opener

ADAPTER = "adapter"
_LARGEST_SCALE = 100.0


def adapter_of(opener: Opener, text: str) -> Adapter:
    """Read `NAME` or `NAME:SCALE`; raises NotFound, and Invalid for a scale that is no number."""
    name, colon, scale = text.rpartition(":")
    if not colon:
        name, scale = text, "1"
    try:
        factor = float(scale)
    except ValueError as error:
        raise Invalid(f"--adapter {text}: the scale after the colon is no number") from error
    if not -_LARGEST_SCALE <= factor <= _LARGEST_SCALE:
        raise Invalid(f"--adapter {text}: a scale lies between -{_LARGEST_SCALE:g} and {_LARGEST_SCALE:g}")
    found = opener.find(name, ADAPTER)
    return Adapter(found.facts.name, found.facts.manifest, found.folder, factor)

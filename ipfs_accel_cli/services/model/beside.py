"""What the models of a home need from its other services; the node, which makes them all, hands it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipfs_accel_cli.services.model.deploy.service import Fit
    from ipfs_accel_cli.services.model.evaluating.asked import Opened
    from ipfs_accel_cli.services.model.evaluating.perf import Speeds
    from ipfs_accel_cli.services.model.signing.trust import Keys
    from ipfs_accel_cli.services.model.using import InMemory


@dataclass(frozen=True, slots=True)
class Beside:
    """`loaded` tells what is in memory, `fit` whether a deployment fits, `speeds` what was measured of a model.

    `opened` opens a model to ask it, `keys` are those that sign.
    """

    loaded: Callable[[], Sequence[InMemory]]
    fit: Fit
    opened: Opened
    speeds: Speeds
    keys: Callable[[], Keys]

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ipfs_accel_cli.backends.gateway import supply
from tests.conformance.dags_suite import TREE
from tests.servers.plain_gateway import plain_gateway
from tests.unit.backends.gateways import Serve


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start gateways that all hold the same blocks; the second is asked when the first failed, not when it is slow."""
    monkeypatch.setattr(supply, "delay_seconds", lambda _: 30.0)
    with ExitStack() as stack:
        yield lambda count=1, blocks=TREE.blocks: [stack.enter_context(plain_gateway(blocks)) for _ in range(count)]

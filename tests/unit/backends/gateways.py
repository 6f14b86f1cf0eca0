"""What the tests of trustless gateways share: a DAG, and backends over gateways that hold it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.gateway.backend import GatewayBackend
from ipfs_accel_cli.content.cid import CID, RAW
from tests.conformance.dags_suite import PROFILE, TREE
from tests.servers.plain_gateway import PlainGateway

Serve = Callable[..., list[PlainGateway]]
ROOT = TREE.root.cid
CHUNK = PROFILE.chunk_bytes
WEIGHTS = TREE.files["weights.bin"]
LEAVES = [CID.of(WEIGHTS[start : start + CHUNK], RAW) for start in range(0, len(WEIGHTS), CHUNK)]
STRANGER = b"belongs to nobody"


def backend(*urls: str, token: str = "") -> GatewayBackend:
    return GatewayBackend(Config("far", {"url": ",".join(urls)}, Path("/nonexistent"), lambda: token))


def over(gateways: list[PlainGateway], token: str = "") -> GatewayBackend:
    return backend(*(one.url for one in gateways), token=token)


def got(dags: GatewayBackend, root: CID = ROOT, **wanted: object) -> dict[CID, bytes]:
    blocks = list(dags.get_dag(root, **wanted))  # type: ignore[arg-type]
    assert len({block.cid for block in blocks}) == len(blocks)
    return {block.cid: block.data for block in blocks}

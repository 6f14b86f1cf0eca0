"""The seeds of what Storacha and its clients hand each other."""

from __future__ import annotations

import json
from pathlib import Path

from ipfs_accel_cli.content import dagcbor

REFERENCE = json.loads((Path(__file__).parents[1] / "vectors/ucan_reference.json").read_text("utf-8"))


def ucans() -> dict[str, bytes]:
    known = {name: one for name, one in REFERENCE["delegations"].items() if name != "plain"}
    token = dagcbor.decode(bytes.fromhex(known["dated"]["bytes"]))
    return {
        **{f"token {name}": bytes.fromhex(one["bytes"]) for name, one in known.items()},
        **{f"archive {name}": bytes.fromhex(one["archive"]) for name, one in known.items()},
        "text": known["chain"]["text"].encode(),
        "receipt": bytes.fromhex(REFERENCE["receipt"]["bytes"]),
        "reply": bytes.fromhex(REFERENCE["reply"]),
        "index": bytes.fromhex(REFERENCE["index"]),
        "no signature": dagcbor.encode(token | {"s": b""}),
        "signature cut short": dagcbor.encode(token | {"s": token["s"][:10]}),
        "issuer of another kind": dagcbor.encode(token | {"iss": b"\x85\x24" + bytes(270)}),
        "issuer that is none": dagcbor.encode(token | {"iss": b""}),
        "time that is none": dagcbor.encode(token | {"exp": True}),
        "proof that is none": dagcbor.encode(token | {"prf": ["x"]}),
        "empty nonce": dagcbor.encode(token | {"nnc": "", "nbf": 0, "fct": []}),
        "other version": dagcbor.encode(token | {"v": "0.10.0"}),
    }

"""The process that llama.cpp runs in: `python -m` this, with one line of JSON on standard input.

It answers with one line on standard output, the address that it serves or what went wrong, and ends with its parent:
when standard input ends. A crash in native code ends this process only.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Load the model, say where it is served, and wait for the end."""
    asked = json.loads(sys.stdin.readline())
    try:
        server = _serve(asked)
        answer = {"address": server.listening_address}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if "address" in answer:
        sys.stdin.read()
    # Whoever asked has gone; nobody is left to wait for an orderly end.
    os._exit(0)


def _serve(asked: dict[str, Any]) -> Any:
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = asked["model"]
    wanted.model_alias = {"model"}
    wanted.hostnames, wanted.port, wanted.api_keys = ["127.0.0.1"], 0, [asked["key"]]
    wanted.n_ctx, wanted.n_parallel = asked["context"] * asked["slots"], asked["slots"]
    wanted.n_batch = wanted.n_ubatch = asked["batch"]
    wanted.n_gpu_layers = 0
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = asked["threads"]
    wanted.ui = wanted.endpoint_slots = wanted.warmup = wanted.fit_params = False
    # What one caller wrote is kept for the next only in the cache of its own slot.
    wanted.kv_unified = False
    if asked["pooling"]:
        wanted.embedding = True
        kinds = xllamacpp.llama_pooling_type
        wanted.pooling_type = getattr(kinds, f"LLAMA_POOLING_TYPE_{asked['pooling'].upper()}")
    return xllamacpp.Server(wanted)


if __name__ == "__main__":
    main()

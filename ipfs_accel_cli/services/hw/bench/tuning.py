"""Finding the settings that suit this machine: what wins by more than chance is chosen, else the default stays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ipfs_accel_cli.content.hashing import hash_leaves
from ipfs_accel_cli.content.profiles import DEFAULT_PROFILE, PROFILES
from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.figures import Row, absent, gain, noise_of
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.services.hw.bench.measuring import Effort, measured, rate
from ipfs_accel_cli.services.hw.bench.results import Choice

MOST_HASH_THREADS = 8
DTYPES = ("float32", "bfloat16", "float16")
_FILE_BYTES = 128 << 20
# One layer of a small encoder for 512 tokens: where threads help least, so what helps here helps everywhere.
_TOKENS, _WIDTH, _INNER, _LAYERS = 512, 384, 1536, 6
_UNIT = "texts or tokens/s"

Name = Literal["threads", "hash_threads", "dtype"]


# Loads something in a dtype and with threads, and gives how many texts or tokens a call of the work does.
Loaded = Callable[[str, int], AbstractContextManager[tuple[int, Callable[[], None]]]]


def tune(folder: Path, effort: Effort, model: str | None = None, loaded: Loaded | None = None) -> list[Choice]:
    """Measure threads and dtype of inference, and threads of hashing; `folder` is for a file that is removed.

    `loaded` gives the model to measure with, by the name `model`; without it, it is layers like those of one.
    """
    on = "layers of a small encoder" if loaded is None else f"the model {model}"
    # A model that is not here is told before anything is measured.
    return [*_inference(effort, loaded or _layers, on), _hashing(folder, effort)]


def chosen(name: Name, default: str, rows: Mapping[str, Row], on: str = "") -> Choice:
    """Choose the fastest of several values, unless its gain over the default may be chance."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    best = max(rows, key=lambda value: rows[value].median or 0.0)
    won = gain(rows[default].median or 0.0, rows[best].median or 0.0)
    noise = noise_of(rows[default], rows[best])
    if best == default or won <= noise:
        reason = "the default is the fastest" if best == default else f"{best} gains {won:.1%}, within the noise"
        stays = {"value": default, "gain": 0.0, "reason": reason}
        return Choice.model_validate(
            {"name": name, "default": default, "noise": noise, "measured_on": on, "measured_at": now, **stays}
        )
    return Choice(name=name, value=best, default=default, gain=won, noise=noise, measured_on=on, measured_at=now)


def _hashing(folder: Path, effort: Effort) -> Choice:
    size_bytes = effort.bytes(_FILE_BYTES)
    profile = PROFILES[DEFAULT_PROFILE]
    default = min(MOST_HASH_THREADS, usable_cores())
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bench-") as made:
        path = Path(made) / "file"
        path.write_bytes(os.urandom(size_bytes))
        rows = {
            str(count): measured(
                "hashing",
                "bytes/s",
                rate(size_bytes, lambda count=count: hash_leaves(path, size_bytes, profile, count)),  # type: ignore[misc]
                effort,
            )
            for count in sorted({1, default, default * 2})
        }
    return chosen("hash_threads", str(default), rows, "a file of random bytes")


def _inference(effort: Effort, loaded: Loaded, on: str) -> list[Choice]:
    cores = usable_cores()
    if find_spec("torch") is None:
        why = "torch is not installed (pip install torch)"
        return [
            Choice(name="threads", value=str(cores), default=str(cores), gain=0.0, reason=why),
            Choice(name="dtype", value=DTYPES[0], default=DTYPES[0], gain=0.0, reason=why),
        ]
    import torch

    before = torch.get_num_threads()
    try:
        counts = sorted({1, max(1, cores // 2), cores})
        rows = {str(count): _speed(loaded, DTYPES[0], count, effort) for count in counts}
        threads = chosen("threads", str(cores), rows, on)
        kinds = {dtype: _or_absent(loaded, dtype, int(threads.value), effort) for dtype in DTYPES}
        return [threads, chosen("dtype", DTYPES[0], kinds, on)]
    finally:
        torch.set_num_threads(before)


def _or_absent(loaded: Loaded, dtype: str, threads: int, effort: Effort) -> Row:
    try:
        return _speed(loaded, dtype, threads, effort)
    except (UnsupportedContent, MalformedContent, RuntimeError) as error:
        # Numbers of this dtype overflow, or the build has no kernel for it.
        return absent(dtype, _UNIT, " ".join(str(error).split())[:200])


def _speed(loaded: Loaded, dtype: str, threads: int, effort: Effort) -> Row:
    with loaded(dtype, threads) as (count, work):
        return measured(dtype, _UNIT, rate(count, work), effort)


@contextmanager
def _layers(dtype: str, threads: int) -> Iterator[tuple[int, Callable[[], None]]]:
    import torch

    torch.set_num_threads(threads)
    kind: Any = getattr(torch, dtype)
    states = torch.rand(_TOKENS, _WIDTH).to(kind)
    wide, narrow = torch.rand(_WIDTH, _INNER).to(kind), torch.rand(_INNER, _WIDTH).to(kind)

    def layers() -> None:
        now = states
        for _ in range(_LAYERS):
            now = torch.nn.functional.gelu(now @ wide) @ narrow * 1e-3
            now = torch.nn.functional.layer_norm(now + states, (_WIDTH,))

    yield _TOKENS, _without_gradients(layers)


def _without_gradients(work: Callable[[], None]) -> Callable[[], None]:
    import torch

    def quiet() -> None:
        with torch.inference_mode():
            work()

    return quiet

"""How fast main memory is read and copied, after STREAM (McCalpin): arrays well above any cache, all usable cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ipfs_accel_cli.core.figures import Row
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.services.hw.bench.measuring import Effort, held, measured, rate, smaller
from ipfs_accel_cli.services.hw.bench.newest import LEAST_ARRAY_BYTES, READ

UNIT = "bytes/s"
_ARRAY_BYTES = 256 << 20


def bench(effort: Effort) -> list[Row]:
    """Measure reading, copying (2 bytes moved for each) and adding (3 moved), as STREAM counts them."""
    import numpy
    import psutil

    free = psutil.virtual_memory().available
    size_bytes = effort.size_bytes or max(LEAST_ARRAY_BYTES, smaller(effort, free).bytes(_ARRAY_BYTES))
    if effort.size_bytes:
        held("memory", "three arrays", 3 * size_bytes, free, "memory")
    a, b, c = (numpy.ones(size_bytes // 8) for _ in range(3))
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:

        def shared(part: Callable[[slice], object]) -> Callable[[], object]:
            bounds = [len(a) * at // cores for at in range(cores + 1)]
            slices = [slice(start, end) for start, end in itertools.pairwise(bounds)]
            return lambda: list(pool.map(part, slices))

        works: dict[str, tuple[int, Callable[[slice], object]]] = {
            READ: (1, lambda part: a[part].max()),
            "copy": (2, lambda part: numpy.copyto(b[part], a[part])),
            "add": (3, lambda part: numpy.add(a[part], b[part], out=c[part])),
        }
        rows = [
            measured(name, UNIT, rate(moved * size_bytes, shared(part)), effort)
            for name, (moved, part) in works.items()
        ]
    return [one.model_copy(update={"threads": cores}) for one in rows]

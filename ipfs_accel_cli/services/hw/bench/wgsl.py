"""A product of matrices as a WebGPU kernel, checked against numpy; runs in a process of its own."""

from __future__ import annotations

import json
import time
from typing import Any

SIDE = 256
TILE = 8
LARGEST_ERROR = 1e-3

KERNEL = f"""
@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read_write> product: array<f32>;

@compute @workgroup_size({TILE}, {TILE})
fn main(@builtin(global_invocation_id) at: vec3<u32>) {{
    var total = 0.0;
    for (var k = 0u; k < {SIDE}u; k++) {{
        total += left[at.y * {SIDE}u + k] * right[k * {SIDE}u + at.x];
    }}
    product[at.y * {SIDE}u + at.x] = total;
}}
"""


def products(asked: str) -> list[dict[str, Any]]:
    """Measure every adapter; `asked` is JSON with `samples` and `seconds`.

    Returns for each adapter device, backend, software, samples in GFLOP/s, and a problem where it cannot be used.
    """
    import wgpu

    effort = json.loads(asked)
    return [_told(adapter, effort) for adapter in wgpu.gpu.enumerate_adapters_sync()]


def _told(adapter: Any, effort: dict[str, Any]) -> dict[str, Any]:
    info = adapter.info
    told = {
        "device": str(info.get("device") or "adapter without a name"),
        "backend": str(info.get("backend_type")),
        "software": info.get("adapter_type") == "CPU",
        "samples": [],
        "problem": "",
    }
    try:
        told["samples"] = _samples(adapter.request_device_sync(), effort)
    except Exception as error:  # Drivers raise what they like, and the other adapters still count.
        told["problem"] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return told


def _samples(device: Any, effort: dict[str, Any]) -> list[float]:
    import numpy
    from wgpu import BufferUsage

    chance = numpy.random.default_rng(1)
    left, right = (chance.random((SIDE, SIDE), dtype=numpy.float32) for _ in range(2))
    given = [device.create_buffer_with_data(data=one, usage=BufferUsage.STORAGE) for one in (left, right)]
    product = device.create_buffer(size=left.nbytes, usage=BufferUsage.STORAGE | BufferUsage.COPY_SRC)
    module = device.create_shader_module(code=KERNEL)
    pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
    entries = [{"binding": at, "resource": {"buffer": one}} for at, one in enumerate([*given, product])]
    group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)

    def once() -> float:
        start = time.perf_counter()
        encoder = device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        compute.set_pipeline(pipeline)
        compute.set_bind_group(0, group)
        compute.dispatch_workgroups(SIDE // TILE, SIDE // TILE)
        compute.end()
        device.queue.submit([encoder.finish()])
        # Reading a word back waits for the kernel.
        device.queue.read_buffer(product, 0, 4)
        return 2 * SIDE**3 / 1e9 / (time.perf_counter() - start)

    once()
    found = numpy.frombuffer(device.queue.read_buffer(product), dtype=numpy.float32).reshape(SIDE, SIDE)
    error = float(numpy.abs(found - left @ right).max() / SIDE)
    if error > LARGEST_ERROR:
        raise ArithmeticError(f"its product is off by {error:g}")
    end = time.perf_counter() + effort["seconds"]
    samples: list[float] = []
    while len(samples) < effort["samples"] and (len(samples) < 2 or time.perf_counter() < end):
        samples.append(once())
    return samples

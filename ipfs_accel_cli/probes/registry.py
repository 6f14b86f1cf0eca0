"""The probes that this machine is asked with, by name."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry

PROBES = Registry(
    "probes",
    {
        "cpu": Plugin("ipfs_accel_cli.probes.cpu:CpuProbe"),
        "memory": Plugin("ipfs_accel_cli.probes.memory:MemoryProbe"),
        "disk": Plugin("ipfs_accel_cli.probes.disk:DiskProbe"),
        "network": Plugin("ipfs_accel_cli.probes.network:NetworkProbe"),
        "cuda": Plugin("ipfs_accel_cli.probes.cuda:CudaProbe"),
        "rocm": Plugin("ipfs_accel_cli.probes.rocm:RocmProbe"),
        "xpu": Plugin("ipfs_accel_cli.probes.xpu:XpuProbe"),
        "npu": Plugin("ipfs_accel_cli.probes.npu:NpuProbe"),
        "mps": Plugin("ipfs_accel_cli.probes.mps:MpsProbe"),
        "webgpu": Plugin("ipfs_accel_cli.probes.webgpu:WebGpuProbe"),
        "onnxruntime": Plugin("ipfs_accel_cli.probes.onnx:OnnxProbe"),
        "openvino": Plugin("ipfs_accel_cli.probes.openvino:OpenVinoProbe"),
        "libraries": Plugin("ipfs_accel_cli.probes.libraries:LibrariesProbe"),
    },
)

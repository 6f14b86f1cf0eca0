"""What runs a model: one engine a folder, known by the name that `--engine` takes."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry

ENGINES = Registry(
    "engines",
    {
        "torch": Plugin(
            "ipfs_accel_cli.engines.torch.engine:TorchEngine",
            requires=("torch", "transformers", "accelerate"),
            devices=("cpu", "cuda", "mps"),
            tasks=(
                *("embed", "classify", "generate", "score"),
                *("image-classify", "image-embed", "image-detect", "image-segment"),
                *("caption", "ask", "pair-embed"),
            ),
        ),
        "onnx": Plugin(
            "ipfs_accel_cli.engines.onnx.engine:OnnxEngine",
            requires=("onnxruntime",),
            extra="onnx",
            devices=("cpu",),
            tasks=("embed", "classify"),
        ),
        "diffusers": Plugin(
            "ipfs_accel_cli.engines.diffusion.engine:DiffusersEngine",
            requires=("torch", "transformers", "diffusers"),
            extra="diffusion",
            devices=("cpu", "cuda", "mps"),
            tasks=("image-generate",),
        ),
        "rapidocr": Plugin(
            "ipfs_accel_cli.engines.rapidocr:RapidOcrEngine",
            requires=("rapidocr_onnxruntime",),
            extra="ocr",
            devices=("cpu",),
            tasks=("image-ocr",),
        ),
    },
)

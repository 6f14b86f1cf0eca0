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
                *("embed", "classify", "generate", "score", "rerank", "fill-mask", "token-classify", "answer"),
                *("summarize", "translate"),
                *("image-classify", "image-embed", "image-detect", "image-segment"),
                *("transcribe", "speak", "audio-classify"),
            ),
        ),
        "onnx": Plugin(
            "ipfs_accel_cli.engines.onnx.engine:OnnxEngine",
            requires=("onnxruntime",),
            extra="onnx",
            devices=("cpu",),
            tasks=("embed", "classify", "speak", "voice-detect"),
        ),
        "rapidocr": Plugin(
            "ipfs_accel_cli.engines.rapidocr:RapidOcrEngine",
            requires=("rapidocr_onnxruntime",),
            extra="ocr",
            devices=("cpu",),
            tasks=("image-ocr",),
        ),
        "onnx-int8": Plugin(
            "ipfs_accel_cli.engines.onnx.int8:Int8Engine",
            requires=("onnxruntime", "onnx"),
            extra="onnx",
            devices=("cpu",),
            tasks=("embed", "classify"),
        ),
        "openvino": Plugin(
            "ipfs_accel_cli.engines.openvino.engine:OpenVinoEngine",
            requires=("openvino", "onnxruntime"),
            extra="openvino",
            devices=("cpu", "gpu", "npu"),
            tasks=("embed", "classify"),
        ),
    },
)

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
                *("caption", "ask", "pair-embed"),
            ),
        ),
        "onnx": Plugin(
            "ipfs_accel_cli.engines.onnx.engine:OnnxEngine",
            requires=("onnxruntime",),
            extra="onnx",
            devices=("cpu",),
            tasks=("embed", "classify", "image-classify", "image-embed", "speak", "voice-detect"),
        ),
        "static": Plugin(
            "ipfs_accel_cli.engines.static.engine:StaticEngine",
            requires=("tokenizers", "safetensors"),
            devices=("cpu",),
            tasks=("embed",),
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
        "onnx-int8": Plugin(
            "ipfs_accel_cli.engines.onnx.int8:Int8Engine",
            requires=("onnxruntime", "onnx"),
            extra="onnx",
            devices=("cpu",),
            tasks=("embed", "classify", "image-classify", "image-embed"),
        ),
        "openvino": Plugin(
            "ipfs_accel_cli.engines.openvino.engine:OpenVinoEngine",
            requires=("openvino", "onnxruntime"),
            extra="openvino",
            devices=("cpu", "gpu", "npu"),
            tasks=("embed", "classify", "image-classify", "image-embed"),
        ),
        "ctranslate2": Plugin(
            "ipfs_accel_cli.engines.ctranslate2.engine:CTranslate2Engine",
            requires=("ctranslate2", "tokenizers"),
            extra="ctranslate2",
            devices=("cpu",),
            tasks=("transcribe", "translate", "summarize"),
        ),
        "ctranslate2-int8": Plugin(
            "ipfs_accel_cli.engines.ctranslate2.engine:Int8Engine",
            requires=("ctranslate2", "tokenizers"),
            extra="ctranslate2",
            devices=("cpu",),
            tasks=("translate", "summarize"),
        ),
        "fasttext": Plugin(
            "ipfs_accel_cli.engines.fasttext.engine:FastTextEngine",
            requires=("fasttext",),
            extra="language",
            devices=("cpu",),
            tasks=("classify",),
        ),
        "llamacpp": Plugin(
            "ipfs_accel_cli.engines.llamacpp.engine:LlamaCppEngine",
            requires=("xllamacpp",),
            extra="llama-cpp",
            devices=("cpu",),
            tasks=("generate", "embed"),
        ),
        "remote": Plugin(
            "ipfs_accel_cli.engines.remote.engine:RemoteEngine",
            requires=("httpx",),
            devices=("remote",),
            tasks=("generate", "embed", "rerank"),
        ),
    },
)

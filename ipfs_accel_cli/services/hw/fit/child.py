"""The process of its own in which a model is really loaded and run: `python -m …fit.child FOLDER SHAPE` writes JSON.

A fresh process, because only then is its peak the model's alone. The base is what is resident after the libraries and
the model's own module are imported; the increment is the peak above it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

_REPEATS = 3


def main(arguments: list[str]) -> None:
    """Load, run, and write what it took to standard output."""
    folder, shape = Path(arguments[0]), json.loads(arguments[1])
    json.dump(measured(folder, shape), sys.stdout)


def measured(folder: Path, shape: dict[str, Any]) -> dict[str, Any]:
    """Return base_bytes, increment_bytes and tokens_s of one load and its passes at a shape.

    `shape` holds context, batch, new_tokens and dtype.
    """
    import torch
    from transformers import AutoConfig

    from ipfs_accel_cli.engines.base import Plan
    from ipfs_accel_cli.engines.tokenizing import quiet
    from ipfs_accel_cli.engines.torch.weights import load_model

    with quiet(), torch.inference_mode():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        auto = _auto(config)
        _import_module(auto, config)
        _warm_libraries(torch)
        base = _resident_bytes()
        _forget_peak()
        model = load_model(auto, folder, Plan("measure", dtype=shape["dtype"]))
        tokens, seconds = _run(torch, model, config, shape)
        peak = _peak_bytes()
    return {
        "base_bytes": base,
        "increment_bytes": max(0, peak - base),
        "tokens_s": tokens / seconds if seconds else None,
    }


def _auto(config: Any) -> Any:
    import transformers

    names = " ".join(config.architectures or ())
    if "ForConditionalGeneration" in names or "ForSpeechSeq2Seq" in names:
        speech = hasattr(config, "num_mel_bins")
        return transformers.AutoModelForSpeechSeq2Seq if speech else transformers.AutoModelForSeq2SeqLM
    if "ForCausalLM" in names or "LMHeadModel" in names:
        return transformers.AutoModelForCausalLM
    if "ForMaskedLM" in names:
        return transformers.AutoModelForMaskedLM
    if "ForImageClassification" in names:
        return transformers.AutoModelForImageClassification
    return transformers.AutoModel


def _import_module(auto: Any, config: Any) -> None:
    """Import the model's own class, whose code belongs to the base and not to the weights."""
    auto._model_mapping[type(config)]


def _warm_libraries(torch: Any) -> None:
    # The first product starts the thread pool and loads the kernels, some tens of MiB that no model is to blame for.
    a = torch.ones(64, 64)
    torch.nn.functional.softmax(a @ a, dim=-1).sum().item()


def _run(torch: Any, model: Any, config: Any, shape: dict[str, Any]) -> tuple[int, float]:
    """Run the model as it is used; return how many tokens took how many seconds."""
    batch, context, new = shape["batch"], shape["context"], shape["new_tokens"]
    vocabulary = getattr(config, "vocab_size", None) or getattr(config.get_text_config(), "vocab_size", 1000)
    kind = config.model_type
    generates = model.can_generate() and kind not in ("bert", "roberta")
    # The context counts what is read and what is written.
    read = max(1, context - new) if generates else context
    ids = torch.randint(5, min(int(vocabulary or 1000), 30000), (batch, read))
    if hasattr(config, "num_mel_bins"):
        features = torch.randn(batch, config.num_mel_bins, 2 * config.max_source_positions, dtype=model.dtype)
        return _generate(model, {"input_features": features}, batch, new)
    if generates:
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return _generate(model, inputs, batch, new)
    inputs = {}
    vision = getattr(config, "vision_config", config)
    if hasattr(vision, "image_size"):
        size = vision.image_size
        inputs["pixel_values"] = torch.randn(batch, vision.num_channels, size, size, dtype=model.dtype)
    if not hasattr(config, "image_size"):
        inputs |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    start = time.perf_counter()
    for _ in range(_REPEATS):
        model(**inputs)
    return _REPEATS * batch * context, time.perf_counter() - start


def _generate(model: Any, inputs: dict[str, Any], batch: int, new: int) -> tuple[int, float]:
    """Generate `new` tokens greedily; the speed is that of the tokens after the first."""
    times: list[float] = []

    def note(_ids: Any, scores: Any) -> Any:
        times.append(time.perf_counter())
        return scores

    options = {"do_sample": False, "pad_token_id": 0, "eos_token_id": None, "logits_processor": [note]}
    model.generate(**inputs, max_new_tokens=new, min_new_tokens=new, **options)
    return batch * (len(times) - 1), times[-1] - times[0]


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # Then the peak includes what the imports took for a moment.


def _resident_bytes() -> int:
    return _status("VmRSS")


def _peak_bytes() -> int:
    return _status("VmHWM")


def _status(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a model's own files say about it: read from headers and configurations, never from weights."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats import ctranslate2, gguf, safetensors
from ipfs_accel_cli.formats.reading import FileReader
from ipfs_accel_cli.services.model import heads

MAX_CONFIG_BYTES = 16 << 20
WEIGHT_SUFFIXES = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".gguf",
    ".onnx",
    ".onnx_data",
    ".h5",
    ".msgpack",
    ".ftz",
)
_CONTEXT_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "seq_length",
    "n_ctx",
    "max_target_positions",
)
# Networks as CTranslate2 names them: model type, architecture and tasks. Only Whisper is one architecture; the others
# stand for several, which the file does not tell apart.
_SPECS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "WhisperSpec": ("whisper", "WhisperForConditionalGeneration", ("transcribe",)),
    "TransformerSpec": ("ctranslate2", "TransformerSpec", ("translate",)),
    "TransformerDecoderModelSpec": ("ctranslate2", "TransformerDecoderModelSpec", ("generate",)),
    "TransformerEncoderModelSpec": ("ctranslate2", "TransformerEncoderModelSpec", ("embed",)),
}
# Architectures of GGUF that continue text, as llama.cpp names them (src/llama-arch.cpp).
_WRITERS = frozenset(
    {"llama", "llama4", "gemma", "gemma2", "gemma3", "gemma3n", "qwen", "qwen2", "qwen2moe", "qwen3", "qwen3moe"}
    | {"phi2", "phi3", "mistral3", "gpt2", "gptneox", "gpt-oss", "falcon", "mpt", "starcoder", "starcoder2", "bloom"}
    | {"deepseek", "deepseek2", "command-r", "cohere2", "stablelm", "olmo", "olmo2", "granite", "mamba", "smollm3"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Known facts; None, 0 or nothing where the files do not say.

    `context_tokens` is what a sentence encoder was set up to read, else the limit of the architecture.
    """

    architectures: tuple[str, ...] = ()
    model_type: str = ""
    tasks: tuple[str, ...] = ()
    parameters: int | None = None
    weight_bytes: int = 0
    dtype: str = ""
    context_tokens: int | None = None
    hidden_size: int | None = None
    tokenizer: str = ""

    def body(self) -> dict[str, Any]:
        """Return the facts as the body of a statement: what is unknown is left out."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in every.items() if value}

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Facts:
        """Read the facts back from a statement; keys of later versions are ignored."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in body.items()
            if name in cls.__slots__
        }
        return cls(**known)


def read(files: Mapping[str, Path]) -> Facts:
    """Read the facts of a model from its files, given by their paths inside its folder.

    Raises MalformedContent for a safetensors file that breaks its format, for one of GGUF that does not begin as such
    and for JSON that cannot be read.
    """
    _check_gguf(files)
    config = _configuration(files)
    if not config.get("architectures") and not config.get("ipfs_accel_tasks"):
        converted = _converted(files)
        if converted is not None:
            return converted
        single = _of_gguf(files)
        if single is not None:
            return single
    adapts = _adapter(files) if not config else ""
    tensors = [safetensors.read(path, name) for name, path in sorted(files.items()) if name.endswith(".safetensors")]
    dtypes = sum((one.dtypes for one in tensors), Counter[str]())
    architectures = tuple(str(name) for name in config.get("architectures") or ()) or ((adapts,) if adapts else ())
    return Facts(
        architectures=architectures,
        model_type=str(config.get("model_type") or ""),
        tasks=("adapter",) if adapts else _tasks(files, config, architectures),
        parameters=sum(one.parameters for one in tensors) or None,
        weight_bytes=sum(path.stat().st_size for name, path in files.items() if name.endswith(WEIGHT_SUFFIXES)),
        dtype=dtypes.most_common(1)[0][0] if dtypes else _stated_dtype(config),
        context_tokens=_context(files, config),
        hidden_size=_whole(config, "hidden_size", "n_embd", "d_model", "dim"),
        tokenizer=_tokenizer(files),
    )


def read_json(files: Mapping[str, Path], name: str) -> Any:
    """Return a JSON file of the model, or None when there is none; raises MalformedContent."""
    path = files.get(name)
    if path is None:
        return None
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise MalformedContent(f"{name} has {path.stat().st_size} bytes, more than {MAX_CONFIG_BYTES}")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"{name} is not JSON: {error}") from error


def licence(files: Mapping[str, Path]) -> str | None:
    """Return the licence that the model card, README.md, states in its front matter."""
    card = files.get("README.md")
    if card is None:
        return None
    with card.open("rb") as file:
        text = file.read(1 << 16).decode("utf-8", "replace")
    front = re.match(r"\s*---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    stated = re.search(r"^license:[ \t]*[\"']?([A-Za-z0-9.+-]+)", front[1], re.MULTILINE) if front else None
    return stated[1] if stated else None


def _converted(files: Mapping[str, Path]) -> Facts | None:
    """Return what the header of a model of CTranslate2 says, whose configuration says little; None for any other."""
    path = files.get(ctranslate2.FILE)
    reader = FileReader(path, ctranslate2.FILE) if path is not None else None
    if reader is None or not ctranslate2.is_one(reader):
        return None
    found = ctranslate2.header(reader)
    model_type, architecture, tasks = _SPECS.get(found.spec, ("", found.spec, ()))
    dtypes = Counter[str]()
    for one in found.variables.values():
        dtypes[one.dtype] += one.size_bytes
    return Facts(
        architectures=(architecture,),
        model_type=model_type,
        tasks=tasks,
        parameters=found.parameters or None,
        weight_bytes=reader.size_bytes,
        dtype=dtypes.most_common(1)[0][0] if dtypes else "",
        tokenizer=_tokenizer(files),
    )


def _of_gguf(files: Mapping[str, Path]) -> Facts | None:
    """Return what the header of a GGUF model says; None where there is none, or one that is not understood."""
    names = sorted(name for name in files if name.endswith(".gguf") and "mmproj" not in name)
    if not names:
        return None
    try:
        found = gguf.header(FileReader(files[names[0]], names[0]))
    except (MalformedContent, UnsupportedContent):
        # What llama.cpp makes of it is seen when it is run; the bytes are kept all the same.
        return None
    architecture = str(found.metadata.get("general.architecture") or "")
    dtypes = Counter[str]()
    for tensor in found.tensors:
        dtypes[tensor.dtype] += tensor.size_bytes
    return Facts(
        architectures=(architecture,) if architecture else (),
        model_type=architecture,
        tasks=("embed",) if "bert" in architecture else ("generate",) if architecture in _WRITERS else (),
        parameters=sum(math.prod(tensor.shape) for tensor in found.tensors) if len(names) == 1 else None,
        weight_bytes=sum(files[name].stat().st_size for name in names),
        dtype=dtypes.most_common(1)[0][0] if dtypes else "",
        context_tokens=_whole(found.metadata, f"{architecture}.context_length"),
        hidden_size=_whole(found.metadata, f"{architecture}.embedding_length"),
        tokenizer="gguf" if "tokenizer.ggml.model" in found.metadata else "",
    )


def _check_gguf(files: Mapping[str, Path]) -> None:
    for name, path in sorted(files.items()):
        if name.endswith(".gguf"):
            with path.open("rb") as file:
                if file.read(4) != b"GGUF":
                    raise MalformedContent(f"{name} is no GGUF file: it does not begin with these letters")


def _configuration(files: Mapping[str, Path]) -> dict[str, Any]:
    """Return config.json; sentence-transformers may keep it in the folder of the first module."""
    modules = read_json(files, "modules.json")
    folders = (
        [str(module.get("path", "")) for module in modules if isinstance(module, dict)]
        if isinstance(modules, list)
        else []
    )
    for name in ("config.json", *(f"{folder}/config.json" for folder in folders[:1] if folder)):
        config = read_json(files, name)
        if isinstance(config, dict):
            return config
    first = modules[0] if isinstance(modules, list) and modules and isinstance(modules[0], dict) else {}
    if str(first.get("type", "")).endswith(".StaticEmbedding"):
        return {"architectures": ["StaticEmbedding"], "model_type": "static-embedding"}
    return _pipeline(files)


def _pipeline(files: Mapping[str, Path]) -> dict[str, Any]:
    """Return what the index of a pipeline of diffusers says, as a configuration; one that reads words draws."""
    index = read_json(files, "model_index.json")
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        return {}
    draws = ["image-generate"] if "tokenizer" in index else []
    return {"architectures": [index["_class_name"]], "model_type": "diffusers", "ipfs_accel_tasks": draws}


def _adapter(files: Mapping[str, Path]) -> str:
    """Name the kind of an adapter in the layout of PEFT, such as `LoRA adapter of NAME`; nothing for what is none."""
    config = read_json(files, "adapter_config.json")
    if not isinstance(config, dict) or not config.get("peft_type"):
        return ""
    base = str(config.get("base_model_name_or_path") or "").rstrip("/").rpartition("/")[2]
    kind = {"LORA": "LoRA"}.get(str(config["peft_type"]), str(config["peft_type"]))
    return f"{kind} adapter of {base}" if base else f"{kind} adapter"


def _tasks(files: Mapping[str, Path], config: Mapping[str, Any], architectures: tuple[str, ...]) -> tuple[str, ...]:
    stated = config.get("ipfs_accel_tasks")
    if isinstance(stated, list) and all(isinstance(task, str) for task in stated):
        return tuple(stated)
    if "modules.json" in files:
        return ("embed",)
    tasks = heads.tasks_of(architectures, has_tokenizer=bool(_tokenizer(files)), one_number=_one_number(config))
    return (*tasks, "chat") if "generate" in tasks and _has_chat_template(files) else tasks


def _one_number(config: Mapping[str, Any]) -> bool:
    """Say whether a classifier has a single output that is no label which may hold or not."""
    names = config.get("id2label")
    count = len(names) if isinstance(names, dict) else config.get("num_labels")
    return count == 1 and config.get("problem_type") != "multi_label_classification"


def _has_chat_template(files: Mapping[str, Path]) -> bool:
    """Say whether the model brings the shape of conversations that it was trained on."""
    if "chat_template.jinja" in files or "chat_template.json" in files:
        return True
    config = read_json(files, "tokenizer_config.json")
    return isinstance(config, dict) and bool(config.get("chat_template"))


def _tokenizer(files: Mapping[str, Path]) -> str:
    names = {name.rpartition("/")[2] for name in files}
    known = ("tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json")
    return next((name for name in known if name in names), "")


def _context(files: Mapping[str, Path], config: Mapping[str, Any]) -> int | None:
    bert = read_json(files, "sentence_bert_config.json")
    shortened = _whole(bert, "max_seq_length") if isinstance(bert, dict) else None
    return shortened or _whole(config, *_CONTEXT_KEYS)


def _stated_dtype(config: Mapping[str, Any]) -> str:
    rounded = config.get("quantization_config")
    if isinstance(rounded, dict) and str(rounded.get("quant_method", "")).startswith("ipfs-accel"):
        return f"int{rounded.get('bits')}"
    stated = config.get("dtype") or config.get("torch_dtype")
    return stated if isinstance(stated, str) else ""


def _whole(config: Mapping[str, Any], *keys: str) -> int | None:
    found = (config.get(key) for key in keys)
    return next((value for value in found if type(value) is int and 0 < value < 1 << 63), None)

"""The llama.cpp engine: GGUF models on the processor, through the server of llama.cpp in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import xllamacpp  # noqa: F401 - what is not installed must be known before a model is chosen

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, TryAgain, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Request, Session
from ipfs_accel_cli.engines.chatting import check_room
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Messages, Prompt
from ipfs_accel_cli.engines.llamacpp.process import Process, start
from ipfs_accel_cli.engines.openai.server import Server
from ipfs_accel_cli.engines.openai.session import ServerSession
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.formats import gguf
from ipfs_accel_cli.formats.reading import FileReader

# Libraries, buffers of a pass, and a cache for a short context.
WORKING_BYTES = 192 << 20
MOST_CONTEXT, LEAST_CONTEXT, SLOTS, LONGEST_BATCH = 8192, 512, 4, 2048
_READ_SECONDS = 3600.0
_LOOK_SECONDS = 60.0
# llama.h: enum llama_pooling_type.
_POOLINGS = {1: "mean", 2: "cls", 3: "last"}


class LlamaCppEngine:
    """Runs what llama.cpp can load; its process is reached over the loopback interface only, with a key of its own."""

    name = "llamacpp"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor: the packages for it have no accelerators."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 0.8 in memory, else 0."""
        if not any(file.endswith(".gguf") for file in model.files):
            what = ", ".join(model.architectures) or model.model_type or "the model"
            return Fit(0, 0, f"{what} has no GGUF file", supported=False)
        needed, free = model.weight_bytes + WORKING_BYTES, machine.memory_available_bytes
        reason = f"{human_bytes(needed)} with a short context, {human_bytes(free)} are free"
        score = 0.8 if needed <= free else 0.0
        count = threads(machine.cores, machine.busy_cores)
        return Fit(score, needed, reason, dtype=model.dtype or "as stored", threads=count)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Start the process with as long a context as the memory has room for; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        weights = _weights(model, files)
        metadata = gguf.header(FileReader(weights, weights.name)).metadata
        asked = wanted(model, metadata, plan) | {"model": str(weights.resolve())}
        process = start(asked, model.name)
        address = f"{process.address}/v1"
        server = Server(model.name, address, "model", process.key, of_llama_cpp=True, pooling=asked["pooling"])
        talks = "tokenizer.chat_template" in metadata
        check = None if plan.task == "embed" else _Room(process, model.name, asked["context"], talks=talks).check
        return ServerSession(server, plan.task, False, _READ_SECONDS, closing=process.stop, check=check)


def wanted(model: ModelFacts, metadata: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return how to serve a model: the longest context and the most requests at once that there is memory for.

    Raises DoesNotFit where even the shortest context has no room.
    """
    architecture = str(metadata.get("general.architecture", ""))
    trained = _number(metadata, f"{architecture}.context_length") or MOST_CONTEXT
    # Texts of several slots that share a pass have been seen to change each other's vectors (cosine down to 0.75).
    context, slots = min(trained, MOST_CONTEXT), 1 if plan.task == "embed" else SLOTS
    per_token = cache_bytes(metadata, architecture)
    free = (plan.memory_bytes or 1 << 62) - model.weight_bytes - WORKING_BYTES
    while slots > 1 and slots * context * per_token > free:
        slots -= 1
    while context > min(trained, LEAST_CONTEXT) and context * per_token > free:
        context //= 2
    if context * per_token > free:
        raise DoesNotFit(
            f"{model.name} needs {human_bytes(context * per_token)} for {context} tokens beside its weights",
            needed_bytes=model.weight_bytes + WORKING_BYTES + context * per_token,
            available_bytes=plan.memory_bytes,
        )
    pooling = _POOLINGS.get(_number(metadata, f"{architecture}.pooling_type"), "mean") if plan.task == "embed" else ""
    batch = min(context, LONGEST_BATCH)
    return {"context": context, "slots": slots, "batch": batch, "threads": plan.threads or 1, "pooling": pooling}


def cache_bytes(metadata: Mapping[str, Any], architecture: str) -> int:
    """Return what the cache takes for a token: keys and values of every layer in 16 bits, at most."""
    layers = _number(metadata, f"{architecture}.block_count")
    width = _number(metadata, f"{architecture}.embedding_length")
    heads = _number(metadata, f"{architecture}.attention.head_count") or 1
    shared = _number(metadata, f"{architecture}.attention.head_count_kv") or heads
    key = _number(metadata, f"{architecture}.attention.key_length") or width // heads
    value = _number(metadata, f"{architecture}.attention.value_length") or width // heads
    return 2 * layers * shared * (key + value)


class _Room:
    """Refuses a prompt that leaves no room for an answer, by the model's own count of its tokens."""

    def __init__(self, process: Process, name: str, context: int, *, talks: bool) -> None:
        self._name, self._context, self._talks = name, context, talks
        headers = {"Authorization": f"Bearer {process.key}"}
        self._client = httpx.Client(base_url=process.address, headers=headers, trust_env=False, timeout=_LOOK_SECONDS)

    def check(self, request: Request) -> None:
        """Raise Invalid with the numbers, and UnsupportedContent for a conversation with a model without a template.

        The prompt of a conversation is counted by the server itself.
        """
        if isinstance(request.payload, Messages) and not self._talks:
            # llama.cpp would shape it in a way that the model was not trained for.
            raise UnsupportedContent(
                f"{self._name} has no chat template: it was not made to chat. Continue a text instead",
                suggestion=f"ipfs-accel infer generate -m {self._name} PROMPT",
            )
        if not isinstance(request.payload, Prompt) or not isinstance(request.options, GenerateOptions):
            return
        body = {"content": request.payload.text, "add_special": True}
        try:
            tokens = self._client.post("/tokenize", json=body).json()["tokens"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise TryAgain(f"the process of llama.cpp for {self._name} does not answer") from error
        check_room(len(tokens), request.options.max_tokens, self._context, self._name)


def _weights(model: ModelFacts, files: Path) -> Path:
    """Return the file to load; of a model in several parts llama.cpp is told the first."""
    found = sorted(file for file in model.files if file.endswith(".gguf"))
    projectors = [file for file in found if "mmproj" in file]
    found = [file for file in found if file not in projectors]
    if not found:
        raise UnsupportedContent(f"{model.name} has no GGUF file of a language model")
    if len(found) > 1 and "-of-" not in found[0]:
        raise UnsupportedContent(
            f"{model.name} has several GGUF files: {', '.join(found[:4])}; register the one to run as a model"
        )
    path = files / found[0]
    if not path.is_file():
        raise MalformedContent(f"{model.name}: {found[0]} is not there")
    return path


def _number(metadata: Mapping[str, Any], key: str) -> int:
    found = metadata.get(key, 0)
    # Some architectures state one figure for each layer.
    found = max(found, default=0) if isinstance(found, list) else found
    return found if isinstance(found, int) and found > 0 else 0

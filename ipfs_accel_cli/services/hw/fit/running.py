"""Running a loaded model as the engine runs it, to see what it takes: the engine's own sessions, random token ids."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

_PASSES = 3
# Ids below it mean padding, beginning and end in most vocabularies.
_FIRST_ID = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shape: tokens of context of which the last `new` are written, requests at a time."""

    context: int
    batch: int
    new: int


# What only the configuration of a model that sees or hears has.
_SEEN = ("vision_config", "image_size", "num_mel_bins")


def auto_class(config: Any) -> Any:
    """Return the auto class of transformers that loads the architecture with all its heads."""
    import transformers

    names = " ".join(config.architectures or ())
    if "ForConditionalGeneration" in names or "ForSpeechSeq2Seq" in names:
        if hasattr(config, "vision_config"):
            return transformers.AutoModelForImageTextToText
        speech = hasattr(config, "num_mel_bins")
        return transformers.AutoModelForSpeechSeq2Seq if speech else transformers.AutoModelForSeq2SeqLM
    heads = {
        "ForCausalLM": transformers.AutoModelForCausalLM,
        "LMHeadModel": transformers.AutoModelForCausalLM,
        "ForMaskedLM": transformers.AutoModelForMaskedLM,
        "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
        "ForImageClassification": transformers.AutoModelForImageClassification,
    }
    return next((auto for head, auto in heads.items() if head in names), transformers.AutoModel)


def encodes_text(auto: Any, config: Any) -> bool:
    """Say whether a model only reads text and answers in one pass."""
    import transformers

    heads = (transformers.AutoModel, transformers.AutoModelForMaskedLM, transformers.AutoModelForSequenceClassification)
    return auto in heads and not any(hasattr(config, key) for key in _SEEN)


def run(model: Any, wanted: Wanted) -> tuple[int, float]:
    """Run the model; return how many tokens took how many seconds: of decoders those after the first.

    Decoders, encoders and classifiers of text go through the engine's sessions. For what no session runs yet, it is
    transformers' own `generate` or one pass.
    """
    config = model.config
    names = " ".join(config.architectures or ())
    seen = any(hasattr(config, key) for key in _SEEN)
    if not seen and not config.is_encoder_decoder and ("ForCausalLM" in names or "LMHeadModel" in names):
        return _decoded(model, wanted)
    if not seen and not config.is_encoder_decoder and "ForMaskedLM" not in names:
        return _encoded(model, wanted)
    if model.can_generate() and config.is_encoder_decoder:
        return _generated(model, wanted)
    return _passed(model, wanted)


class _Tokens(dict[str, Any]):
    """What a tokenizer gives: rows by name; `encodings` is what a fast tokenizer adds."""

    encodings = None


class _Ids:
    """In place of a tokenizer: any text becomes `count` random ids, and ids become as many words."""

    eos_token_id = None

    def __init__(self, model: Any, count: int) -> None:
        self._model, self._count = model, count
        self._rows: list[list[int]] = []

    def __call__(self, text: str | list[str], **_options: Any) -> _Tokens:
        if isinstance(text, str):
            return _Tokens(input_ids=_random_ids(self._model.config, 1, self._count)[0].tolist())
        # The same texts give the same ids, so that a second pass reads no other rows of the embedding.
        self._rows = self._rows or _random_ids(self._model.config, len(text), self._count).tolist()
        return _Tokens(input_ids=self._rows)

    def decode(self, ids: list[int], **_options: Any) -> str:
        """Return a word for each id."""
        return " word" * len(ids)


def _decoded(model: Any, wanted: Wanted) -> tuple[int, float]:
    from ipfs_accel_cli.engines.base import Request
    from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
    from ipfs_accel_cli.engines.torch.decoder import DecoderSession

    # An end by chance would make the run shorter than was asked.
    model.config.eos_token_id = model.generation_config.eos_token_id = None
    new = max(2, min(wanted.new, wanted.context - 1))
    session = DecoderSession(model, _Ids(model, max(1, wanted.context - new)), model.device, "this model")
    for _ in range(wanted.batch):
        session.submit(Request("generate", Prompt("text"), GenerateOptions(new)))
    started, made, first, last = set[str](), 0, 0.0, 0.0
    while chunks := session.step():
        last = time.perf_counter()
        # Prompts are read in parts; the speed is that of the tokens after the first one of each request.
        if len(started) == wanted.batch:
            made += sum(1 for _, chunk in chunks if isinstance(chunk.data, Piece) and chunk.data.tokens)
        else:
            started |= {request for request, chunk in chunks if isinstance(chunk.data, Piece) and chunk.data.tokens}
            first = last
    return made, last - first


def _encoded(model: Any, wanted: Wanted) -> tuple[int, float]:
    from ipfs_accel_cli.engines.base import Request
    from ipfs_accel_cli.engines.encoder import Meaning, Reading
    from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
    from ipfs_accel_cli.engines.torch.encoder import Logits, Parts, Vectors

    classifies = "ForSequenceClassification" in " ".join(model.config.architectures or ())
    module = Logits(model) if classifies else Vectors(model, lambda rows: rows, ("mean",))
    parts = Parts(_Ids(model, wanted.context), Reading({"input_ids": 0}), Meaning("embed", "mean"), module)
    session = parts.session("this model", model.device)
    texts = Texts(("text",) * wanted.batch)
    start = time.perf_counter()
    for _ in range(_PASSES):
        session.submit(Request("embed", texts, EmbedOptions(wanted.batch)))
        while session.step():
            pass
    return _PASSES * wanted.batch * wanted.context, time.perf_counter() - start


def _passed(model: Any, wanted: Wanted) -> tuple[int, float]:
    import torch

    config, inputs = model.config, {}
    vision = getattr(config, "vision_config", config)
    if hasattr(vision, "image_size"):
        size = vision.image_size
        inputs["pixel_values"] = torch.randn(wanted.batch, vision.num_channels, size, size, dtype=model.dtype)
    if not hasattr(config, "image_size"):
        ids = _random_ids(config, wanted.batch, wanted.context)
        inputs |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    start = time.perf_counter()
    for _ in range(_PASSES):
        model(**inputs)
    return _PASSES * wanted.batch * wanted.context, time.perf_counter() - start


def _generated(model: Any, wanted: Wanted) -> tuple[int, float]:
    """Generate greedily after what the encoder reads; the speed is that of the tokens after the first."""
    import torch

    config, batch, times = model.config, wanted.batch, list[float]()
    if hasattr(config, "num_mel_bins"):
        frames = 2 * config.max_source_positions
        inputs = {"input_features": torch.randn(batch, config.num_mel_bins, frames, dtype=model.dtype)}
    else:
        ids = _random_ids(config, batch, wanted.context)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def note(_ids: Any, scores: Any) -> Any:
        times.append(time.perf_counter())
        return scores

    options = {"do_sample": False, "pad_token_id": 0, "eos_token_id": None, "logits_processor": [note]}
    new = max(2, wanted.new)
    model.generate(**inputs, max_new_tokens=new, min_new_tokens=new, **options)
    return batch * (len(times) - 1), times[-1] - times[0]


def _random_ids(config: Any, rows: int, count: int) -> Any:
    import torch

    size = getattr(config, "vocab_size", None) or getattr(config.get_text_config(), "vocab_size", None)
    return torch.randint(_FIRST_ID, int(size or 1000), (rows, count))

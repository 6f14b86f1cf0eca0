"""Random-weight models with the heads of the text tasks, saved as real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines.base import Loadable
from tests.conformance.tiny_models import BERT, WORDS, loadable, write_json

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LENGTH = 24


def headed(folder: Path, head: str, task: str, **config: Any) -> Loadable:
    """Save a tiny BERT that reads 24 tokens, with a head such as `ForMaskedLM`."""
    import torch
    import transformers

    tokenizer = pair_tokenizer()
    torch.manual_seed(5)
    sizes = BERT | {"vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "pad_token_id": 0}
    # Large weights, so that tokens are not all answered alike.
    made = transformers.BertConfig(**(sizes | config), initializer_range=0.5)
    network = getattr(transformers, f"Bert{head}")(made)
    network.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loadable(folder, task)


def cross_encoder(folder: Path) -> Loadable:
    """Save a network that gives a pair of texts one number."""
    return headed(folder, "ForSequenceClassification", "rerank", num_labels=1)


def entailer(folder: Path) -> Loadable:
    """Save a classifier of inference."""
    names = {0: "contradiction", 1: "neutral", 2: "entailment"}
    return headed(folder, "ForSequenceClassification", "classify", num_labels=3, id2label=names)


def masked(folder: Path) -> Loadable:
    """Save a masked language model."""
    return headed(folder, "ForMaskedLM", "fill-mask")


def tagger(folder: Path) -> Loadable:
    """Save a network that labels tokens."""
    return headed(
        folder, "ForTokenClassification", "token-classify", num_labels=3, id2label={0: "O", 1: "B-X", 2: "I-X"}
    )


def pointer(folder: Path) -> Loadable:
    """Save a network that points at answers."""
    return headed(folder, "ForQuestionAnswering", "answer")


def parrot(folder: Path) -> Path:
    """Save a folder with a tokenizer and no weights."""
    pair_tokenizer().save_pretrained(folder)
    write_json(folder / "config.json", {"model_type": "bert", "max_position_embeddings": LENGTH})
    return folder


def pair_tokenizer() -> Any:
    """Return a tokenizer of whole words that reads two texts as BERT does."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*SPECIAL, *WORDS])}, unk_token="[UNK]"))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )

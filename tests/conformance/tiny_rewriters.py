"""Random-weight encoder-decoders of the families that translate, each with its own way to begin a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines.base import Loadable
from tests.conformance import tiny_models

FAMILIES = ("bart", "m2m_100", "marian", "mbart", "pegasus")
_SIDES = {
    f"{side}_{name}": count
    for side in ("encoder", "decoder")
    for name, count in {"layers": 1, "attention_heads": 2, "ffn_dim": 32}.items()
}
_END = 2


def rewriter(folder: Path, family: str) -> Loadable:
    """Save one of a family."""
    import torch
    from transformers import AutoModelForSeq2SeqLM
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    tokenizer = _tokenizer(family)
    pad = tokenizer.pad_token_id
    torch.manual_seed(3)
    config = CONFIG_MAPPING[family](
        vocab_size=len(tokenizer),
        d_model=32,
        max_position_embeddings=64,
        init_std=0.2,
        dropout=0.0,
        pad_token_id=pad,
        eos_token_id=_END,
        bos_token_id=1,
        forced_eos_token_id=None,
        decoder_start_token_id=pad if family in ("marian", "pegasus") else _END,
        **_SIDES,
    )
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tiny_models.loadable(folder, "translate")


def _tokenizer(family: str) -> Any:
    """Return one whose padding is where the family has it: Marian the last token, M2M-100 the second, else the first.

    The place counts: positions begin after the padding's number, and Marian's vocabulary loses it.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    made = tiny_models.byte_tokenizer(bos=False)
    if family not in ("marian", "m2m_100"):
        return made
    text = made.backend_tokenizer.to_str().replace('"<pad>"', '"<unk>"')
    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(text),
        unk_token="<unk>",
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>" if family == "marian" else "<bos>",
    )
    if family == "m2m_100":
        made.add_special_tokens({"additional_special_tokens": ["__en__", "__de__", "__fr__"]})
    return made

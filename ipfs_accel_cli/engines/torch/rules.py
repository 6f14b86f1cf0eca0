"""What a model's own settings forbid or force while it writes: lengths, repeats, first and last tokens."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from transformers import (
    ForcedBOSTokenLogitsProcessor,
    ForcedEOSTokenLogitsProcessor,
    LogitsProcessorList,
    MinLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)


def rules_of(
    settings: Any, ends: Collection[int], first: int | None, longest: int, device: torch.device
) -> LogitsProcessorList:
    """Return what is applied to logits (rows, vocabulary), given the tokens so far, (rows, length).

    `settings` is a GenerationConfig, `first` the token that has to come first, before what the settings say of that,
    `longest` counts the token that writing begins with. A length that the model should reach, but that the caller does
    not allow, is not asked for.
    """
    rules = LogitsProcessorList()
    penalty, repeats = settings.repetition_penalty, settings.no_repeat_ngram_size
    least = min(max(settings.min_length or 0, (settings.min_new_tokens or 0) + 1), longest - 1)
    if penalty is not None and penalty != 1:
        rules.append(RepetitionPenaltyLogitsProcessor(penalty))
    if repeats:
        rules.append(NoRepeatNGramLogitsProcessor(repeats))
    if settings.bad_words_ids:
        rules.append(NoBadWordsLogitsProcessor(settings.bad_words_ids, sorted(ends)))
    if least > 1 and ends:
        rules.append(MinLengthLogitsProcessor(least, sorted(ends), device=device))
    forced = first if first is not None else settings.forced_bos_token_id
    if forced is not None:
        rules.append(ForcedBOSTokenLogitsProcessor(forced))
    if settings.forced_eos_token_id is not None:
        rules.append(ForcedEOSTokenLogitsProcessor(longest, settings.forced_eos_token_id, device=device))
    return rules

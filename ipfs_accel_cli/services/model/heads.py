"""What a model can do, told from the names of its architectures."""

from __future__ import annotations

from collections.abc import Sequence

# The class names of transformers end with what the head on top can do.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "ForCausalLM": ("generate",),
    "LMHeadModel": ("generate",),
    "ForSequenceClassification": ("classify",),
    "ForTokenClassification": ("token-classify",),
    "ForMaskedLM": ("fill-mask",),
    "ForQuestionAnswering": ("answer",),
    "ForImageClassification": ("image-classify",),
    "ForObjectDetection": ("image-detect",),
    "ForSemanticSegmentation": ("image-segment",),
    "ForInstanceSegmentation": ("image-segment",),
    "ForUniversalSegmentation": ("image-segment",),
    "ForImageSegmentation": ("image-segment",),
    "ForAudioClassification": ("audio-classify",),
    "ForAudioFrameClassification": ("voice-detect",),
    "ForSpeechSeq2Seq": ("transcribe",),
    "ForCTC": ("transcribe",),
    "ForImageTextToText": ("ask", "caption"),
    "ForVision2Seq": ("caption",),
    "ForVisualQuestionAnswering": ("ask",),
}
# Names that do not follow that rule, or say more than their ending does.
_NAMES: dict[str, tuple[str, ...]] = {
    "BlipForConditionalGeneration": ("caption",),
    "BlipForQuestionAnswering": ("ask",),
    "ChineseCLIPModel": ("pair-embed",),
    "CLIPModel": ("pair-embed",),
    "LlavaForConditionalGeneration": ("ask", "caption"),
    "MarianMTModel": ("translate",),
    "PegasusForConditionalGeneration": ("summarize",),
    "SiglipModel": ("pair-embed",),
    "SpeechT5ForSpeechToText": ("transcribe",),
    "SpeechT5ForTextToSpeech": ("speak",),
    "ViltForQuestionAnswering": ("ask",),
    "VisionEncoderDecoderModel": ("caption",),
    "VitsModel": ("speak",),
    "WhisperForConditionalGeneration": ("transcribe",),
}
# Heads for sounds that have the name of those for texts.
_OF_SOUND = (
    "Data2VecAudio",
    "Hubert",
    "SEW",
    "UniSpeech",
    "Wav2Vec2",
    "WavLM",
)
_WRITERS = "ForConditionalGeneration"


def tasks_of(architectures: Sequence[str], *, has_tokenizer: bool, one_number: bool = False) -> tuple[str, ...]:
    """Return the tasks that heads of these names do, in the order of the names.

    A sequence classifier that gives `one_number` instead of labels says how well two texts go together.
    """
    found: list[str] = []
    for name in architectures:
        if one_number and name.endswith("ForSequenceClassification"):
            found.append("rerank")
            continue
        known = _NAMES.get(name) or next((does for end, does in _ENDINGS.items() if name.endswith(end)), ())
        if known == ("classify",) and name.startswith(_OF_SOUND):
            known = ("audio-classify",)
        if not known and name.endswith(_WRITERS) and has_tokenizer:
            known = ("summarize", "translate")
        found += known
    if found:
        return tuple(dict.fromkeys(found))
    # A text encoder without a head, such as BertModel; encoders of vision come without a tokenizer.
    encoders = [name for name in architectures if name.endswith(("Model", "Encoder"))]
    if not encoders:
        return ()
    return ("embed",) if has_tokenizer else ("image-embed",)

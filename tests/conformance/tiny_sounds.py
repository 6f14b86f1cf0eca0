"""Random-weight models of sound, of real architectures: noise, but exact."""

from __future__ import annotations

import json
from pathlib import Path

from ipfs_accel_cli.engines.base import Loadable
from tests.conformance.tiny_models import loadable

_WAV2VEC2 = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "conv_dim": (16, 16), "conv_stride": (20, 16), "conv_kernel": (20, 16), "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "classifier_proj_size": 16,
}  # fmt: skip
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ"]


def speller(folder: Path) -> Loadable:
    """Save a tiny wav2vec2 that writes letters."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    torch.manual_seed(1)
    Wav2Vec2ForCTC(Wav2Vec2Config(vocab_size=len(LETTERS), pad_token_id=0, **_WAV2VEC2)).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({letter: at for at, letter in enumerate(LETTERS)}))
    Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return loadable(folder, "transcribe")


def sound_namer(folder: Path) -> Loadable:
    """Save a tiny wav2vec2 with a head of three labels."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification

    torch.manual_seed(2)
    names = dict(enumerate(("bell", "rain", "dog")))
    Wav2Vec2ForSequenceClassification(Wav2Vec2Config(id2label=names, **_WAV2VEC2)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return loadable(folder, "audio-classify")


def spectrogram_namer(folder: Path) -> Loadable:
    """Save a tiny audio spectrogram transformer that hears one second at once."""
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    torch.manual_seed(3)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    shape = {"max_length": 96, "num_mel_bins": 32, "frequency_stride": 16, "time_stride": 16}
    names = dict(enumerate(("bell", "rain", "dog")))
    ASTForAudioClassification(ASTConfig(id2label=names, **size, **shape)).save_pretrained(folder)
    ASTFeatureExtractor(num_mel_bins=32, max_length=96).save_pretrained(folder)
    return loadable(folder, "audio-classify")


def speaker(folder: Path) -> Loadable:
    """Save a tiny VITS that reads letters."""
    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    torch.manual_seed(4)
    letters = "_ abcdefghijklmnopqrstuvwxyz'"
    (folder).mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({letter: at for at, letter in enumerate(letters)}))
    config = VitsConfig(
        vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16, flow_size=16,
        spectrogram_bins=9, upsample_initial_channel=16, upsample_rates=[4, 4], upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1, duration_predictor_num_flows=1,
        duration_predictor_filter_channels=16, depth_separable_num_layers=1,
    )  # fmt: skip
    VitsModel(config).save_pretrained(folder)
    VitsTokenizer(str(folder / "vocab.json"), phonemize=False, pad_token="_", unk_token="_").save_pretrained(folder)
    return loadable(folder, "speak")

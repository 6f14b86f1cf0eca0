"""Random-weight models of pictures and words, well under a megabyte, saved as real ones are: noise, but exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from tests.conformance.tiny_models import WORDS, loadable

SIDE, PATCH = 32, 8
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
)


def captioner(folder: Path) -> Loadable:
    """Save a tiny ViT with a GPT-2."""
    import torch
    from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    tokenizer = _words()
    torch.manual_seed(1)
    seeing = ViTConfig(image_size=SIDE, patch_size=PATCH, **SMALL)
    saying = GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=16, add_cross_attention=True, **SPECIAL
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(seeing, saying)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 1, 0, 2
    model = VisionEncoderDecoderModel(config=config)
    model.generation_config.decoder_start_token_id = 1
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 2, 0
    return _saved(folder, model, tokenizer, _eyes("vit"), "caption")


def blip(folder: Path, task: str = "caption") -> Loadable:
    """Save a tiny BLIP that captions, or one that answers questions (`ask`)."""
    import torch
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipForQuestionAnswering

    tokenizer = _words(end=True)
    torch.manual_seed(2)
    text = {"vocab_size": len(tokenizer), "encoder_hidden_size": 32, "max_position_embeddings": 16, "sep_token_id": 2}
    config = BlipConfig(
        text_config=text | SMALL | SPECIAL,
        vision_config={"image_size": SIDE, "patch_size": PATCH} | SMALL,
        projection_dim=16,
    )
    made = BlipForConditionalGeneration if task == "caption" else BlipForQuestionAnswering
    return _saved(folder, made(config), tokenizer, _eyes("blip"), task)


def vilt(folder: Path) -> Loadable:
    """Save a tiny ViLT that chooses one of four answers."""
    import torch
    from transformers import ViltConfig, ViltForQuestionAnswering

    tokenizer = _words(end=True)
    torch.manual_seed(3)
    config = ViltConfig(
        vocab_size=len(tokenizer), image_size=SIDE, patch_size=PATCH, max_position_embeddings=16, max_image_length=-1,
        id2label=dict(enumerate(("cat", "dog", "bird", "rain"))), **SMALL,
    )  # fmt: skip
    return _saved(folder, ViltForQuestionAnswering(config), tokenizer, _eyes("vilt"), "ask")


def llava(folder: Path, *, template: str | None = TEMPLATE) -> Loadable:
    """Save a tiny LLaVA, with a chat template or without."""
    import torch
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _words()
    torch.manual_seed(4)
    saying = LlamaConfig(
        vocab_size=len(tokenizer), num_key_value_heads=1, max_position_embeddings=64, tie_word_embeddings=False,
        **SMALL, **SPECIAL,
    )  # fmt: skip
    seeing = CLIPVisionConfig(image_size=SIDE, patch_size=PATCH, **SMALL)
    config = LlavaConfig(
        text_config=saying, vision_config=seeing, vision_feature_layer=-1,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = 2
    model.save_pretrained(folder)
    LlavaProcessor(
        _eyes("clip"), tokenizer, patch_size=PATCH, vision_feature_select_strategy="default", image_token="<image>",
        num_additional_image_tokens=1, chat_template=template,
    ).save_pretrained(folder)  # fmt: skip
    return loadable(folder, "ask")


def clip(folder: Path) -> Loadable:
    """Save a tiny CLIP."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    tokenizer = _words(end=True)
    torch.manual_seed(5)
    text = {"vocab_size": len(tokenizer), "max_position_embeddings": 16}
    config = CLIPConfig(
        text_config=text | SMALL | SPECIAL,
        vision_config={"image_size": SIDE, "patch_size": PATCH} | SMALL,
        projection_dim=16,
    )
    return _saved(folder, CLIPModel(config), tokenizer, _eyes("clip"), "pair-embed")


def siglip(folder: Path) -> Loadable:
    """Save a tiny SigLIP, whose logits stand each for itself."""
    import torch
    from transformers import SiglipConfig, SiglipModel

    tokenizer = _words(end=True)
    torch.manual_seed(6)
    text = {"vocab_size": len(tokenizer), "max_position_embeddings": 16, "projection_size": 32}
    config = SiglipConfig(
        text_config=text | SMALL | SPECIAL, vision_config={"image_size": SIDE, "patch_size": PATCH} | SMALL
    )
    return _saved(folder, SiglipModel(config), tokenizer, _eyes("siglip"), "pair-embed")


def _saved(folder: Path, model: Any, tokenizer: Any, eyes: Any, task: str) -> Loadable:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    eyes.save_pretrained(folder)
    return loadable(folder, task)


def _eyes(kind: str) -> Any:
    """Return an image processor without torchvision."""
    from importlib import import_module

    names = {"vit": "ViT", "blip": "Blip", "vilt": "Vilt", "clip": "CLIP", "siglip": "Siglip"}
    module = import_module(f"transformers.models.{kind}.image_processing_pil_{kind}")
    made = getattr(module, f"{names[kind]}ImageProcessorPil")
    if kind == "vilt":
        return made(size={"shortest_edge": SIDE}, size_divisor=PATCH)
    whole = {"height": SIDE, "width": SIDE}
    return made(size=whole, do_center_crop=False) if kind == "clip" else made(size=whole)


def _words(*, end: bool = False) -> Any:
    """Return a tokenizer of whole words, with <bos> before a text and <eos> after it as asked."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<bos>", "<eos>", "<unk>", "<image>"]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*special, *WORDS])}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>" if end else "<bos> $A", special_tokens=[("<bos>", 1), ("<eos>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
        extra_special_tokens={"image_token": "<image>"},
    )


def painter(folder: Path) -> Loadable:
    """Save a tiny Stable Diffusion pipeline that draws 16 x 16 pixels."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = _words(end=True)
    tokenizer.model_max_length = 16
    torch.manual_seed(7)
    unet = UNet2DConditionModel(
        block_out_channels=(16, 32), layers_per_block=1, sample_size=8, in_channels=4, out_channels=4,
        cross_attention_dim=32, norm_num_groups=8, attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 32), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=8, sample_size=16,
    )  # fmt: skip
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=16, **SMALL, **SPECIAL))
    StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, safety_checker=None, feature_extractor=None,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False), requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    size = sum(path.stat().st_size for name, path in files.items() if name.endswith(".safetensors"))
    facts = ModelFacts(
        name=folder.name, manifest=f"manifest-of-{folder.name}", architectures=("StableDiffusionPipeline",),
        model_type="diffusers", tasks=("image-generate",), parameters=size // 4, weight_bytes=size, dtype="float32",
        files=tuple(files),
    )  # fmt: skip
    return Loadable(facts, folder)

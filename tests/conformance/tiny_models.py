"""Random-weight models of real architectures, well under a megabyte, saved as real ones are: noise, but exact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines.base import Loadable, ModelFacts

WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "bird",
    "sat",
    "ran",
    "on",
    "under",
    "mat",
    "tree",
    "rain",
    "sun",
    "was",
    "old",
    "red",
]
BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
LLAMA = BERT | {"num_key_value_heads": 1}


def encoder(
    folder: Path,
    *,
    modules: Sequence[str] | None = ("Transformer", "Pooling", "Normalize"),
    pooling: Any = None,
    size: Mapping[str, int] = BERT,
) -> Loadable:
    """Save a tiny BERT; with `modules` in the layout of sentence-transformers, pooling as configured (else mean)."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = word_tokenizer()
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, pad_token_id=0, **size)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if modules is not None:
        listed = [
            {
                "idx": at,
                "name": str(at),
                "path": "" if at == 0 else f"{at}_{name}",
                "type": f"sentence_transformers.models.{name}",
            }
            for at, name in enumerate(modules)
        ]
        write_json(folder / "modules.json", listed)
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False})
        write_json(folder / "1_Pooling/config.json", pooling or {"pooling_mode_mean_tokens": True})
    return loadable(folder, "embed")


def classifier(folder: Path) -> Loadable:
    """Save a tiny BERT with a head of three labels."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = word_tokenizer()
    torch.manual_seed(3)
    names = dict(enumerate(("good", "bad", "odd")))
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, pad_token_id=0, id2label=names, **BERT)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loadable(folder, "classify")


def decoder(folder: Path) -> Loadable:
    """Save a tiny llama."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    torch.manual_seed(2)
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=96, bos_token_id=1, eos_token_id=2, **LLAMA)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loadable(folder, "generate")


def rewriter(folder: Path, task: str = "translate") -> Loadable:
    """Save a tiny T5 that states two pairs of languages and a prefix for summaries."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = byte_tokenizer(bos=False)
    torch.manual_seed(4)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    network = T5ForConditionalGeneration(config)
    with torch.no_grad():
        network.lm_head.weight.mul_(0.3)
        # Texts are to be letters for the most part, all different ones, and to end now and then.
        network.lm_head.weight[60:] *= 0.3
        network.lm_head.weight[2] *= -2
    network.generation_config.no_repeat_ngram_size = 1
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    stated = json.loads((folder / "config.json").read_text())
    stated["task_specific_params"] = {
        "summarization": {"prefix": "short: "},
        "translation_en_to_de": {"prefix": "English to German: "},
        "translation_en_to_fr": {"prefix": "English to French: "},
    }
    write_json(folder / "config.json", stated)
    return loadable(folder, task)


def loadable(folder: Path, task: str) -> Loadable:
    """Return a folder with the facts that its files tell."""
    config = json.loads((folder / "config.json").read_text())
    files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
    weight_bytes = sum((folder / file).stat().st_size for file in files if file.endswith((".safetensors", ".bin")))
    facts = ModelFacts(
        name=folder.name,
        manifest=f"manifest-of-{folder.name}",
        architectures=tuple(config.get("architectures") or ()),
        model_type=config.get("model_type", ""),
        tasks=(task,),
        parameters=weight_bytes // 4,
        weight_bytes=weight_bytes,
        dtype="float32",
        context_tokens=config.get("max_position_embeddings"),
        files=files,
    )
    return Loadable(facts, folder)


def word_tokenizer() -> Any:
    """Return a tokenizer of whole words, with [CLS] and [SEP] around them as BERT has them."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*special, *WORDS])}, unk_token="[UNK]"))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def byte_tokenizer(*, bos: bool = True) -> Any:
    """Return a tokenizer of single bytes and a few pairs, so that characters are often split over tokens.

    Texts begin with <bos>, or without it end with <eos>.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [" ".join(WORDS)],
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=["<pad>", "<bos>", "<eos>"], initial_alphabet=alphabet, show_progress=False
        ),
    )
    around = "<bos> $A" if bos else "$A <eos>"
    made.post_processor = processors.TemplateProcessing(single=around, special_tokens=[("<bos>", 1), ("<eos>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")


def write_json(path: Path, value: Any) -> None:
    """Write JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def lora(folder: Path, base: Loadable, *, rank: int = 4) -> Path:
    """Save an adapter of a tiny llama in the layout of peft, its matrices noise."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(8)
    tensors = {}
    for name, weight in sorted(load_file(base.folder / "model.safetensors").items()):
        if name.endswith(("q_proj.weight", "v_proj.weight", "down_proj.weight")):
            key = f"base_model.model.{name.removesuffix('.weight')}"
            tensors[f"{key}.lora_A.weight"] = torch.randn(rank, weight.shape[1])
            tensors[f"{key}.lora_B.weight"] = torch.randn(weight.shape[0], rank)
    targets = ["q_proj", "v_proj", "down_proj"]
    said = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 8, "target_modules": targets}
    write_json(folder / "adapter_config.json", said | {"base_model_name_or_path": f"someone/{base.facts.name}"})
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder

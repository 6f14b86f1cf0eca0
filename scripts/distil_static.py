"""Make a static embedding model of a sentence encoder: a vector for each token of its vocabulary, and nothing else.

    python scripts/distil_static.py MODEL FOLDER --texts FOLDER [--dimensions 256]

MODEL is a registered embedding model (MiniLM's name, say) or a folder. Each token goes through the encoder by itself,
with the tokens that open and close a text; what comes out is pooled and reduced by PCA, without the first directions,
which say what kind of token it is and nothing of its meaning (Mu and Viswanath 2018, "All-but-the-top"). Frequent
tokens then count little: smooth inverse frequency (Arora, Liang and Ma 2017), counted in TEXTS, files like those that
will be searched; without any, the place in the vocabulary stands for it (Zipf's law, as model2vec has it), which was
far worse. The result knows no order of words and no
context: it is a distillate of MODEL, under the licence of MODEL, and far from as good.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from ipfs_accel_cli import Node

BATCH = 1024
SMOOTHING = 1e-3
LEFT_OUT = 8
SUFFIXES = {".txt", ".md", ".rst", ".jsonl"}


def token_vectors(folder: Path) -> NDArray[numpy.float32]:
    """Return the pooled state of every token by itself, shape (tokens, width)."""
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    opening, closing = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = []
    with torch.inference_mode():
        for at in range(0, len(tokenizer), BATCH):
            ids = torch.arange(at, min(at + BATCH, len(tokenizer)))
            inputs = torch.stack([torch.full_like(ids, opening), ids, torch.full_like(ids, closing)], dim=1)
            states = model(input_ids=inputs, attention_mask=torch.ones_like(inputs)).last_hidden_state
            rows.append(states.mean(dim=1))
    found: NDArray[numpy.float32] = torch.cat(rows).numpy()
    return found


def reduced(rows: NDArray[numpy.float32], dimensions: int) -> NDArray[numpy.float32]:
    """Return the principal components after the first ones."""
    centred = rows - rows.mean(axis=0)
    _, _, directions = numpy.linalg.svd(centred, full_matrices=False)
    return centred @ directions[LEFT_OUT : LEFT_OUT + dimensions].T


def frequencies(count: int, source: Path, texts: Path | None) -> NDArray[numpy.float64]:
    """Return how often each token is to be expected."""
    if texts is None:
        shares = 1 / (numpy.arange(count) + 2.0)
        return shares / shares.sum()
    tokenizer = plain_tokenizer(source)
    counted = numpy.zeros(count)
    files = [texts] if texts.is_file() else sorted(path for path in texts.rglob("*") if path.suffix in SUFFIXES)
    for path in files:
        numpy.add.at(counted, tokenizer.encode(path.read_text("utf-8"), add_special_tokens=False).ids, 1)
    if not counted.sum():
        raise SystemExit(f"{texts} has no texts ({', '.join(sorted(SUFFIXES))})")
    return counted / counted.sum()


def plain_tokenizer(source: Path) -> Tokenizer:
    """Return the tokenizer without padding or a longest text."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def write(rows: NDArray[numpy.float32], source: Path, name: str, target: Path) -> None:
    """Write the folder, in the layout of model2vec."""
    target.mkdir(parents=True)
    save_file({"embeddings": numpy.ascontiguousarray(rows, dtype=numpy.float32)}, target / "model.safetensors")
    plain_tokenizer(source).save(str(target / "tokenizer.json"), pretty=False)
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "tokenizer_name": name,
        "apply_pca": rows.shape[1],
        "sif_coefficient": SMOOTHING,
        "hidden_dim": rows.shape[1],
        "normalize": True,
    }
    (target / "config.json").write_text(json.dumps(config, indent=2))
    modules = [
        {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (target / "modules.json").write_text(json.dumps(modules, indent=2))
    card = (
        f"---\nlibrary_name: model2vec\nbase_model: {name}\n---\nA static distillate of {name}: token vectors only.\n"
    )
    (target / "README.md").write_text(card)


def main() -> None:
    """Distil."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path, help="a folder, or a file, whose tokens are counted")
    parser.add_argument("--dimensions", type=int, default=256)
    chosen = parser.parse_args()
    if Path(chosen.model).is_dir():
        source, name = Path(chosen.model), Path(chosen.model).name
    else:
        with Node() as node:
            found = node.models.find(chosen.model, "embed")
            source, name = found.folder, found.facts.name
    rows = reduced(token_vectors(source), chosen.dimensions)
    weights = SMOOTHING / (SMOOTHING + frequencies(len(rows), source, chosen.texts))
    write(rows * weights[:, None].astype(numpy.float32), source, name, chosen.folder)
    print(f"{chosen.folder}: {len(rows)} tokens, {rows.shape[1]} dimensions")


if __name__ == "__main__":
    main()

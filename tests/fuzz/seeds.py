"""The inputs that the corpus began with: `python -m tests.fuzz.seeds` writes them again."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import seed_codecs, seed_dags, seed_files, seed_signed, seed_tokens

SEEDS = {
    "blocks": seed_dags.block_lists,
    "car": seed_dags.cars,
    "carv2": seed_dags.carv2s,
    "cid": seed_codecs.cids,
    "dagcbor": seed_codecs.cbor_values,
    "dagjson": seed_codecs.json_values,
    "dagpb": seed_codecs.dagpb_blocks,
    "hamt": seed_dags.shards,
    "manifest": seed_dags.manifests,
    "ipns": seed_signed.records,
    "envelope": seed_signed.envelopes,
    "multibase": seed_codecs.multibases,
    "safetensors": seed_files.headers,
    "ucan": seed_tokens.ucans,
    "unixfs": seed_codecs.unixfs_messages,
}


def write(corpus: Path) -> None:
    """Write the seeds into a corpus; other inputs in it are left alone."""
    for target, seeds in SEEDS.items():
        (corpus / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds().items():
            (corpus / target / f"{name.replace(' ', '-')}.bin").write_bytes(data)


if __name__ == "__main__":
    write(Path(__file__).parent / "corpus")

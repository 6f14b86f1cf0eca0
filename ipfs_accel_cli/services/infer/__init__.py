"""Running models: embeddings and text, by whatever engine fits."""

from ipfs_accel_cli.services.infer.inference import Inference

__all__ = ["Inference"]

"""What `model quantize` returns."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Quality(Result):
    """How the quantised model answers, measured with the original's answers as the reference."""

    columns = (
        "measure",
        "quality",
        "least_cosine",
        "mean_difference",
        "original_perplexity",
        "perplexity",
        "samples",
    )
    essence = "quality"
    bars = ("quality",)

    measure: str = Field(description="What the quality is: mean cosine, label agreement, or perplexity kept.")
    quality: float = Field(description="1 is as the original; compared with --min-quality.")
    samples: int = Field(description="Texts that both were asked with.")
    mean_cosine: float | None = None
    least_cosine: float | None = Field(default=None, description="Of the text whose vector turned the most.")
    label_agreement: float | None = Field(default=None, description="Share of texts with the same likeliest label.")
    mean_difference: float | None = Field(default=None, description="Of a label's score, regardless of its sign.")
    largest_difference: float | None = None
    perplexity: float | None = Field(default=None, description="Of the samples; the original's is beside it.")
    original_perplexity: float | None = None
    tokens: int | None = None


class Speed(Result):
    """Rates of both for one shape of request, timed in turn; medians, and the quartiles' distance as a part of them."""

    columns = (
        "shape",
        "texts",
        "words",
        "unit",
        "original",
        "quantized",
        "ratio",
        "original_spread",
        "quantized_spread",
    )
    essence = "ratio"

    shape: str
    texts: int = Field(description="Texts in one request.")
    words: int = Field(description="Words in each.")
    unit: str
    original: float
    original_spread: float
    quantized: float
    quantized_spread: float
    ratio: float = Field(description="Median of the rounds' ratios; above 1 the quantised model is faster.")
    rounds: int


class Quantized(Result):
    """A model that was made smaller, and what that cost and gained on this machine."""

    columns = (
        *("name", "version", "manifest_cid", "method", "quality", "speed", "original_weight_bytes", "weight_bytes"),
        *("size_share", "original_peak_bytes", "quantized_peak_bytes", "engine", "threads", "parents"),
    )
    essence = "manifest_cid"
    bars = ("size_share",)

    name: str
    version: int
    manifest_cid: str = Field(description="The new model's identity: the CID of its manifest.")
    root_cid: str
    new: bool = Field(description="False when this very model was registered before.")
    method: str
    task: str = Field(description="What both were asked to do.")
    engine: str = Field(description="The engine that ran both.")
    threads: int
    device: str
    parents: list[str] = Field(description="Manifests of the models that it was made of.")
    original: str
    original_weight_bytes: int
    weight_bytes: int
    size_share: float = Field(description="Bytes of the new weights as a part of the original's.")
    original_peak_bytes: int | None = Field(
        description="By how much a process grew at most that loaded and ran it; null below 8 MiB of weights."
    )
    quantized_peak_bytes: int | None = Field(description="The same of the new model.")
    quality: Quality
    speed: list[Speed]
    samples_cid: str = Field(description="The CID of the samples, as one JSON text a line.")
    machine_id: str
    versions: str = Field(description="Of the libraries that wrote the weights: others may give another CID.")
    statement_cid: str = Field(description="Where all this is kept, as something said of the new model.")

"""What a sentence-transformers folder says about turning token states into one vector, read without any library.

The format is that of the sentence-transformers package, versions 2 to 6: modules.json lists the modules in order,
each with a folder of its own for its config.json and weights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.exchange.text import Role

Mode = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]

# The order is the one in which several pooled vectors are joined.
_OLD_MODES: dict[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_MODES = frozenset(_OLD_MODES.values())
_LIMIT_FILES = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {
    "text": (),
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear layer with an activation, `weights` in the folder named; `activation` is the last part of its class."""

    folder: str
    activation: str
    bias: bool


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """A layer normalisation with weights in the folder named."""

    folder: str


@dataclass(frozen=True, slots=True)
class Normalize:
    """Scale to unit length."""


Layer = Dense | LayerNorm | Normalize


@dataclass(frozen=True, slots=True)
class Sentence:
    """How a folder makes vectors: which encoder, how many tokens at most, how pooled, what follows.

    `assumed` marks a plain encoder, whose folder says nothing about pooling.
    """

    encoder: str = ""
    max_tokens: int | None = None
    lower_case: bool = False
    modes: tuple[Mode, ...] = ("mean",)
    layers: tuple[Layer, ...] = (Normalize(),)
    prompts: tuple[tuple[str, str], ...] = ()
    default_prompt: str | None = None
    assumed: bool = False

    @property
    def pooling(self) -> str:
        """Say how vectors are made, for people."""
        words = ["+".join(self.modes), *(type(layer).__name__.lower() for layer in self.layers)]
        return ", ".join(words) + (" (assumed: the model does not say)" if self.assumed else "")

    def prompt(self, role: Role) -> str:
        """Return what the model wants put before a text in this role."""
        prompts = dict(self.prompts)
        for name in (*_PROMPT_NAMES[role], self.default_prompt):
            if name in prompts:
                return prompts[name]
        return ""


def read_sentence(folder: Path) -> Sentence:
    """Read a folder's layout.

    Raises UnsupportedContent for a module that is not known here and MalformedContent for files that make no sense.
    """
    named = modules_of(folder)
    if named is None:
        return Sentence(assumed=True)
    if [name for name, _ in named[:2]] != ["Transformer", "Pooling"]:
        names = ", ".join(name for name, _ in named)
        raise UnsupportedContent(f"the modules {names}: only those that begin with Transformer, Pooling are known")
    encoder, pooling = named[0][1], named[1][1]
    limits = next((found for file in _LIMIT_FILES if (found := _settings(folder / encoder / file))), {})
    about = _settings(folder / "config_sentence_transformers.json")
    prompts = {str(name): str(text) for name, text in (about.get("prompts") or {}).items() if text}
    longest = limits.get("max_seq_length")
    return Sentence(
        encoder=encoder,
        max_tokens=longest if isinstance(longest, int) and longest > 0 else None,
        lower_case=bool(limits.get("do_lower_case", False)),
        modes=_modes(_settings(folder / pooling / "config.json"), bool(prompts)),
        layers=tuple(layer for name, path in named[2:] for layer in _layer(folder, name, path)),
        prompts=tuple(prompts.items()),
        default_prompt=about.get("default_prompt_name"),
    )


def modules_of(folder: Path) -> list[tuple[str, str]] | None:
    """Return the class and the folder of each module, None where no modules.json says; raises MalformedContent."""
    modules = _json(folder / "modules.json")
    if modules is None:
        return None
    if not isinstance(modules, list) or not modules or not all(isinstance(module, dict) for module in modules):
        raise MalformedContent(f"{folder.name}/modules.json is not a list of modules")
    return [(_class_name(module), _inside(folder, module)) for module in modules]


def _modes(config: dict[str, Any], prompted: bool) -> tuple[Mode, ...]:
    if prompted and not config.get("include_prompt", True):
        raise UnsupportedContent("pooling that leaves out the tokens of a prompt (include_prompt: false)")
    chosen = config.get("pooling_mode")
    if chosen is None:
        return tuple(mode for key, mode in _OLD_MODES.items() if config.get(key)) or ("mean",)
    modes = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for mode in modes:
        if mode not in _MODES:
            raise UnsupportedContent(f"pooling mode {mode!r}; known are {', '.join(sorted(_MODES))}")
    return cast(tuple[Mode, ...], modes)


def _layer(folder: Path, name: str, path: str) -> tuple[Layer, ...]:
    config = _settings(folder / path / "config.json") if path else {}
    if name == "Normalize":
        return (Normalize(),)
    if name == "LayerNorm":
        return (LayerNorm(path),)
    if name == "Dropout":
        return ()
    if name == "Dense" and not config.get("use_residual"):
        activation = str(config.get("activation_function") or "Identity")
        return (Dense(path, activation.rpartition(".")[2], bool(config.get("bias", True))),)
    raise UnsupportedContent(f"the sentence-transformers module {name} ({path or 'no folder'})")


def _class_name(module: dict[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2]


def _inside(folder: Path, module: dict[str, Any]) -> str:
    path = str(module.get("path") or "")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise MalformedContent(f"{folder.name}/modules.json names the folder {path!r} outside the model")
    return path


def _settings(path: Path) -> dict[str, Any]:
    found = _json(path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MalformedContent(f"{path.name} is not a JSON object")
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"{path.name} is not JSON: {error}") from error

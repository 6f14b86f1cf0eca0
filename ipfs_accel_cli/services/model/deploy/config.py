"""The configuration of a deployment: what it may say, how it is read from TOML, and the block that it is kept as."""

from __future__ import annotations

import difflib
import ipaddress
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.units import parse_bytes

SCHEMA = "ipfs-accel/deployment/v1"
Server = Literal["accel", "llama-server"]
CacheType = Literal["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"]
# What a renderer writes itself, and what would put a secret into the file.
_TAKEN = {
    *("--host", "--port", "--http", "--home", "--offline", "-m", "--model", "-a", "--alias", "-c", "--ctx-size"),
    *("-np", "--parallel", "--api-key-file", "--token-file"),
}
_SECRET = {"--api-key", "--token", "--hf-token", "-hft", "--password"}
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def _one_line(text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise ValueError("line ends and other control characters are not taken")
    return text


def _cid(text: str) -> str:
    try:
        return str(CID.parse(text))
    except ContentError as error:
        raise ValueError(f"it is not a CID: {error}") from error


def _host(text: str) -> str:
    if text == "localhost":
        return text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address to listen at; write for example 127.0.0.1, ::1 or 0.0.0.0") from error


def _size(text: str | None) -> str | None:
    try:
        if text is not None and parse_bytes(text) < 1 << 20:
            raise ValueError("less than 1 MiB serves no model")
    except AccelError as error:
        raise ValueError(error.detail) from error
    return text


def _arguments(words: list[str]) -> list[str]:
    for word in words:
        _one_line(word)
        flag = word.partition("=")[0]
        if flag in _SECRET:
            raise ValueError(f"{flag} would write a secret into the file; name its variable with api_key_env")
        if flag in _TAKEN:
            raise ValueError(f"{flag} is written from the other settings")
    return words


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for name, value in labels.items():
        _one_line(value)
        if not _LABEL.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a label: 1 to 63 of a-z, A-Z, 0-9, dot, dash, underscore")
    return labels


class Deployment(Result):
    """How a model is served; null is what the server itself takes without being told."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, str_max_length=1000)

    model: Annotated[str, AfterValidator(_one_line)] = Field(
        description="The name@version that the manifest was found by."
    )
    manifest: Annotated[str, AfterValidator(_cid)] = Field(description="The CID of what is served.")
    server: Server = Field(description="What `--for systemd` and `--for compose` start.")
    file: Annotated[str | None, AfterValidator(_one_line)] = Field(
        default=None, description="The GGUF file, where a model has several."
    )
    engine: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")] = Field(default="auto", description="Of accel.")
    device: Annotated[str, Field(pattern=r"^[a-z]{2,10}(:\d{1,3})?$")] = "auto"
    dtype: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_]{2,20}$")] = None
    threads: Annotated[int | None, Field(ge=1, le=4096)] = None
    gpu_layers: Annotated[str | None, Field(pattern=r"^(auto|all|\d{1,5})$")] = None
    context: Annotated[int | None, Field(ge=1, le=1 << 27)] = Field(
        default=None, description="Tokens that each request may use."
    )
    batch: Annotated[int | None, Field(ge=1, le=1 << 20)] = Field(
        default=None, description="Tokens of prompts that are computed at once."
    )
    parallel: Annotated[int | None, Field(ge=1, le=4096)] = Field(default=None, description="Requests at once.")
    kv_dtype: CacheType | None = None
    host: Annotated[str, AfterValidator(_host)] = Field(default="127.0.0.1", description="Where it listens.")
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    alias: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")] = Field(
        default=None, description="What clients call the model; the deployment's name if left out."
    )
    api_key_env: Annotated[str | None, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,99}$")] = Field(
        default=None, description="The variable that holds the key, in capitals; never the key."
    )
    memory_limit: Annotated[str | None, AfterValidator(_size)] = Field(default=None, description="Such as 8GiB.")
    cpu_limit: Annotated[float | None, Field(gt=0, le=4096, allow_inf_nan=False)] = Field(
        default=None, description="In cores."
    )
    image: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,300}$")] = Field(
        default=None, description="The container image of `--for compose`."
    )
    extra_args: Annotated[list[str], AfterValidator(_arguments), Field(max_length=100)] = Field(
        default_factory=list, description="Further words for the server's command line."
    )
    labels: Annotated[dict[str, str], AfterValidator(_labels), Field(max_length=100)] = Field(
        default_factory=dict, description="Whatever you want to note."
    )

    @model_validator(mode="after")
    def _guarded(self) -> Deployment:
        if self.public and self.api_key_env is None:
            raise ValueError(f"others can reach {self.host}, so name the variable with the key: api_key_env")
        return self

    @property
    def public(self) -> bool:
        """Whether others than this machine reach the address."""
        return self.host != "localhost" and not ipaddress.ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """Return host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def memory_limit_bytes(self) -> int | None:
        """Return the limit in bytes."""
        return parse_bytes(self.memory_limit) if self.memory_limit else None

    def body(self) -> dict[str, Any]:
        """Return what is set, in the order of the fields."""
        fields = self.model_dump(mode="json", exclude_none=True)
        return {name: value for name, value in fields.items() if value not in ([], {})}

    def encode(self) -> tuple[CID, bytes]:
        """Return the block that keeps this configuration and, by a link, its model; and the block's CID."""
        body = self.body()
        data = dagcbor.encode({**body, "schema": SCHEMA, "manifest": CID.parse(self.manifest)})
        return CID.of(data, DAG_CBOR), data

    @classmethod
    def decode(cls, data: bytes) -> Deployment:
        """Read a block that `encode` wrote; raises Invalid, also for a later schema."""
        found = dagcbor.decode(data)
        if not isinstance(found, dict) or found.pop("schema", None) != SCHEMA:
            raise Invalid(f"this is no {SCHEMA} block")
        return checked({**found, "manifest": str(found.get("manifest"))})

    def toml(self) -> str:
        """Return it as a TOML file, which `new --from` reads."""
        import tomli_w

        return tomli_w.dumps(self.body())


def keys() -> list[str]:
    """Return the names of all settings, in the order of the file."""
    return list(Deployment.model_fields)


def checked(values: Mapping[str, Any]) -> Deployment:
    """Return the configuration of some values; raises Invalid, which names each setting that is wrong."""
    for name in values:
        if name not in Deployment.model_fields:
            raise _unknown(name)
    try:
        return Deployment.model_validate(values)
    except ValidationError as error:
        wrong = [
            {"pointer": "/" + "/".join(str(part) for part in one["loc"]), "detail": _said(one)}
            for one in error.errors(include_url=False)
        ]
        told = [f"{one['pointer'][1:].replace('/', '.')}: {one['detail']}".removeprefix(": ") for one in wrong]
        if len(wrong) > 1:
            raise Invalid(f"{len(wrong)} settings are wrong", errors=wrong) from None
        raise Invalid(told[0]) from None


def read_toml(data: bytes, what: str) -> dict[str, Any]:
    """Read a TOML file; raises Invalid for what is none."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{what} is not TOML: {error}") from error


def assigned(values: dict[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Return values with `key=value`, `labels.key=value` and `key=` (which takes it off) applied; raises Invalid."""
    found = dict(values)
    for text in assignments:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_") if not name.startswith("labels.") else name.strip()
        if not equals:
            raise Invalid(f"{text!r} sets nothing", suggestion="--set KEY=VALUE")
        group, dot, label = name.partition(".")
        if group == "labels" and dot:
            labels = {key: kept for key, kept in found.get("labels", {}).items() if key != label}
            found["labels"] = {**labels, label: value} if value else labels
            continue
        if name not in Deployment.model_fields:
            raise _unknown(name)
        if name in ("manifest", "model"):
            raise Invalid(f"{name} is chosen with --model", suggestion="--model NAME@VERSION")
        if value == "":
            found.pop(name, None)
        else:
            found[name] = _listed(value) if name == "extra_args" else value
    return found


def _listed(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Invalid(f"extra_args: {error}", suggestion="--set extra_args='--metrics --verbose'") from error


def _unknown(name: str) -> Invalid:
    near = difflib.get_close_matches(name, keys(), n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return Invalid(f"there is no setting {name!r}{meant} There are: {', '.join(keys())}", near=near)


def _said(error: Any) -> str:
    if error["type"] == "missing":
        return "it is needed"
    if error["type"] == "string_pattern_mismatch":
        if error["loc"] == ("api_key_env",):
            # It may well be a key that was given where its name belongs.
            return "it is the name of a variable, in capitals, and never the key"
        return f"{error['input']!r} is not of the form {error['ctx']['pattern']}"
    return str(error["msg"]).removeprefix("Value error, ")

"""The backends that are known, by the word that users type after the name."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Backend, Config
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.registry import Plugin, Registry


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of backend: the options that it needs and that it may have, and whether it takes a token."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    token: bool = False


# What every kind takes: the most bytes a second, the most calls at once, and how much is kept on this machine.
COMMON = ("rate", "at_once", "cache")
FLAGS = ("path", "bucket", "prefix", "endpoint", "region", "url", "repo")  # The others are given with --option.
FAILOVER = "failover"  # Made of other backends, by whoever knows those by name.
KINDS = {
    "ipfs": Kind(needs=(), may=("url", "fetch"), token=True),
    "gateway": Kind(needs=("url",), token=True),
    "local": Kind(needs=("path",), may=("region",)),
    "storacha": Kind(needs=(), may=("url", "did", "space", "proof", "gateway", "shard_bytes", "filecoin"), token=True),
    "hf": Kind(needs=("repo",), may=("type", "revision", "prefix", "endpoint", "create", "private"), token=True),
    FAILOVER: Kind(needs=("of",)),
    "pinsvc": Kind(needs=("url",), token=True),
    "s3": Kind(needs=("bucket",), may=("prefix", "endpoint", "region", "profile", "anonymous"), token=True),
}
BACKENDS = Registry(
    "backends",
    {
        "ipfs": Plugin("ipfs_accel_cli.backends.ipfs.backend:IpfsBackend", requires=("ipfshttpclient",)),
        "gateway": Plugin("ipfs_accel_cli.backends.gateway.backend:GatewayBackend"),
        "local": Plugin("ipfs_accel_cli.backends.local:LocalBackend"),
        "storacha": Plugin("ipfs_accel_cli.backends.storacha.backend:StorachaBackend"),
        "hf": Plugin("ipfs_accel_cli.backends.hf.backend:HubBackend", requires=("huggingface_hub",)),
        "pinsvc": Plugin("ipfs_accel_cli.backends.pinsvc.backend:PinningService"),
        "s3": Plugin("ipfs_accel_cli.backends.s3.backend:S3Backend", requires=("boto3",), extra="s3"),
    },
)


def checked(kind: str, options: dict[str, str], *, token: bool) -> None:
    """Raise Invalid for a kind that is not known and for options that it lacks or does not take."""
    known = KINDS.get(kind)
    kinds = [*BACKENDS.names(), FAILOVER]
    if kind not in kinds:
        raise Invalid(f"no kind of backend is called {kind!r}; there are: {', '.join(kinds)}")
    if known is None:  # Another package's: it checks for itself.
        return
    if lacking := [name for name in known.needs if not options.get(name)]:
        raise Invalid(f"a backend of the kind {kind} needs {_flags(lacking)}")
    if strange := [name for name in options if name not in (*known.needs, *known.may, *COMMON)]:
        takes = _flags([*known.needs, *known.may, *COMMON])
        raise Invalid(f"a backend of the kind {kind} takes no {_flags(strange)}; it takes {takes}")
    if token and not known.token:
        raise Invalid(f"a backend of the kind {kind} takes no token")


def backend_for(kind: str, config: Config) -> Backend:
    """Make a backend; raises Invalid for a kind that is not known, and MissingExtra."""
    made: Backend = BACKENDS.load(kind)(config)
    return made


def _flags(names: list[str]) -> str:
    """Return options as the command line takes them."""
    written = [name.replace("_", "-") for name in names]
    return ", ".join(f"--{name}" if name in FLAGS else f"--option {name}=…" for name in written)

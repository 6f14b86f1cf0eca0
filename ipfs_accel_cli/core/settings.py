"""Settings: flag, IPFS_ACCEL_*, the folder's ipfs-accel.toml, the user's config.toml, the default; the first wins."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import parse_bytes

FOLDER_FILE = "ipfs-accel.toml"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name, default, meaning, and the words it may take (any where empty)."""

    name: str
    default: str | int | float | bool
    meaning: str
    choices: tuple[str, ...] = ()
    size: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "IPFS_ACCEL_" + self.name.upper().replace(".", "_").replace("-", "_")


_FORMATS = ("auto", "table", "json", "jsonl", "csv", "md", "quiet")
KEYS = {
    key.name: key
    for key in (
        Key(
            "output.format", "auto", "How results are shown.", ("auto", "table", "json", "jsonl", "csv", "md", "quiet")
        ),
        Key("output.progress", True, "Show progress on a terminal."),
        Key("network.offline", False, "Never open a connection."),
        Key("network.read-seconds", 60, "How long a server may keep silent before we try again."),
        Key(
            "store.cid-profile",
            "unixfs-v1-2025",
            "How content is cut and addressed.",
            ("unixfs-v1-2025", "legacy-cid-v1", "unixfs-v0-2015"),
        ),
        Key("store.min-copies", 0, "At how many other places content must be whole before it is removed from one."),
        Key("search.automatic", True, "Index what is put, pulled and migrated, when the next query comes."),
        Key("search.graph-above", 200_000, "From how many vectors on neighbours are found in a graph; 0 never."),
        Key("infer.engine", "auto", "Which engine runs models; auto takes the one that was measured to be fastest."),
        Key("infer.calibrate", True, "Compare engines, once, when several are ready to run a model."),
        Key("infer.min-quality", 0.99, "Least agreement with the model that auto takes from an engine; 1 is exact."),
        Key("infer.device", "auto", "Where models run: auto, cpu, cuda, cuda:0, mps."),
        Key("infer.threads", 0, "Threads for inference; 0 chooses from cores and load."),
        Key("job.autostart", True, "Start a worker when a job is added and nobody works the queue."),
        Key("job.threads", 2, "How many jobs a worker runs at once."),
        Key("job.limits", "", "Most jobs at once by kind or backend, as in command=2,s3:=4."),
        Key("migrate.patience-seconds", 300, "How long a migration waits for a place that does not answer any more."),
        Key("infer.cache-bytes", 0, "Memory for warm models; 0 is half of what is free.", size=True),
    )
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value in force and where it came from."""

    key: Key
    value: str | int | float | bool
    origin: str


class Settings:
    """The settings in force for one home, seen from one working folder."""

    def __init__(self, home: Home, *, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._folder_file = (folder or Path.cwd()) / FOLDER_FILE
        self._environment = os.environ if environment is None else environment
        self._files: dict[Path, dict[str, Any]] = {}

    def get(self, name: str) -> Any:
        """Return the value in force; raises Invalid for an unknown name or a value of the wrong type."""
        return self.look_up(name).value

    def look_up(self, name: str) -> Setting:
        """Return the value in force with its origin."""
        key = known(name)
        if key.variable in self._environment:
            return Setting(key, typed(key, self._environment[key.variable], key.variable), f"${key.variable}")
        for path in (self._folder_file, self.home.config_file):
            found = self._from_file(path, key)
            if found is not None:
                return Setting(key, typed(key, found, str(path)), str(path))
        return Setting(key, key.default, "default")

    @property
    def read_seconds(self) -> float:
        """How long a server may keep silent; a second at least."""
        return float(max(1, self.get("network.read-seconds")))

    def all(self) -> list[Setting]:
        """Return every setting, sorted by name."""
        return [self.look_up(name) for name in sorted(KEYS)]

    def set(self, name: str, text: str) -> Setting:
        """Write a value to the user's config.toml, keeping what else is in it."""
        import tomli_w

        key = known(name)
        value = typed(key, text, "the value given")
        self.home.ensure()
        tree = _read(self.home.config_file)
        section, _, leaf = name.rpartition(".")
        tree.setdefault(section, {})[leaf] = value
        with replacing(self.home.config_file, 0o600) as file:
            tomli_w.dump(tree, file)
        self._files.clear()
        return Setting(key, value, str(self.home.config_file))

    def _from_file(self, path: Path, key: Key) -> Any:
        if path not in self._files:
            self._files[path] = _read(path)
        section, _, leaf = key.name.rpartition(".")
        table = self._files[path].get(section)
        return table.get(leaf) if isinstance(table, dict) else None


def known(name: str) -> Key:
    """Return the setting of that name; raises Invalid with near names."""
    if name in KEYS:
        return KEYS[name]
    near = difflib.get_close_matches(name, KEYS, n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise Invalid(f"no setting named {name!r}{hint}", suggestion="ipfs-accel config show")


def typed(key: Key, value: Any, where: str) -> str | int | float | bool:
    """Return a value as the type of its setting's default; raises Invalid naming where it came from."""
    if isinstance(key.default, bool):
        return _boolean(key, value, where)
    if isinstance(key.default, int):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        try:
            return parse_bytes(str(value)) if key.size else int(str(value))
        except (ValueError, Invalid) as error:
            raise Invalid(f"{key.name} from {where} must be a whole number, not {value!r}") from error
    if isinstance(key.default, float):
        return _share(key, value, where)
    if not isinstance(value, str) or (key.choices and value not in key.choices):
        wanted = f"one of {', '.join(key.choices)}" if key.choices else "text"
        raise Invalid(f"{key.name} from {where} must be {wanted}, not {value!r}")
    return value


def _share(key: Key, value: Any, where: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if isinstance(value, bool) or not 0 <= found <= 1:
        raise Invalid(f"{key.name} from {where} must be a number from 0 to 1, not {value!r}")
    return found


def _boolean(key: Key, value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if str(value).lower() not in words:
        raise Invalid(f"{key.name} from {where} must be true or false, not {value!r}")
    return words[str(value).lower()]


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}", suggestion="ipfs-accel config path") from error
    import tomllib

    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is not valid TOML: {error}", suggestion="ipfs-accel config path") from error

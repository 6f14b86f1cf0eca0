"""Finding the model's folder among the paths of an archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from ipfs_accel_cli.core.errors import Invalid, NotFound

WEIGHTS = (".safetensors", ".bin", ".gguf", ".onnx")
_CODE = (".py", ".pyc", ".pyi", ".pth")


def model_folders(paths: Iterable[str]) -> list[str]:
    """Return the folders that are models: with modules.json, or with config.json beside weights; outermost ones only.

    The archive's root is the empty string.
    """
    names: dict[str, set[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, set()).add(name)
    found = {folder for folder, files in names.items() if "modules.json" in files or _beside_weights(files)}
    return sorted(folder for folder in found if not any(outer in found for outer in _outer(folder)))


def model_files(paths: Iterable[str], subfolder: str | None, what: str, reference: str) -> dict[str, str]:
    """Map each path inside the model's folder to its path in the archive; code and package data are left out.

    Raises NotFound when there is no model or no such folder, Invalid when there are several and none was chosen.
    """
    paths = list(paths)
    folders = model_folders(paths)
    choices = ", ".join(f"{reference}#{folder or '.'}" for folder in folders)
    if subfolder is None:
        if not folders:
            raise NotFound(f"{what} holds no model: no folder in it has modules.json, or config.json beside weights")
        if len(folders) > 1:
            raise Invalid(f"{what} holds {len(folders)} models; name one: {choices}", choices=folders)
        subfolder = folders[0]
    folder = "" if subfolder == "." else subfolder
    prefix = f"{folder}/" if folder else ""
    inside = {path.removeprefix(prefix): path for path in paths if path.startswith(prefix)}
    if not {"modules.json", "config.json"} & inside.keys():
        raise NotFound(f"{what} has no model in a folder {folder!r}" + (f"; there are: {choices}" if choices else ""))
    return {path: full for path, full in inside.items() if not _is_code(full)}


def _beside_weights(files: set[str]) -> bool:
    return "config.json" in files and any(name.endswith(WEIGHTS) for name in files)


def _outer(folder: str) -> list[str]:
    return ["" if str(parent) == "." else str(parent) for parent in PurePosixPath(folder).parents] if folder else []


def _is_code(path: str) -> bool:
    parts = path.split("/")
    package_data = parts[0].endswith((".dist-info", ".data")) or "__pycache__" in parts
    return package_data or path.endswith(_CODE)

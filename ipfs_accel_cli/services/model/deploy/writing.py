"""From a deployment to the file of a target: what this machine adds to the configuration, and where the file goes."""

from __future__ import annotations

import pwd
import shlex
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.core.unit_files import program
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan
from ipfs_accel_cli.services.model.deploy.results import Rendered, Step, Target

_MODULES: Mapping[Target, str] = {
    "accel": "accel",
    "llama-server": "llama_server",
    "ollama": "ollama",
    "systemd": "systemd",
    "compose": "compose",
}


def plan(
    name: str, version: int, cid: str, config: Deployment, home: Path, folder: Path, files: Mapping[str, Path]
) -> Plan:
    """Return a deployment with what is found on this machine: its programs, and the owner of the home.

    Raises Invalid for a path that no target could hold, of the home or of a file.
    """
    owner = home.stat()
    made = Plan(
        name=name,
        version=version,
        cid=cid,
        config=config,
        home=home,
        folder=folder,
        files=files,
        owner=(_user(owner.st_uid), owner.st_uid, owner.st_gid),
        program=program(),
        llama_server=shutil.which("llama-server") or "llama-server",
    )
    # A line end in a name would begin a line of its own in the file.
    for path in (str(home), made.llama_server, *made.program, *files):
        if not path.isprintable():
            raise Invalid(f"{path!r} holds control characters, and no target takes such a path")
    return made


def rendered(plan: Plan, target: Target, output: str | Path | None, *, replace: bool) -> Rendered:
    """Render, and write the file into a folder, or emit its text to the caller without one or with `-`.

    A file that lies there and differs is a Conflict unless it may be replaced. Raises Invalid for a target that is
    unknown or cannot express the deployment, UnsupportedContent for a model that it cannot serve, Unavailable for a
    folder that cannot be written, and DiskFull.
    """
    if target not in _MODULES:
        raise Invalid(f"no target {target!r}; there are: {', '.join(_MODULES)}")
    render: Callable[[Plan], Output] = import_module(f"{__package__}.render.{_MODULES[target]}").render
    made = render(plan)
    path, unchanged = None, False
    if output is None or str(output) == "-":
        current().emit(made.text.removesuffix("\n"))
    else:
        path, unchanged = _write(made, current().path(output), plan.title, replace=replace)
    return Rendered(
        name=plan.name,
        version=plan.version,
        target=target,
        file=made.file,
        executable=made.executable,
        path=str(path) if path else None,
        unchanged=unchanged,
        text=made.text.removesuffix("\n"),
        commands=_commands(made, path),
        notes=made.notes,
    )


def _write(made: Output, folder: Path, title: str, *, replace: bool) -> tuple[Path, bool]:
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is a file; name the folder that {made.file} goes into")
    path, data = folder / made.file, made.text.encode()
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = path.is_symlink() or path.exists()
        if there and path.is_file() and path.read_bytes() == data:
            return path, True
    if there and not replace:
        raise Conflict(
            f"{path} is there already and differs",
            suggestion=f"ipfs-accel model deploy render {title} --for TARGET -o {folder} --replace",
        )
    with writing_into(folder), replacing(path, 0o755 if made.executable else 0o644) as file:
        file.write(data)
    return path, False


def _commands(made: Output, path: Path | None) -> list[Step]:
    """Return what to type next, with the file where it was written."""
    named = str(path or made.file)
    if made.executable and "/" not in named:
        named = f"./{named}"
    return [Step(command=command.replace(FILE, shlex.quote(named))) for command in made.commands]


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)

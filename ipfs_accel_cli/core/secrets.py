"""Secrets: out of the environment, the keyring of the desktop, or a file that the owner alone can read; never shown."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MissingExtra, NotAuthorised, Unavailable

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 1 << 14
_SERVICE = "ipfs-accel"


def checked(text: str) -> str:
    """Return a secret without white space around it; raises Invalid, without showing it, for one that is none."""
    secret = text.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid("the key is empty, or has characters that no key has")
    return secret


def checked_variable(text: str, option: str) -> str:
    """Return the name of an environment variable; raises Invalid, without showing it, for what is none."""
    if text and not _VARIABLE.fullmatch(text):
        # What is no name of a variable may well be the secret.
        raise Invalid(f"{option} takes the name of an environment variable, not the key itself")
    return text


def from_variable(variable: str, whose: str) -> str:
    """Return the secret that an environment variable has; raises NotAuthorised where it has none."""
    secret = os.environ.get(variable, "").strip()
    if not secret:
        detail = f"the environment variable {variable} has no key for {whose}"
        raise NotAuthorised(detail, suggestion=f"export {variable}=…")
    return checked(secret)


def from_file(path: Path) -> str:
    """Return the secret in a file, or nothing where there is none; raises NotAuthorised where others may read it."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotAuthorised(f"others may read {path}", suggestion=f"chmod 600 '{path}'")
    return checked(path.read_text("utf-8"))


def from_input(option: str) -> str:
    """Return the secret that the caller pipes in; raises Invalid where nothing comes."""
    source = current().input
    if source is None:
        raise Invalid(f"{option} reads the key from standard input, and nothing came: pipe it in")
    with source() as stream:
        data = stream.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise Invalid("what came on standard input is too long for a key")
    return checked(data.decode("ascii", "replace").replace("\ufffd", "\n"))


def from_keyring(name: str) -> str:
    """Return the secret that the desktop's keyring has under a name; raises NotAuthorised where it has none."""
    secret = _asked("get_password", name)
    if not secret:
        raise NotAuthorised(f"the keyring has no key for {name}", suggestion=f"keyring set {_SERVICE} {name}")
    return checked(str(secret))


def into_keyring(name: str, secret: str) -> None:
    """Keep a secret in the desktop's keyring; raises MissingExtra, and Unavailable where there is none."""
    _asked("set_password", name, secret)


def out_of_keyring(name: str) -> None:
    """Forget a secret that the desktop's keyring has."""
    if _asked("get_password", name):
        _asked("delete_password", name)


def _asked(operation: str, name: str, *values: str) -> Any:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise MissingExtra(
            "the keyring needs a library that is not installed", suggestion="pip install 'ipfs-accel[keyring]'"
        ) from error
    try:
        return getattr(keyring, operation)(_SERVICE, name, *values)
    except (KeyringError, RuntimeError) as error:
        detail = f"the keyring of this desktop does not answer ({type(error).__name__})"
        raise Unavailable(detail, suggestion="keyring diagnose") from error

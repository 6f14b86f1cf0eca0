"""Wrapping small secrets for recipients as age does (https://age-encryption.org/v1), X25519 ones only."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.core.errors import Invalid, MissingExtra

_NOBODY = "No matching keys"  # How the library says that none of the identities is a recipient.


def generate() -> str:
    """Make an identity, as text (AGE-SECRET-KEY-1…)."""
    return str(_age().x25519.Identity.generate())


def recipient_of(identity: str) -> str:
    """Return the public half (age1…) of an identity; raises Invalid."""
    return str(_identity(identity).to_public())


def is_recipient(text: str) -> bool:
    """Say whether text looks like a recipient."""
    return text.startswith("age1")


def checked_recipient(text: str) -> str:
    """Return a recipient in the one way it is written; raises Invalid."""
    return str(_recipient(text))


def wrap(data: bytes, recipients: Sequence[str]) -> bytes:
    """Encrypt a secret for recipients; raises Invalid."""
    wrapped: bytes = _age().encrypt(data, [_recipient(one) for one in recipients])
    return wrapped


def unwrap(data: bytes, identities: Sequence[str]) -> bytes | None:
    """Decrypt a secret; None where no identity is a recipient of it. Raises Malformed for what was changed."""
    age = _age()
    try:
        secret: bytes = age.decrypt(data, [_identity(one) for one in identities])
    except age.DecryptError as error:
        if _NOBODY in str(error):
            return None
        raise Malformed(f"the wrapped key is damaged: {error}") from error
    return secret


def _identity(text: str) -> Any:
    age = _age()
    try:
        return age.x25519.Identity.from_str(text)
    except age.IdentityError as error:
        raise Invalid("this is no age identity (AGE-SECRET-KEY-1…)") from error


def _recipient(text: str) -> Any:
    age = _age()
    try:
        return age.x25519.Recipient.from_str(text)
    except age.RecipientError as error:
        raise Invalid(
            f"{text[:80]!r} is no age recipient (age1…): {error}", suggestion="ipfs-accel store identity ls"
        ) from error


def _age() -> ModuleType:
    try:
        import pyrage
    except ImportError as error:
        raise MissingExtra(
            "encryption needs pyrage, which is not installed", suggestion="pip install 'ipfs-accel[encryption]'"
        ) from error
    module: ModuleType = pyrage
    return module

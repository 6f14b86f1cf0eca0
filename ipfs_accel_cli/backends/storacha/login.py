"""Who we are to Storacha: the agent's key, the delegation that names it, and the space that both are for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.content import delegation, didkey, principal
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.delegation import Delegation
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.principal import Signer
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised

PUTS = ("space/blob/add", "space/index/add", "upload/add")
READS = ("upload/list", "upload/get", "upload/remove")
now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Login:
    """A key that may act in a space, as far as can be told here; there is no `delegation` for the key of the space."""

    backend: str
    signer: Signer
    space: str
    delegation: Delegation | None = None

    @property
    def proofs(self) -> tuple[CID, ...]:
        """Return what an invocation has to link to."""
        return (self.delegation.cid,) if self.delegation else ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return what has to come along with an invocation."""
        return self.delegation.blocks if self.delegation else ()

    def grants(self, can: str) -> bool:
        """Say whether the delegation grants a right now."""
        return not self._refusal(can)

    def require(self, *rights: str) -> None:
        """Raise NotAuthorised where one of these rights is not granted, was not yet, or is no more."""
        for can in rights:
            if reason := self._refusal(can):
                raise NotAuthorised(
                    f"the delegation of backend {self.backend} cannot be used: {reason}", suggestion=self.hint(*rights)
                )

    def hint(self, *rights: str) -> str:
        """Return the command with which the owner of the space delegates what is needed."""
        wanted = " ".join(f"--can {can}" for can in rights or (*PUTS, *READS))
        return f"storacha delegation create {self.signer.did} {wanted} --base64"

    def _refusal(self, can: str) -> str:
        if self.delegation is not None:
            return self.delegation.refusal(can, self.space, now())
        return "" if self.signer.did == self.space else f"it does not grant {can} at {self.space}"


def login(config: Config) -> Login:
    """Read the key and the delegation, and see that they belong together; for the owner's own calls only.

    Raises NotAuthorised for a missing or foreign one, Invalid for one that cannot be read. No message holds the key.
    """
    if current().folders is not None:
        raise NotAuthorised(f"only the owner's shell may use the key of backend {config.name}")
    try:
        signer = principal.parse_key("".join(config.needed_secret().split()))
    except ContentError as error:
        raise Invalid(
            f"the token of backend {config.name} cannot be read: {error}", suggestion="storacha key create"
        ) from error
    proof = config.get("proof")
    if not proof:
        return _of_space(config, signer)
    try:
        granted = delegation.parse(_bytes(proof, config.name))
        spaces = granted.spaces()
    except ContentError as error:
        raise Invalid(f"the delegation of backend {config.name} cannot be read: {error}") from error
    space = config.get("space") or (spaces[0] if len(spaces) == 1 else "")
    made = Login(config.name, signer, space, granted)
    if granted.token.audience != signer.did:
        raise NotAuthorised(
            f"the delegation of backend {config.name} is for {granted.token.audience}, "
            f"and the key of the token is {signer.did}",
            suggestion=made.hint(),
        )
    if not space:
        raise Invalid(
            f"the delegation of backend {config.name} is for {len(spaces)} spaces: choose one with --option space=DID"
        )
    return made


def _of_space(config: Config, signer: Signer) -> Login:
    """Without a delegation, the key can only be that of the space."""
    space = config.get("space") or signer.did
    made = Login(config.name, signer, space)
    if space != signer.did:
        raise NotAuthorised(f"backend {config.name} needs a delegation for {space}", suggestion=made.hint())
    return made


def _bytes(proof: str, name: str) -> bytes:
    """Return what the option says: the delegation's own text, or what a file holds."""
    text = proof.strip()
    if len(text) > 200 and "/" not in text[:1] and not text.startswith("~"):
        return text.encode()
    path = current().path(text)
    if not path.is_absolute():  # It is read again in other folders.
        raise Invalid(
            f"the delegation of backend {name} is neither the text of one nor an absolute path: {text[:80]!r}"
        )
    try:
        if path.stat().st_size > delegation.MAX_BYTES:
            raise Invalid(f"{path} is too large for a delegation")
        return path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"the delegation of backend {name} cannot be read from {path}: {error.strerror or error}"
        ) from error


def checked_did(did: str) -> str:
    """Return a DID; raises Invalid for what is none."""
    try:
        principal.to_bytes(did)
        if did.startswith(didkey.PREFIX):
            didkey.decode(did)
    except ContentError as error:
        raise Invalid(str(error)) from error
    return did

"""What several gateways that failed mean together."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.backends.gateway.endpoint import Gateway
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    NotAuthorised,
    NotFound,
    TryAgain,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)

# The first of these that any of them raised says whether it makes sense to ask again.
_KINDS = (TryAgain, Unavailable, NotAuthorised, UnsupportedContent, NotFound)


class Verdict:
    """The last error of each gateway."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._gateways = gateways
        self._errors: dict[str, AccelError] = {}

    def add(self, gateway: Gateway, error: AccelError) -> None:
        """Note an error; a gateway that lied is not asked again, and the caller is told."""
        self._errors[gateway.url] = error
        if isinstance(error, VerificationFailed) and not gateway.lie:
            gateway.lie = error.detail
            current().progress(0, None, f"{gateway.url} lies and is not asked again: {error.detail}")

    def failed(self, gateway: Gateway) -> bool:
        """Say whether a gateway failed in this call."""
        return gateway.url in self._errors

    def error(self, root: CID) -> AccelError:
        """Return what to raise: VerificationFailed where all lied, NotFound where none has it."""
        errors = [error for error in self._errors.values() if not isinstance(error, VerificationFailed)]
        said = "; ".join(dict.fromkeys([*(one.lie for one in self._gateways if one.lie), *(e.detail for e in errors)]))
        kind = next((kind for kind in _KINDS if any(isinstance(error, kind) for error in errors)), VerificationFailed)
        waits = [error.context["retry_after_s"] for error in errors if "retry_after_s" in error.context]
        context = {"retry_after_s": min(waits)} if waits and kind is TryAgain else {}
        if kind is NotAuthorised:
            return NotAuthorised(said, suggestion="ipfs-accel store backend add --help")
        return kind(f"{root} did not come: {said}", **context)

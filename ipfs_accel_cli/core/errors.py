"""One class per error code; codes and exit statuses never change once released."""

from __future__ import annotations

import errno
from typing import Any, ClassVar

from ipfs_accel_cli.content.errors import ContentError, Expired, Forged, Mismatch, MissingBlock, NoSuchPath, OverLimit


class AccelError(Exception):
    """Something went wrong that has a name, an exit status and a next step.

    `detail` says what and why, `suggestion` is the next command to type, `context` holds JSON-able facts, and
    `errors` lists the parts that failed as `{"pointer", "detail"}`. The shape is RFC 9457 with members of our own.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    remedy: ClassVar[str] = "This is a defect. Run the command again with --traceback and report what it prints."

    def __init__(
        self,
        detail: str,
        *,
        suggestion: str | None = None,
        errors: list[dict[str, str]] | None = None,
        **context: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.suggestion = suggestion
        self.errors = errors or []
        self.context = context

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """Return the problem object that the command line, MCP and HTTP all show."""
        problem: dict[str, Any] = {
            "type": f"urn:ipfs-accel:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "retryable": self.retryable,
        }
        optional = {
            "suggestion": self.suggestion,
            "instance": instance,
            "errors": self.errors,
            "context": self.context,
        }
        return problem | {key: value for key, value in optional.items() if value}


class Invalid(AccelError):
    """What was asked for makes no sense: a wrong option, a bad value, text that is not what it should be."""

    code, title, status, exit_code = "invalid-input", "Invalid input", 422, 2
    remedy = "Read the detail, correct the value and run the command again; `--help` shows what it takes."


class NotFound(AccelError):
    """The thing named does not exist here or at the place asked."""

    code, title, status, exit_code = "not-found", "Not found", 404, 3
    remedy = "Check the spelling; `ipfs-accel model ls` and `ipfs-accel store ls` show what is here."


class VerificationFailed(AccelError):
    """Bytes are not the bytes that their digest, their index or their CID promises."""

    code, title, status, exit_code = "verification-failed", "Verification failed", 422, 4
    remedy = "Nothing was kept of the bad bytes. Fetch again, from another place if it happens twice."


class Regressed(AccelError):
    """What was measured is worse than before, by more than chance explains."""

    code, title, status, exit_code = "regressed", "Slower than before", 409, 4
    remedy = "Measure again on a quiet machine; what stays slower has a cause in what changed between the two runs."


class NotGoodEnough(AccelError):
    """A model answers worse than was asked of it: below a threshold, or below another model."""

    code, title, status, exit_code = "not-good-enough", "Not as good as asked", 409, 4
    remedy = "The items that the error lists show where; the figures were kept all the same."


class MalformedContent(VerificationFailed):
    """A block, CID, archive or file header breaks the rules of its own format."""

    code, title = "malformed-content", "Malformed content"
    remedy = "The file is damaged or is not what its name says. Fetch it again from its publisher."


class UnsafeContent(VerificationFailed):
    """Content that could run code or leave its folder was refused before anything touched it."""

    code, title = "unsafe-content", "Unsafe content"
    remedy = "Ask the publisher for safetensors weights. Nothing of the file was loaded or registered."


class TryAgain(AccelError):
    """The other side answered that it is busy, throttling or failing for a moment."""

    code, title, status, exit_code, retryable = "try-again", "Busy, try again", 503, 5, True
    remedy = "Run the command again in a little while; what was fetched already is kept."


class Unavailable(AccelError):
    """A server, device or program that the command needs is down or refuses to speak."""

    code, title, status, exit_code, retryable = "unavailable", "Unavailable", 503, 6, True
    remedy = "Start or reach what is named in the detail, then run the command again; nothing was lost."


class RemoteFailed(AccelError):
    """A server that was asked to do something answered that it failed."""

    code, title, status, exit_code = "remote-failed", "The other side failed", 502, 1
    remedy = "Read the detail, which is the server's own; mend what it names there."


class Offline(AccelError):
    """The command needs the network and `--offline` forbids it."""

    code, title, status, exit_code = "offline", "Offline", 503, 6
    remedy = "Run the command again without --offline, or pull what it needs beforehand."


class MissingExtra(AccelError):
    """An optional library is not installed."""

    code, title, status, exit_code = "missing-extra", "Optional part not installed", 501, 6
    remedy = "Type the pip line of the suggestion."


class UnsupportedContent(AccelError):
    """A format, hash or model architecture that is recognised but cannot be handled by what is installed."""

    code, title, status, exit_code = "unsupported", "Not supported here", 501, 6
    remedy = "Convert the content to a supported form, or use an engine that handles it."


class HomeUnusable(AccelError):
    """The home folder cannot be made, read or written."""

    code, title, status, exit_code = "home-unusable", "Home folder unusable", 500, 6
    remedy = "Point IPFS_ACCEL_HOME or --home at a folder you may write, or mend the permissions."


class NotAuthorised(AccelError):
    """Whoever asks has not been granted this."""

    code, title, status, exit_code = "not-authorised", "Not authorised", 403, 7
    remedy = "Ask the owner of this node for the permission named in the detail."


class LimitReached(AccelError):
    """The request is larger than a stated limit."""

    code, title, status, exit_code = "limit-reached", "Limit reached", 413, 8
    remedy = "Ask for less at a time, or raise the limit named in the detail."


class DiskFull(AccelError):
    """There is no room left where the bytes should go."""

    code, title, status, exit_code = "disk-full", "No space left", 507, 8
    remedy = "Free some space (`ipfs-accel store gc --dry-run` shows what could go) and run the command again."


class DoesNotFit(AccelError):
    """The model needs more memory than this machine may use."""

    code, title, status, exit_code = "does-not-fit", "Does not fit", 507, 8
    remedy = "Choose a smaller model or a machine with more memory."


class NothingToDo(AccelError):
    """All is as asked already; raised only when the caller wants to be told so."""

    code, title, status, exit_code = "nothing-to-do", "Nothing to do", 200, 9
    remedy = "No action is needed."


class Conflict(AccelError):
    """The thing exists already, or changed while the command ran."""

    code, title, status, exit_code = "conflict", "Conflict", 409, 10
    remedy = "Choose another name, or look at what is there and run the command again."


class SomeFailed(AccelError):
    """Some items succeeded and some failed; `errors` lists the failures."""

    code, title, status, exit_code = "some-failed", "Some items failed", 207, 11
    remedy = "Mend what the list names and run the command again: what succeeded is not done twice."


class Cancelled(AccelError):
    """The caller stopped the command."""

    code, title, status, exit_code = "cancelled", "Cancelled", 499, 130
    remedy = "Run the command again to go on; whatever was finished is kept."


def error_kinds() -> dict[str, type[AccelError]]:
    """Return every error class by its code, sorted by exit status and code."""
    found: list[type[AccelError]] = [AccelError]
    for error in found:
        found.extend(error.__subclasses__())
    ours = [error for error in found if error.__module__ == __name__]
    return {error.code: error for error in sorted(ours, key=lambda error: (error.exit_code, error.code))}


def classified(error: BaseException) -> AccelError | None:
    """Return our error for a foreign one whose meaning is certain, else None."""
    if isinstance(error, AccelError):
        return error
    if isinstance(error, Mismatch | Forged | Expired):
        return VerificationFailed(str(error))
    if isinstance(error, NoSuchPath | MissingBlock):
        return NotFound(str(error), suggestion="ipfs-accel store ls")
    if isinstance(error, OverLimit):
        return LimitReached(str(error))
    if isinstance(error, ContentError):
        return UnsupportedContent(str(error)) if type(error).__name__ == "Unsupported" else MalformedContent(str(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space left while writing {error.filename or 'to the home folder'}")
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("ipfs_accel_cli"):
        package = error.name.split(".")[0].replace("_", "-")
        return MissingExtra(f"this needs {package}, which is not installed", suggestion=f"pip install {package}")
    if isinstance(error, KeyboardInterrupt):
        return Cancelled("interrupted")
    return None

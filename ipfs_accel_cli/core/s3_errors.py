"""What the errors of an S3 server, and of the library that asks it, mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotAuthorised, NotFound, TryAgain, Unavailable
from ipfs_accel_cli.core.http import retry_after

AWS_LOGIN = "aws configure"
SKEW_SECONDS = 600  # S3 refuses what is signed 15 minutes off.
_MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NoSuchUpload")
_DENIED = ("AccessDenied", "AllAccessDisabled", "InvalidObjectState")
_ENDED = ("ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException")
_BAD_LOGIN = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "InvalidSecurity")
_FAILING = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded")
_BUSY = (*_FAILING, "ConditionalRequestConflict", "OperationAborted")
_SPOILED = ("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch")
_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9.]{1,80})\s*</Code>")


def spoiled(error: AccelError) -> bool:
    """Say whether a server refused bytes because they are not those that their digest promises."""
    return error.context.get("answer") in _SPOILED


def of_answer(answer: Mapping[str, Any], what: str, bucket: str, login: str = AWS_LOGIN) -> AccelError:
    """Return our error for an error that an S3 server answered; its own words may hold parts of what was signed.

    The `answer` in the error's context is the server's code for it, where it told one; `login` is the command that
    helps where it refuses the credentials.
    """
    code = str(answer.get("Error", {}).get("Code", ""))
    meta = answer.get("ResponseMetadata", {})
    status, headers = int(meta.get("HTTPStatusCode") or 0), meta.get("HTTPHeaders", {})
    named = code if code and not code.isdecimal() else ""
    told = f"the server answers {status} {named}".rstrip()
    context: dict[str, Any] = {"answer": named} if named else {}
    if code == "NoSuchBucket":
        return NotFound(f"there is no bucket {bucket!r}", suggestion="aws s3 ls", **context)
    if code in _MISSING or status == 404:
        return NotFound(f"{what}: {told}", **context)
    if code in _SPOILED:
        return TryAgain(f"{what}: {told}: the bytes changed on their way", **context)
    if code == "PreconditionFailed" or status == 412:
        return Conflict(f"{what}: {told}", **context)
    refusal = _of_login(code, status, f"{what}: {told}", skew_seconds(headers), login, context)
    if refusal is not None:
        return refusal
    if code in _BUSY or status in (408, 409, 429) or (status >= 500 and status != 501):
        wait = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
        return TryAgain(f"{what}: {told}", **(context if wait is None else context | {"retry_after_s": wait}))
    elsewhere = " and leads elsewhere: the bucket has another endpoint or region" if 300 <= status < 400 else ""
    return Unavailable(f"{what}: {told}{elsewhere}", **context)


def of_page(
    status: int, headers: Mapping[str, str], page: bytes, what: str, bucket: str, login: str = AWS_LOGIN
) -> AccelError:
    """Return our error for an answer that no library has read."""
    code = _CODE.search(page)
    named = code[1].decode() if code else str(status)
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return of_answer({"Error": {"Code": named}, "ResponseMetadata": meta}, what, bucket, login)


def skew_seconds(headers: Mapping[str, str]) -> float | None:
    """Return by how many seconds this machine's clock is ahead of the server's; None where it tells no time."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return (datetime.now(UTC) - told.replace(tzinfo=told.tzinfo or UTC)).total_seconds()


def of_library(error: Exception, what: str) -> AccelError:
    """Return our error for what botocore raised by itself."""
    from botocore import exceptions as boto

    name = type(error).__name__
    if isinstance(error, boto.ParamValidationError | boto.InvalidRegionError | boto.ProfileNotFound | ValueError):
        return Invalid(f"{what}: {error}")
    if isinstance(error, boto.PartialCredentialsError | boto.ConfigParseError | boto.ConfigNotFound):
        return Invalid(f"your AWS configuration is not complete: {error}", suggestion="aws configure list")
    if "SSO" in name or "Token" in name:
        return NotAuthorised(f"{what}: your AWS login has ended", suggestion="aws sso login")
    if "Credential" in name:
        return NotAuthorised(f"{what}: your AWS credentials cannot be had", suggestion="aws configure list")
    return Unavailable(f"{what}: {name}")


def _of_login(
    code: str, status: int, told: str, skew: float | None, login: str, context: Mapping[str, Any]
) -> NotAuthorised | None:
    """Return what a refusal means: a wrong clock, a login that has ended, a wrong one, or one that may not."""
    # The answer to a HEAD has no words: 400 is what S3 says there of a login that has ended, 403 of all else.
    refused = code in (*_DENIED, *_BAD_LOGIN, *_ENDED, "RequestTimeTooSkewed", "400") or status in (401, 403)
    if not refused:
        return None
    if code == "RequestTimeTooSkewed" or (skew is not None and abs(skew) > SKEW_SECONDS):
        off = f" by {abs(skew) / 60:.0f} minutes" if skew is not None and abs(skew) > SKEW_SECONDS else ""
        return NotAuthorised(f"{told}: the clock of this machine is wrong{off}", suggestion="date -u", **context)
    if code in _ENDED:
        again = "aws sso login" if login == AWS_LOGIN else login
        return NotAuthorised(f"{told}: your login has ended", suggestion=again, **context)
    if code in _BAD_LOGIN:
        return NotAuthorised(f"{told}: your credentials are not valid there", suggestion=login, **context)
    return NotAuthorised(told, suggestion=login, **context)

"""Talking to S3: with the owner's credentials or none, at which endpoint, and over connections of our own."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Invalid,
    MissingExtra,
    NotAuthorised,
    NotFound,
    TryAgain,
    Unavailable,
)
from ipfs_accel_cli.core.http import client as connection
from ipfs_accel_cli.core.http import explained, retry_after
from ipfs_accel_cli.core.retry import patiently

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

T = TypeVar("T")

INSTALL = "pip install 'ipfs-accel[s3]'"
MAX_ANSWER_BYTES = 32 << 20  # A page of a listing has a thousand keys of at most a kilobyte each.
SIGNED_SECONDS = 900
_PAGES = (b"<!doctype html", b"<html")
_REGION, _REGION_HEADER = "us-east-1", "x-amz-bucket-region"
_MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion")
_DENIED = ("AccessDenied", "AllAccessDisabled", "InvalidObjectState")
_BAD_LOGIN = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "InvalidSecurity")
_BUSY = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded")


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket; `endpoint` and `region` go before what the owner's AWS configuration says.

    An `anonymous` one is asked without a signature, though there be credentials.
    """

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    anonymous: bool = False


class Bucket:
    """One bucket as the running call may use it.

    The owner's own calls are signed with what boto3 finds (AWS_*, the profile, the role of the machine), where it finds
    something; any other caller is unsigned and gets to the public internet only.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._opened: Any = None
        self.certificates: str | None = None

    def ask(self, operation: str, what: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one call of the S3 API by its boto3 name, patiently.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Invalid, Offline and MissingExtra; a message names `what`
        and holds nothing secret.
        """
        current().needs_network(f"asking for {what}")
        return patiently(lambda: self._once(operation, what, parameters))

    def address(self, key: str, version: str | None = None) -> str:
        """Return a signed web address of an object, good for a quarter of an hour; not to be shown or kept."""
        current().needs_network(f"fetching {key}")
        parameters = {"Bucket": self.place.bucket, "Key": key} | ({"VersionId": version} if version else {})

        def signed() -> str:
            text: str = self._client().generate_presigned_url("get_object", parameters, ExpiresIn=SIGNED_SECONDS)
            return text

        return self._translated(signed, key)

    def _once(self, operation: str, what: str, parameters: dict[str, Any]) -> dict[str, Any]:
        def asked() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client(), operation)(Bucket=self.place.bucket, **parameters)
            return answer

        return self._translated(asked, what)

    def _translated(self, work: Callable[[], T], what: str) -> T:
        _needs_boto()
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return work()
        except ClientError as error:
            raise _of_answer(error.response, what, self.place) from error
        except ResponseParserError as error:
            raise Unavailable(f"{what}: the server does not answer as S3 does") from error
        except (BotoCoreError, ValueError) as error:  # An endpoint that is no address is a plain ValueError.
            raise _of_library(error, what) from error

    def _client(self) -> Any:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Any:
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.session import Session

        session = Session()
        session.register_component("data_loader", _definitions(session.get_config_variable("data_path")))
        owner = current().folders is None
        signed = owner and not self.place.anonymous and session.get_credentials() is not None
        # Asked again by us, who can be stopped, and not by botocore as well. Version 4 because others sign less.
        config = Config(
            signature_version="s3v4" if signed else UNSIGNED,
            retries={"mode": "standard", "total_max_attempts": 1},
            response_checksum_validation="when_required",
        )
        region = self.place.region or session.get_config_variable("region") or _REGION
        opened = session.create_client("s3", region_name=region, endpoint_url=self.place.endpoint, config=config)
        if signed:
            _refuse_unencrypted(opened.meta.endpoint_url)
        bundle = session.get_config_variable("ca_bundle")
        self.certificates = str(bundle) if bundle else None
        opened.meta.events.register("before-send.s3", self._send)
        return opened

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        """Carry a request of botocore's over a connection of ours, which keeps other callers to the public internet."""
        from botocore.awsrequest import AWSResponse

        server = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        try:
            status, told, body = self._carried(request, f"bucket {self.place.bucket} at {server}")
        except Unavailable as error:
            raise Unavailable(error.detail, suggestion=f"curl -I {server}") from error
        if status == 200 and body.lstrip().lower().startswith(_PAGES):  # botocore would take it for an answer cut off.
            raise Unavailable(f"{server} answers with a web page, not as S3 does")
        if event_name.endswith("HeadBucket") and status in (301, 302, 307) and _REGION_HEADER not in told:
            status = 404  # botocore would ask for the region for ever.
        return AWSResponse(request.url, status, told, _Body(body))

    def _carried(self, request: AWSPreparedRequest, what: str) -> tuple[int, dict[str, str], bytes]:
        headers = [(name, _text(value)) for name, value in request.headers.items()] + [("accept-encoding", "identity")]
        with explained(what), connection(self.certificates, guarded=True, passwords=False) as opened:
            sent = opened.build_request(request.method, request.url, headers=headers, content=request.body or None)
            # Where a bucket lies elsewhere, botocore signs anew for its region.
            response = opened.send(sent, stream=True, follow_redirects=False)
            try:
                return response.status_code, dict(response.headers), _limited(response.iter_raw(), what)
            finally:
                response.close()


@dataclass(frozen=True, slots=True)
class _Body:
    """The bytes of an answer as botocore wants to read them."""

    data: bytes

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.data


def _needs_boto() -> None:
    try:
        import botocore  # noqa: F401
    except ImportError as error:
        raise MissingExtra("s3:// needs boto3, which is not installed", suggestion=INSTALL) from error


@lru_cache(maxsize=4)
def _definitions(data_path: str | None) -> Any:
    """Read botocore's description of S3 once for all buckets: that takes longer than to ask a server near by."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _limited(chunks: Iterator[bytes], what: str) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            raise Unavailable(f"the server of {what} answers with more than {MAX_ANSWER_BYTES} bytes to a question")
    return bytes(data)


def _refuse_unencrypted(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise Invalid(
            f"{parts.hostname} would be asked in your name without encryption; use https://, or add ?anonymous=true",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _of_answer(answer: dict[str, Any], what: str, place: Place) -> AccelError:
    """Return our error for an error that an S3 server answered; its own words may hold parts of what was signed."""
    code = str(answer.get("Error", {}).get("Code", ""))
    meta = answer.get("ResponseMetadata", {})
    status = int(meta.get("HTTPStatusCode") or 0)
    told = f"the server answers {status} {code}".rstrip() if code != str(status) else f"the server answers {status}"
    if code == "NoSuchBucket":
        return NotFound(f"there is no bucket {place.bucket!r}", suggestion="aws s3 ls")
    if code in _MISSING or status == 404:
        return NotFound(f"{what}: {told}")
    if code == "RequestTimeTooSkewed":
        return NotAuthorised(f"{what}: {told}: the clock of this machine is wrong", suggestion="date -u")
    if code in _BAD_LOGIN:
        return NotAuthorised(f"{what}: {told}: your AWS credentials are not valid there", suggestion="aws configure")
    # The answer to a HEAD has no words: 400 is what S3 says there of a login that has ended.
    if code in _DENIED or status in (401, 403) or code == "400":
        return NotAuthorised(f"{what}: {told}", suggestion="aws configure")
    if code in _BUSY or status in (408, 429) or status >= 500:
        wait = retry_after(meta.get("HTTPHeaders", {}).get("retry-after", ""), datetime.now(UTC))
        context: dict[str, Any] = {"retry_after_s": wait} if wait is not None else {}
        return TryAgain(f"{what}: {told}", **context)
    elsewhere = " and leads elsewhere: the bucket has another endpoint or region" if 300 <= status < 400 else ""
    return Unavailable(f"{what}: {told}{elsewhere}")


def _of_library(error: Exception, what: str) -> AccelError:
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

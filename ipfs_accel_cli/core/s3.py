"""Talking to S3: with the owner's credentials or none, at which endpoint, and over connections of our own."""

from __future__ import annotations

import copy
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.core.http import client as connection
from ipfs_accel_cli.core.http import explained
from ipfs_accel_cli.core.lines import Answer, Lines, is_straight
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.core.s3_bodies import MAX_ANSWER_BYTES, Payload, Told, as_bytes, as_text, cut, limited
from ipfs_accel_cli.core.s3_direct import PROBED, Direct, Question, answered
from ipfs_accel_cli.core.s3_errors import AWS_LOGIN, of_answer, of_library, of_page
from ipfs_accel_cli.core.s3_known import CERTIFICATES, REGION, known
from ipfs_accel_cli.core.s3_library import definitions, needs_boto
from ipfs_accel_cli.core.s3_places import Keys, Place, refuse_unencrypted
from ipfs_accel_cli.core.s3_signing import Login

if TYPE_CHECKING:
    import httpx
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

T = TypeVar("T")

SIGNED_SECONDS = 900
_ADD = "ipfs-accel store backend add --help"
_PAGES = (b"<!doctype html", b"<html")
_REGION_HEADER = "x-amz-bucket-region"
_MOVED = (301, 302, 307, 308)
# What S3 answers where the bucket lies in another region.
ELSEWHERE = ("PermanentRedirect", "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError")
_MOST_REDIRECTS = 3
_EXPRESS = "--x-s3"  # Buckets of one zone are signed for with a session of their own.
_unsent: ContextVar[list[AWSPreparedRequest] | None] = ContextVar("unsent", default=None)
_line: ContextVar[Lines | httpx.Client | None] = ContextVar("line", default=None)


class Bucket:
    """One bucket as the running call may use it.

    The owner's own calls are signed with the `keys`, or where there are none with what boto3 finds (AWS_*, the profile,
    the role of the machine), if anything; any other caller is unsigned and gets to the public internet only.
    """

    def __init__(self, place: Place, keys: Callable[[], Keys | None] = lambda: None, *, command: str = _ADD) -> None:
        self.place = place
        self._command = command
        self._keys = keys
        self._opened: Any = None
        self._line: httpx.Client | None = None
        self._lines: Lines | None = None
        self._lock = threading.RLock()
        self._login: Callable[[], Login] | None = None
        self._direct: Direct | None = None
        self._redirected = 0
        self.certificates: str | None = None

    @contextmanager
    def connected(self) -> Iterator[Bucket]:
        """Give the same bucket for the block, which keeps its connections open between questions."""
        if self._line is not None or self._kept() is not None:
            yield self
            return
        self._translated(self._client, f"bucket {self.place.bucket}")
        with closing(connection(self.certificates, guarded=True, passwords=False)) as opened:
            kept = copy.copy(self)
            kept._line = opened
            yield kept

    def login(self) -> str:
        """Return the command that helps with wrong credentials: AWS's own only where they are AWS's own."""
        endpoint = str(self._opened.meta.endpoint_url) if self._opened is not None else self.place.endpoint or ""
        host = urlsplit(endpoint).hostname or ""
        is_theirs = not host or host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return AWS_LOGIN if is_theirs and self._keys() is None else self._command

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

    def once(self, operation: str, what: str, **parameters: Any) -> dict[str, Any]:
        """Ask as `ask` does, but a single time."""
        current().needs_network(f"asking for {what}")
        return self._once(operation, what, parameters)

    def _once(self, operation: str, what: str, parameters: dict[str, Any]) -> dict[str, Any]:
        line = self._line or self._kept()
        if isinstance(line, Lines) and (direct := self._straight()) is not None:
            question = direct.question(operation, parameters)
            if question is not None and (told := self._told(line, operation, question, what)) is not None:
                return told

        def asked() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client(), operation)(Bucket=self.place.bucket, **parameters)
            return answer

        token = _line.set(line)
        try:
            return self._translated(asked, what)
        finally:
            _line.reset(token)

    def _kept(self) -> Lines | None:
        """Return connections that stay open as long as this bucket; None where the running call may have none."""
        if self._lines is not None and current().folders is None:
            return self._lines
        if not is_straight():
            return None
        if self._straight_by_what_was_said() is None:
            self._translated(self._client, f"bucket {self.place.bucket}")
        with self._lock:
            if self._lines is None:
                self._lines = Lines(self.certificates)
                weakref.finalize(self, self._lines.close)
            return self._lines

    def _straight_by_what_was_said(self) -> Direct | None:
        """Return the bucket at its address where the owner has said all of it, and nobody was sent elsewhere yet."""
        if self._direct is None and self._opened is None and not self._redirected and current().folders is None:
            needs_boto()  # For whatever else is asked.
            self._direct = known(self.place, self._keys())
            if self._direct is not None:
                self.certificates = os.environ.get(CERTIFICATES) or None
        return self._direct

    def _straight(self) -> Direct | None:
        """Return the bucket at its address, where requests to it are signed as we can."""
        if self._direct is None and self._redirected < _MOST_REDIRECTS:
            self._direct = self._translated(self._found, f"bucket {self.place.bucket}")
        return self._direct

    def _found(self) -> Direct | None:
        """Let botocore make a request that is not sent, and read from it where the bucket is."""
        client, made = self._client(), list["AWSPreparedRequest"]()
        if self._login is None or self.place.bucket.endswith(_EXPRESS):
            return None
        token = _unsent.set(made)
        try:
            client.head_object(Bucket=self.place.bucket, Key=PROBED)
        finally:
            _unsent.reset(token)
        return Direct.of(made[0].url, as_text(made[0].headers.get("Authorization", "")), self._login)

    def _told(self, line: Lines, operation: str, question: Question, what: str) -> dict[str, Any] | None:
        """Return the answer to a question; None where the bucket is elsewhere, which botocore finds out."""
        server = "{0.scheme}://{0.netloc}".format(urlsplit(question.url))
        try:
            answer = line.send(
                question.method,
                question.url,
                question.headers.items(),
                question.pieces(),
                f"bucket {self.place.bucket} at {server}",
                MAX_ANSWER_BYTES,
            )
        except Unavailable as error:
            raise Unavailable(error.detail, suggestion=f"curl -I {server}") from error
        page = b"".join(answer.pieces)
        if answer.status in (200, 204):
            return answered(operation, answer.headers, page, what)
        refusal = of_page(answer.status, answer.headers, page, what, self.place.bucket, self.login())
        if answer.status in _MOVED or refusal.context.get("answer") in ELSEWHERE or _is_moved(question, answer):
            self._direct, self._redirected = None, self._redirected + 1
            return None
        raise refusal

    def _translated(self, work: Callable[[], T], what: str) -> T:
        needs_boto()
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return work()
        except ClientError as error:
            raise of_answer(error.response, what, self.place.bucket, self.login()) from error
        except ResponseParserError as error:
            raise Unavailable(f"{what}: the server does not answer as S3 does") from error
        except (BotoCoreError, ValueError) as error:  # An endpoint that is no address is a plain ValueError.
            raise of_library(error, what) from error

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Any:
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.session import Session

        session = Session(profile=self.place.profile)
        session.register_component("data_loader", definitions(session.get_config_variable("data_path")))
        owner = current().folders is None
        keys = self._keys() if owner and not self.place.anonymous else None
        if keys is not None:
            session.set_credentials(keys.access, keys.secret, keys.session)
        signed = owner and not self.place.anonymous and session.get_credentials() is not None
        self._login = session.get_credentials().get_frozen_credentials if signed else None
        # Asked again by us, who can be stopped, and not by botocore as well. Version 4 because others sign less. What
        # is sent has its digest in a signed header, and need not be hashed once more for the signature.
        config = Config(
            signature_version="s3v4" if signed else UNSIGNED,
            retries={"mode": "standard", "total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"payload_signing_enabled": False},
        )
        region = self.place.region or session.get_config_variable("region") or REGION
        opened = session.create_client("s3", region_name=region, endpoint_url=self.place.endpoint, config=config)
        if signed:
            refuse_unencrypted(opened.meta.endpoint_url)
        bundle = session.get_config_variable("ca_bundle")
        self.certificates = str(bundle) if bundle else None
        opened.meta.events.register("before-send.s3", self._send)
        return opened

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        """Carry a request of botocore's over a connection of ours, which keeps other callers to the public internet."""
        from botocore.awsrequest import AWSResponse

        if (unsent := _unsent.get()) is not None:
            unsent.append(request)
            return AWSResponse(request.url, 200, {}, Told(b""))
        server = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        try:
            status, told, body = self._carried(request, f"bucket {self.place.bucket} at {server}")
        except Unavailable as error:
            raise Unavailable(error.detail, suggestion=f"curl -I {server}") from error
        if status == 200 and body.lstrip().lower().startswith(_PAGES):  # botocore would take it for an answer cut off.
            raise Unavailable(f"{server} answers with a web page, not as S3 does")
        if event_name.endswith("HeadBucket") and status in (301, 302, 307) and _REGION_HEADER not in told:
            status = 404  # botocore would ask for the region for ever.
        return AWSResponse(request.url, status, told, Told(body))

    def _carried(self, request: AWSPreparedRequest, what: str) -> tuple[int, dict[str, str], bytes]:
        headers = [(name, as_text(value)) for name, value in request.headers.items() if name.lower() != "expect"]
        headers.append(("accept-encoding", "identity"))
        line, body = _line.get(), request.body
        if isinstance(line, Lines):
            pieces = body.pieces() if isinstance(body, Payload) else iter((as_bytes(body),) if body else ())
            answer = line.send(request.method, request.url, headers, pieces, what, MAX_ANSWER_BYTES)
            return answer.status, dict(answer.headers), b"".join(answer.pieces)
        content: Any = cut(body.pieces()) if isinstance(body, Payload) else body or None
        with explained(what), self._connection(line) as opened:
            sent = opened.build_request(request.method, request.url, headers=headers, content=content)
            # Where a bucket lies elsewhere, botocore signs anew for its region.
            response = opened.send(sent, stream=True, follow_redirects=False)
            try:
                return response.status_code, dict(response.headers), limited(response.iter_raw(), what)
            finally:
                response.close()

    @contextmanager
    def _connection(self, kept: httpx.Client | None) -> Iterator[httpx.Client]:
        if kept is not None:
            yield kept
        else:
            with connection(self.certificates, guarded=True, passwords=False) as opened:
                yield opened


def _is_moved(question: Question, answer: Answer) -> bool:
    """Say whether an answer without words is that of another region."""
    return question.method == "HEAD" and answer.status == 400 and _REGION_HEADER in answer.headers

"""An S3 server that is not what it should be: forgetful, lossy, or wrong about the time."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers.s3 import S3Site
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.servers.serving import Handler, serving

_FORGOTTEN = ("x-amz-checksum-", "x-amz-sdk-checksum-", "if-none-match", "if-match")


class Shady(S3Site):
    """A site that does with requests what its fields say, a request being named by its `METHOD` and what is asked for.

    `ignores` takes digests and conditions as if they were not there. `loses` are requests that are carried out and not
    answered, `spoils` those whose bytes change on the way, each once. `refuses` is the status and code of every answer.
    `first` is run before a request goes on. `calls_all_200` makes a part look like the whole, and `echoes` repeats any
    digest as if it had been checked. In a `storm` each request is answered 500 and then 503 before it
    is heard. One that `knows_no_etags` says of a condition on them that it is not implemented.
    """

    def __init__(self, server: Seaweed) -> None:
        super().__init__(server)
        self.ignores = False
        self.loses: list[str] = []
        self.spoils: list[str] = []
        self.calls_all_200 = False
        self.echoes = False
        self.refuses: tuple[int, str] | None = None
        self.first: dict[str, Callable[[], object]] = {}
        self.storm = False
        self.knows_no_etags = False
        self._seen: set[str] = set()

    def asked(self, method: str, word: str) -> list[str]:
        """Return the requests of a method whose path has a word in it."""
        return [line for line in self.log if line.startswith(method) and word in line]

    def answer(self, handler: Handler) -> None:
        if (first := self.first.pop(_operation(handler), None)) is not None:
            first()
        if self.storm and (status := self._blown(handler)):
            handler.body()
            handler.reply(status, b"<Error><Code>SlowDown</Code></Error>", {"Content-Type": "application/xml"})
        elif self.refuses is not None:
            status, code = self.refuses
            handler.body()
            handler.reply(status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"})
        elif self.knows_no_etags and handler.headers.get("if-match"):
            handler.body()
            handler.reply(501, b"<Error><Code>NotImplemented</Code></Error>", {"Content-Type": "application/xml"})
        elif _operation(handler) in self.loses:
            self.loses.remove(_operation(handler))
            self._passed_on(handler, whole=False)
            handler.close_connection = True
        else:
            super().answer(handler)

    def _blown(self, handler: Handler) -> int | None:
        """Return the status that a storm gives; how an address is signed makes it no other request."""
        path = re.sub(r"X-Amz-[^&]*&?", "", handler.path)
        asked = f"{handler.command} {path} {handler.headers.get('range', '')}"
        for status in (500, 503):
            if (key := f"{status} {asked}") not in self._seen:
                self._seen.add(key)
                return status
        return None

    def _passed_on(self, handler: Handler, *, whole: bool) -> tuple[int, http.client.HTTPMessage, bytes]:
        status, headers, body = super()._passed_on(handler, whole=whole)
        stated = handler.headers.get("x-amz-checksum-sha256")
        if self.echoes and stated and status == 200:
            headers["x-amz-checksum-sha256"] = stated
        return 200 if status == 206 and self.calls_all_200 else status, headers, body

    def forwarded(self, handler: Handler, body: bytes) -> tuple[bytes, list[tuple[str, str]]]:
        headers = list(handler.headers.items())
        if _operation(handler) in self.spoils:
            self.spoils.remove(_operation(handler))
            body = body[:-1] + bytes([body[-1] ^ 1])
        if not self.ignores or handler.headers.get("authorization") is None:
            return body, headers
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.config import Config
        from botocore.credentials import Credentials

        kept = {
            name: value
            for name, value in headers
            if name.lower() not in ("authorization", "host", "x-amz-date") and not name.lower().startswith(_FORGOTTEN)
        }
        request = AWSRequest(handler.command, f"{self.server.url}{handler.path}", headers=kept)
        request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
        return body, [*request.headers.items(), ("host", f"127.0.0.1:{self.server.port}")]


def _operation(handler: Handler) -> str:
    for word in ("partNumber", "uploadId", "uploads", "list-type"):
        if f"{word}=" in handler.path or handler.path.endswith(f"?{word}"):
            return f"{handler.command} {word}"
    return handler.command


@contextmanager
def shady(server: Seaweed) -> Iterator[Shady]:
    """Stand before a server for the block."""
    site = Shady(server)
    with serving(site):
        yield site

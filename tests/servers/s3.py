"""What stands between a client and a real S3 server in tests: it notes what is asked for, and can misbehave."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed
from tests.servers.serving import Faults, Handler, Site, serving

_OF_THE_CONNECTION = ("connection", "content-length", "transfer-encoding", "server", "date")


class S3Site(Site):
    """A prefix of its own at a server; requests are passed on as they are, unless faults are set."""

    def __init__(self, server: Seaweed) -> None:
        super().__init__()
        self.server = server
        self.prefix = uuid4().hex[:12]
        self._owner: Any = None

    def owner(self) -> Any:
        """Return the boto3 client that speaks to the server itself, made once."""
        if self._owner is None:
            self._owner = self.server.client()
        return self._owner

    def environment(self) -> dict[str, str]:
        """Return the variables that make a client use this site, and nothing of the user's own."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def upload(self, files: Mapping[str, bytes], *, bucket: str = BUCKET, folder: str = "tiny") -> None:
        """Put files below the prefix, each with its sha-256."""
        client = self.server.client()
        for path, data in files.items():
            key = "/".join(part for part in (self.prefix, folder, path) if part)
            client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm="SHA256")

    def ranges(self, name: str) -> list[str]:
        """Return the ranges that were asked of an object, empty for the whole."""
        asked = (line.split(" ") for line in self.log if line.startswith("GET"))
        return [
            line[2] if len(line) > 2 else "" for line in asked if unquote(urlsplit(line[1]).path).endswith(f"/{name}")
        ]

    def answer(self, handler: Handler) -> None:
        path = unquote(urlsplit(handler.path).path).lstrip("/")
        is_object = "/" in path and "list-type=" not in handler.path
        misbehaves = self.faults != Faults() and is_object and handler.command == "GET"
        status, headers, body = self._passed_on(handler, whole=misbehaves)
        if misbehaves and status == 200:
            return handler.send_file(path.rpartition("/")[2], body, {"ETag": headers["ETag"]})
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                handler.send_header(name, value)
        handler.send_header("Content-Length", headers.get("Content-Length", str(len(body))))
        handler.end_headers()
        handler.wfile.write(body)
        return None

    def forwarded(self, handler: Handler, body: bytes) -> tuple[bytes, list[tuple[str, str]]]:
        """Return what the server is sent of a request."""
        return body, list(handler.headers.items())

    def _passed_on(self, handler: Handler, *, whole: bool) -> tuple[int, http.client.HTTPMessage, bytes]:
        sent, headers = self.forwarded(handler, handler.body())
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            # The host is signed, so it stays the one that the client knows.
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if not (whole and name.lower() in ("range", "if-range")):
                    connection.putheader(name, value)
            connection.endheaders(sent or None)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


@contextmanager
def s3(server: Seaweed) -> Iterator[S3Site]:
    """Stand before a server for the block."""
    site = S3Site(server)
    with serving(site):
        yield site

"""The few questions to S3 that are asked by the thousand, without the work of a library that knows all of them.

Where a bucket is, under whose name and in which region it is asked, botocore says; it is also asked whatever is not
understood here. The answers are those of botocore, as far as they are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from xml.etree import ElementTree

from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.core.s3_signing import Login, Signer, quoted

_METHODS = {
    "put_object": "PUT",
    "upload_part": "PUT",
    "head_object": "HEAD",
    "list_objects_v2": "GET",
    "create_multipart_upload": "POST",
    "abort_multipart_upload": "DELETE",
}
_QUERY = {
    "UploadId": "uploadId",
    "PartNumber": "partNumber",
    "Prefix": "prefix",
    "MaxKeys": "max-keys",
    "ContinuationToken": "continuation-token",
}
_HEADERS = {
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ChecksumMode": "x-amz-checksum-mode",
    "IfNoneMatch": "if-none-match",
    "IfMatch": "if-match",
    "ChecksumAlgorithm": "x-amz-checksum-algorithm",
    "ChecksumType": "x-amz-checksum-type",
}
_BESIDE = "x-amz-meta-"
_TOLD = {
    "etag": "ETag",
    "x-amz-version-id": "VersionId",
    "x-amz-checksum-sha256": "ChecksumSHA256",
    "x-amz-checksum-type": "ChecksumType",
}
PROBED = "k"  # A key whose address shows where all others are.
_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^,]*/\d{8}/([^/,]+)/s3/aws4_request,")


@dataclass(frozen=True, slots=True)
class Question:
    """One request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    pieces: Callable[[], Iterator[bytes | memoryview]]


@dataclass(frozen=True, slots=True)
class Direct:
    """A bucket at its address: `before` is what comes before a key, `host` as it is signed."""

    server: str
    host: str
    before: str
    signer: Signer

    @classmethod
    def of(cls, url: str, authorization: str, login: Callable[[], Login]) -> Direct | None:
        """Read where a bucket is from a signed request for the key PROBED; None where it is signed in another way."""
        scope = _SCOPE.match(authorization)
        return None if scope is None else cls.at(url, scope[1], login)

    @classmethod
    def at(cls, url: str, region: str, login: Callable[[], Login]) -> Direct | None:
        """Read where a bucket is from the address of the key PROBED; None where that tells it not."""
        parts = urlsplit(url)
        if parts.query or not parts.path.endswith(f"/{PROBED}"):
            return None
        host = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}[parts.scheme])
        return cls(f"{parts.scheme}://{host}", host, parts.path.removesuffix(f"/{PROBED}"), Signer(region, login))

    def question(self, operation: str, parameters: Mapping[str, Any]) -> Question | None:
        """Return a call of the S3 API by its boto3 name as a request; None for one that is not understood here."""
        method, rest = _METHODS.get(operation), dict(parameters)
        if method is None:
            return None
        key, body, beside = rest.pop("Key", None), rest.pop("Body", None), rest.pop("Metadata", {})
        query = {_QUERY[name]: str(rest.pop(name)) for name in _QUERY if name in rest}
        headers = {_HEADERS[name]: str(rest.pop(name)) for name in _HEADERS if name in rest}
        headers |= {f"{_BESIDE}{name.lower()}": value for name, value in beside.items()}
        if rest or (key is None) != (operation == "list_objects_v2") or (body is None) != (method != "PUT"):
            return None
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            return None
        if operation == "list_objects_v2":
            query |= {"list-type": "2", "encoding-type": "url"}
        elif operation == "create_multipart_upload":
            query["uploads"] = ""
        path = (self.before or "/") if key is None else f"{self.before}/{quoted(key, slashes=True)}"
        text, signed = self.signer.signed(method, self.host, path, query, headers)
        signed["accept-encoding"] = "identity"
        if method in ("PUT", "POST"):
            signed["content-length"] = "0" if body is None else str(len(body))
        url = f"{self.server}{path}" + (f"?{text}" if text else "")
        return Question(method, url, signed, (lambda: iter(())) if body is None else body.pieces)


def answered(operation: str, headers: Mapping[str, str], page: bytes, what: str) -> dict[str, Any]:
    """Return what a good answer says, in the words of botocore; raises Unavailable where it is none of S3."""
    try:
        if operation == "list_objects_v2":
            return _listed(page)
        if operation == "create_multipart_upload":
            return _begun(page)
        return {} if operation == "abort_multipart_upload" else _stated(operation, headers)
    except (ElementTree.ParseError, ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"{what}: the server does not answer as S3 does") from error


def _stated(operation: str, headers: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {_TOLD[name]: value for name, value in headers.items() if name in _TOLD}
    if operation == "head_object":
        told["ContentLength"] = int(headers["content-length"])
        if "last-modified" in headers:
            told["LastModified"] = parsedate_to_datetime(headers["last-modified"])
        told["Metadata"] = {
            name.removeprefix(_BESIDE): value for name, value in headers.items() if name.startswith(_BESIDE)
        }
    elif "ETag" not in told:
        raise KeyError("etag")
    return told


def _root(page: bytes, wanted: str) -> tuple[ElementTree.Element, str]:
    """Return what a page says, and what comes before the names in it; raises ValueError for another page."""
    root = ElementTree.fromstring(page)  # noqa: S314 - expat keeps entities from growing, and botocore reads it the same
    name = root.tag
    space = name[: name.index("}") + 1] if name.startswith("{") else ""
    if name != f"{space}{wanted}":
        raise ValueError(name)
    return root, space


def _begun(page: bytes) -> dict[str, Any]:
    root, space = _root(page, "InitiateMultipartUploadResult")
    upload = root.findtext(f"{space}UploadId")
    if not upload:
        raise KeyError("UploadId")
    return {"UploadId": upload}


def _listed(page: bytes) -> dict[str, Any]:
    root, space = _root(page, "ListBucketResult")
    is_quoted = root.findtext(f"{space}EncodingType") == "url"
    key, size, etag, modified = (f"{space}{word}" for word in ("Key", "Size", "ETag", "LastModified"))
    contents = []
    for one in root.iterfind(f"{space}Contents"):
        told = {child.tag: child.text or "" for child in one}
        contents.append(
            {
                "Key": unquote_plus(told[key]) if is_quoted else told[key],
                "Size": int(told[size]),
                "ETag": told.get(etag),
                "LastModified": datetime.fromisoformat(told[modified]) if modified in told else None,
            }
        )
    return {
        "Contents": contents,
        "IsTruncated": root.findtext(f"{space}IsTruncated") == "true",
        "NextContinuationToken": root.findtext(f"{space}NextContinuationToken") or "",
    }

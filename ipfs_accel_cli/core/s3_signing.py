"""Signing requests to S3 (Signature Version 4), with the key of the day derived once and not for every request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

# The body is bound by its checksum, which is a signed header, and so need not be hashed once more for the signature.
UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_ALGORITHM, _SERVICE, _END = "AWS4-HMAC-SHA256", "s3", "aws4_request"


class Login(Protocol):
    """Credentials at one moment, as botocore gives them."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def token(self) -> str | None: ...


@dataclass(slots=True)
class Signer:
    """Signs for one region; `login` is asked each time, since logins of machines are renewed."""

    region: str
    login: Callable[[], Login]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _derived: tuple[tuple[str, str], bytes] | None = field(default=None, repr=False)

    def signed(
        self, method: str, host: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """Return the query as it is to be sent, and the headers with those that sign them; `path` is quoted already.

        The names of the headers must be in small letters. The specification is "Signature Calculations for the
        Authorization Header" in the S3 API reference of AWS.
        """
        login, moment = self.login(), self.clock().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        day = moment[:8]
        sent = {**headers, "x-amz-content-sha256": UNSIGNED_BODY, "x-amz-date": moment}
        if login.token:
            sent["x-amz-security-token"] = login.token
        text = "&".join(f"{name}={value}" for name, value in sorted((quoted(one), quoted(query[one])) for one in query))
        named = sorted([*sent.items(), ("host", host)])
        names = ";".join(name for name, _ in named)
        lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in named)
        asked = f"{method}\n{path}\n{text}\n{lines}\n{names}\n{UNSIGNED_BODY}"
        scope = f"{day}/{self.region}/{_SERVICE}/{_END}"
        signing = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
        signature = hmac.digest(self._key(login.secret_key, day), signing.encode(), "sha256").hex()
        sent["authorization"] = (
            f"{_ALGORITHM} Credential={login.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return text, sent

    def _key(self, secret: str, day: str) -> bytes:
        known = self._derived
        if known is None or known[0] != (secret, day):
            key = f"AWS4{secret}".encode()
            for word in (day, self.region, _SERVICE, _END):
                key = hmac.digest(key, word.encode(), "sha256")
            known = self._derived = ((secret, day), key)
        return known[1]


def quoted(text: str, *, slashes: bool = False) -> str:
    """Write a text as a part of an address, as S3 wants it signed."""
    return quote(text, safe="/-_.~" if slashes else "-_.~")

"""A server to ask: where it is, with which key, and what its answers mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound, RemoteFailed
from ipfs_accel_cli.core.http import refuse
from ipfs_accel_cli.engines.openai.wire import message, parsed

if TYPE_CHECKING:
    import httpx

_SAID_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Server:
    """`url` ends before `/models`; the key is sent to it and to nothing else, and never shown."""

    name: str
    url: str
    model: str = ""
    key: str = field(default="", repr=False)
    of_llama_cpp: bool = False
    pooling: str = "the server's"

    @property
    def advice(self) -> str | None:
        """The command that shows where it is thought to be; None for a server of our own."""
        kind, _, name = self.name.partition(" ")
        return f"ipfs-accel infer endpoint show {name}" if kind == "endpoint" else None

    def address(self, path: str) -> str:
        """Return where to ask for something."""
        return f"{self.url}/{path}"

    def headers(self) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def hidden(self, text: str) -> str:
        """Return a text of the server's without the key, which some servers repeat."""
        return text.replace(self.key, "…") if self.key else text

    def check(self, response: httpx.Response, body: bytes) -> None:
        """Raise what a status means, in the server's words; a redirect is not followed, for the key's sake."""
        status = response.status_code
        if status < 300:
            return
        if status < 400:
            raise RemoteFailed(
                f"{self.name} redirects elsewhere; no key is sent there. Add the endpoint with its final address"
            )
        said = self._said(body)
        if status in (400, 413, 422):
            raise Invalid(f"{self.name} refuses what was asked: {said}", http_status=status)
        if status in (404, 405, 501):
            where = response.request.url.path
            raise NotFound(f"{self.name} has no {where} or not this model: {said}", http_status=status)
        try:
            refuse(response, self.name)
        except AccelError as error:
            error.detail = f"{error.detail} ({said})"
            error.args = (error.detail,)
            raise

    def _said(self, body: bytes) -> str:
        text = body[:_SAID_BYTES].decode("utf-8", "replace")
        try:
            return message(parsed(text, self.name), self.hidden)
        except RemoteFailed:
            page = not text or text.lstrip().startswith("<")
            return "it does not say why" if page else message(text, self.hidden)

"""Bringing one blob: the service allots it an address, takes the bytes there, and says when it has accepted them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ipfs_accel_cli.backends.storacha.service import Service
from ipfs_accel_cli.backends.storacha.shards import Spool
from ipfs_accel_cli.content import principal, ucanto
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.principal import Signer
from ipfs_accel_cli.content.ucan import Token
from ipfs_accel_cli.content.ucanto import Answer, Receipt
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import RemoteFailed, Unavailable
from ipfs_accel_cli.core.http import client, explained, refuse
from ipfs_accel_cli.core.retry import patiently

# Each task by its names: that of today, and that of spaces whose provider is web3.storage.
_ALLOCATE = ("blob/allocate", "web3.storage/blob/allocate")
_ACCEPT = ("blob/accept", "web3.storage/blob/accept")
_PUT = ("http/put",)


def keep(service: Service, spool: Spool, what: str) -> None:
    """Store a blob in the space; one that is there already is not sent again.

    Raises as `Service.ask` does, and TryAgain where the service does not accept it in time.
    """
    blob = {"digest": spool.digest.encode(), "size": spool.size_bytes}
    _, receipt, answer = service.ask("space/blob/add", {"blob": blob})
    tasks = _tasks(receipt, answer)
    allotted = answer.receipt(_named(tasks, _ALLOCATE, what)[0])
    if allotted is None:
        raise RemoteFailed(f"{what}: the service allots no address")
    address = service.outcome(allotted, f"{what} (blob/allocate)").get("address")
    put, task = _named(tasks, _PUT, what)
    delivered = answer.receipt(put)
    if delivered is None or delivered.ok is None:
        if address:
            patiently(lambda: _send(address, spool, service.endpoints.used, what))
        _conclude(service, put, _blob_signer(task, what), what)
    accept = _named(tasks, _ACCEPT, what)[0]
    accepted = answer.receipt(accept) or service.awaited(accept, f"{what} (blob/accept)")
    service.outcome(accepted, f"{what} (blob/accept)")


def _tasks(receipt: Receipt, answer: Answer) -> dict[str, tuple[CID, Token]]:
    """Return what the service will do about the blob, by capability."""
    found: dict[str, tuple[CID, Token]] = {}
    for cid in receipt.forks:
        token = answer.invocation(cid)
        if token is not None and token.capabilities:
            found.setdefault(token.capabilities[0].can, (cid, token))
    return found


def _named(tasks: Mapping[str, tuple[CID, Token]], names: tuple[str, ...], what: str) -> tuple[CID, Token]:
    for name in names:
        if name in tasks:
            return tasks[name]
    raise RemoteFailed(f"{what}: the service's answer does not speak of {names[0]}")


def _send(address: Any, spool: Spool, service_url: str, what: str) -> None:
    """Send the bytes to the address that was allotted."""
    url, headers = address.get("url"), address.get("headers", {})
    if not isinstance(url, str) or not isinstance(headers, dict):
        raise RemoteFailed(f"{what}: the address that the service allots makes no sense")
    parts = urlsplit(url)
    if parts.scheme != "https" and urlsplit(service_url).scheme == "https":
        raise Unavailable(f"{what}: the service wants the bytes sent to {parts.hostname} without encryption")
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    given["content-length"] = str(spool.size_bytes)  # Else they would go in chunks, which stores refuse.
    with explained(what), client(guarded=True, passwords=False) as opened:
        response = opened.put(url, content=_told(spool, what), headers=given, follow_redirects=False)
        refuse(response, what)
        if response.status_code >= 300:
            raise Unavailable(f"{what}: {parts.hostname} answers {response.status_code} to the bytes")


def _told(spool: Spool, what: str) -> Iterator[bytes]:
    sent = 0
    for piece in spool.pieces():
        yield piece
        sent += len(piece)
        current().progress(sent, spool.size_bytes, what, unit="bytes")


def _blob_signer(task: Token, what: str) -> Signer:
    """Return the key with which anyone who has the bytes says that they were sent; it comes with the task."""
    try:
        keys = task.facts[0]["keys"]
        signer = principal.decode_key(keys["keys"][keys["id"]])
    except (ContentError, IndexError, KeyError, TypeError) as error:
        raise RemoteFailed(f"{what}: the service's answer holds no key for http/put") from error
    if signer.did != task.issuer:
        raise RemoteFailed(f"{what}: the key that the service's answer holds for http/put is another's")
    return signer


def _conclude(service: Service, put: CID, signer: Signer, what: str) -> None:
    """Tell the service that the bytes are there."""
    current().progress(0, None, f"{what}: telling the service")
    receipt = ucanto.receipt_block(signer, put, {})
    service.ask_as_self("ucan/conclude", {"receipt": receipt.cid}, [receipt])

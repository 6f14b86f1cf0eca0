"""Invocations: asking the service to do something in the space, and what its receipts say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.backends.storacha import login
from ipfs_accel_cli.backends.storacha.endpoints import Endpoints, Reply, exchange
from ipfs_accel_cli.backends.storacha.login import Login
from ipfs_accel_cli.backends.storacha.refusals import refused
from ipfs_accel_cli.content import ucan, ucanto
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.ucan import Capability, Token
from ipfs_accel_cli.content.ucanto import Answer, Receipt
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, TryAgain, Unavailable, VerificationFailed

URL, DID = "https://up.storacha.network", "did:web:up.storacha.network"
_VALID_SECONDS = 600  # Of an invocation: long enough for clocks that differ a little.
_POLLS = 9  # With twice the wait after each, a little over a minute.


@dataclass(frozen=True, slots=True)
class Service:
    """The service as one login sees it."""

    did: str
    endpoints: Endpoints
    login: Login

    def ask(self, can: str, conditions: Mapping[str, Any]) -> tuple[Any, Receipt, Answer]:
        """Invoke a capability of the space; return what came of it, its receipt, and the message it came in.

        Raises NotAuthorised, NotFound, LimitReached, TryAgain, Unavailable, RemoteFailed, VerificationFailed, Offline.
        """
        self.login.require(can)
        return self._run(Capability(can, self.login.space, conditions), self.login.proofs, (), self.login.blocks)

    def ask_as_self(self, can: str, conditions: Mapping[str, Any], enclosed: Sequence[Block] = ()) -> Any:
        """Invoke what needs nobody's leave: something about the agent itself, with blocks that it links to."""
        right = Capability(can, self.login.signer.did, conditions)
        facts = [{str(number): block.cid for number, block in enumerate(enclosed)}] if enclosed else []
        return self._run(right, (), facts, enclosed)[0]

    def awaited(self, ran: CID, what: str) -> Receipt:
        """Return the receipt of something that goes on at the service; raises TryAgain where it takes too long."""
        current().needs_network(what)
        failures = 0
        while True:
            found = retry.patiently(lambda: self.endpoints.ask(lambda url: self._receipt(url, ran, what)))
            if found is not None:
                return found
            failures += 1
            error = TryAgain(f"{what}: the service has not done it yet")
            if failures >= _POLLS:
                raise error
            retry.pause(failures, error)

    def _run(
        self, right: Capability, proofs: Sequence[CID], facts: Sequence[Any], enclosed: Sequence[Block]
    ) -> tuple[Any, Receipt, Answer]:
        current().needs_network(right.can)
        failures = 0
        while True:
            nonce, until = os.urandom(12).hex(), int(login.now()) + _VALID_SECONDS
            token = ucan.issue(
                self.login.signer, self.did, [right], expires=until, proofs=proofs, nonce=nonce, facts=facts
            )
            receipt, answer, reply = self._carried_out(token, enclosed)
            try:
                return self.outcome(receipt, right.can, reply), receipt, answer
            except TryAgain as error:
                failures += 1
                if failures >= retry.MAX_ATTEMPTS:
                    raise
                retry.pause(failures, error)

    def _carried_out(self, token: Token, enclosed: Sequence[Block]) -> tuple[Receipt, Answer, Reply]:
        """Send an invocation patiently: what was done at a try whose answer was lost is not done again at the next."""
        cid, body = token.block().cid, ucanto.request([token], enclosed)

        def once(url: str) -> tuple[Receipt, Answer, Reply]:
            what = f"{token.capabilities[0].can} at {url}"
            try:
                reply = exchange("POST", f"{url}/", what, body, ucanto.MEDIA_TYPE)
            except NotFound as error:  # That the service is not there does not mean that what is asked for is not.
                raise Unavailable(f"{error.detail}: this is not the address of the service") from error
            answer = _read(reply, url)
            receipt = answer.receipt(cid)
            if receipt is None:
                raise Unavailable(f"{what}: the answer holds no receipt of it")
            return receipt, answer, reply

        return retry.patiently(lambda: self.endpoints.ask(once))

    def outcome(self, receipt: Receipt, what: str, reply: Reply | None = None) -> Any:
        """Return what a receipt says came of it; raises what an error in it means."""
        if receipt.signed is False:
            raise VerificationFailed(f"{what}: {receipt.issuer} did not sign the receipt in its name")
        if receipt.ok is None:
            raise refused(what, receipt.error, self.login, reply.date if reply else None, login.now())
        return receipt.ok

    def _receipt(self, url: str, ran: CID, what: str) -> Receipt | None:
        try:
            reply = exchange("GET", f"{url}/receipt/{ran}", what)
        except NotFound:
            return None
        return _read(reply, url).receipt(ran)


def _read(reply: Reply, url: str) -> Answer:
    try:
        return ucanto.read(reply.data)
    except ContentError as error:
        raise Unavailable(f"{url} does not answer as Storacha's service does: {error}") from error

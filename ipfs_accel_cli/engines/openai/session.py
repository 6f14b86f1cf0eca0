"""A session whose model runs in a server: requests go out side by side, what comes back is handed on step by step."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import numpy

from ipfs_accel_cli.core.errors import AccelError, Invalid, RemoteFailed, TryAgain, Unavailable
from ipfs_accel_cli.core.http import CONNECT_SECONDS, explained
from ipfs_accel_cli.core.retry import MAX_ATTEMPTS, wait_seconds
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Pairs, Piece, Scores, Texts, Vectors
from ipfs_accel_cli.engines.openai import wire
from ipfs_accel_cli.engines.openai.server import Server

_LOOK_SECONDS = 0.05
_CLOSE_SECONDS = 5.0
_LONGEST_LINE = 1 << 20


class ServerSession:
    """Requests to one server. Its loop runs in a thread of its own; the owner's thread only hands in and takes out."""

    def __init__(
        self,
        server: Server,
        task: str,
        trusted: ssl.SSLContext | bool,
        read_seconds: float,
        closing: Callable[[], None] = lambda: None,
        check: Callable[[Request], None] | None = None,
    ) -> None:
        self._server, self._task, self._closing, self._check = server, task, closing, check
        self._arrived: queue.SimpleQueue[tuple[RequestId, Chunk]] = queue.SimpleQueue()
        self._running: dict[RequestId, Future[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            headers=server.headers(),
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
            verify=trusted,
            follow_redirects=False,
            # A server of our own is never behind a proxy.
            trust_env=not server.of_llama_cpp,
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"requests to {server.name}", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Send a request; raises Invalid for one that the server could not be asked."""
        if self._loop.is_closed():
            raise Invalid(f"{self._server.name} was closed")
        work = self._work(request)
        if self._check is not None:
            self._check(request)
        self._running[request.id] = asyncio.run_coroutine_threadsafe(self._guarded(request.id, work), self._loop)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Hand on what came, waiting a moment for it; for a request of which nothing came, a chunk without data."""
        if not self._running:
            return []
        found: list[tuple[RequestId, Chunk]] = []
        try:
            found.append(self._arrived.get(timeout=_LOOK_SECONDS))
            while True:
                found.append(self._arrived.get_nowait())
        except queue.Empty:
            pass
        found = [one for one in found if one[0] in self._running]
        silent = set(self._running) - {request for request, _ in found}
        for request, chunk in found:
            if chunk.finished:
                self._running.pop(request, None)
        return [*found, *((request, Chunk(None)) for request in silent)]

    def abort(self, request: RequestId) -> None:
        """Close the connection of a request: the server stops too."""
        future = self._running.pop(request, None)
        if future is not None:
            future.cancel()

    def close(self) -> None:
        """Close all connections."""
        if self._loop.is_closed():
            return
        for request in list(self._running):
            self.abort(request)
        try:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_CLOSE_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_SECONDS)
            if not self._loop.is_running():
                self._loop.close()
            self._closing()

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()
        await self._loop.shutdown_asyncgens()

    def _work(self, request: Request) -> Callable[[], Awaitable[None]]:
        options, payload = request.options, request.payload
        if self._task == "generate" and isinstance(options, GenerateOptions):
            path, body = wire.writing(request, self._server.model, of_llama_cpp=self._server.of_llama_cpp)
            return lambda: self._write(request.id, path, body, options)
        if self._task == "embed" and isinstance(options, EmbedOptions) and isinstance(payload, Texts):
            return lambda: self._embed(request.id, payload.texts, options.batch)
        if self._task == "rerank" and isinstance(options, EmbedOptions) and isinstance(payload, Pairs):
            return lambda: self._rank(request.id, payload.pairs)
        raise Invalid(f"{self._server.name} was opened to {self._task}, not to {request.kind}")

    async def _guarded(self, request: RequestId, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work; what goes wrong ends this request and no other."""
        try:
            await work()
        except AccelError as error:
            self._arrived.put((request, Chunk(error, finished=True)))
        except Exception as error:
            failed = Unavailable(f"asking {self._server.name} failed: {type(error).__name__}")
            failed.__cause__ = error
            self._arrived.put((request, Chunk(failed, finished=True)))

    async def _write(self, request: RequestId, path: str, body: dict[str, Any], options: GenerateOptions) -> None:
        failures = 0
        while True:
            began, text = False, ""
            try:
                async with aclosing(self._pieces(path, body)) as pieces:
                    async for piece in pieces:
                        began, text = began or bool(piece.text), text + piece.text
                        if options.schema and piece.finish_reason == "stop":
                            wire.check_schema(text, options.schema, self._server.name)
                        self._arrived.put((request, Chunk(piece, finished=piece.finish_reason is not None)))
                return
            except TryAgain as error:
                failures += 1
                # Text that somebody has read cannot be taken back.
                if began or failures >= MAX_ATTEMPTS:
                    raise
                await asyncio.sleep(wait_seconds(failures, error))

    async def _pieces(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Piece, None]:
        name, counted, prompt_tokens, reason = self._server.name, 0, 0, None
        async with self._asked(path, body) as response, aclosing(_lines(response)) as lines:
            async for line in lines:
                event = line.removeprefix("data:").strip()
                if not line.startswith("data:") or not event:
                    continue
                if event == "[DONE]":
                    break
                part = wire.part(event, name, self._server.hidden)
                counted = part.tokens if part.tokens is not None else counted + bool(part.text)
                prompt_tokens = part.prompt_tokens if part.prompt_tokens is not None else prompt_tokens
                reason = part.finish_reason or reason
                if part.text:
                    yield Piece(part.text, counted, prompt_tokens)
        if reason is None:
            raise TryAgain(f"{name} broke off after {counted} tokens")
        yield Piece("", counted, prompt_tokens, reason)

    async def _embed(self, request: RequestId, texts: tuple[str, ...], batch: int) -> None:
        for start in range(0, len(texts), batch):
            asked = list(texts[start : start + batch])
            body = {"model": self._server.model, "input": asked, "encoding_format": "float"}
            rows, tokens = wire.vectors(await self._whole("embeddings", body), len(asked), self._server.name)
            positions = tuple(range(start, start + len(asked)))
            data = Vectors(positions, numpy.asarray(rows, dtype=numpy.float32), self._server.pooling, tokens=tokens)
            self._arrived.put((request, Chunk(data, finished=start + batch >= len(texts))))

    async def _rank(self, request: RequestId, pairs: tuple[tuple[str, str], ...]) -> None:
        queries = wire.grouped(pairs)
        for number, (query, places) in enumerate(queries, 1):
            documents = [pairs[place][1] for place in places]
            body = {"model": self._server.model, "query": query, "documents": documents}
            scores = wire.relevances(await self._whole("rerank", body), len(documents), self._server.name)
            rows = numpy.asarray(scores, dtype=numpy.float32)[:, None]
            data = Scores(tuple(places), rows, ("relevance",))
            self._arrived.put((request, Chunk(data, finished=number == len(queries))))

    async def _whole(self, path: str, body: dict[str, Any]) -> str:
        failures = 0
        while True:
            try:
                async with self._asked(path, body) as response:
                    return (await _read(response, self._server.name)).decode("utf-8", "replace")
            except TryAgain as error:
                failures += 1
                if failures >= MAX_ATTEMPTS:
                    raise
                await asyncio.sleep(wait_seconds(failures, error))

    @asynccontextmanager
    async def _asked(self, path: str, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        with explained(self._server.name, self._server.advice):
            async with self._client.stream("POST", self._server.address(path), json=body) as response:
                if response.status_code >= 300:
                    self._server.check(response, await _read(response, self._server.name))
                yield response


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield the lines of a stream; raises RemoteFailed for one without end."""
    held, total = b"", 0
    async with aclosing(response.aiter_bytes()) as blocks:  # type: ignore[type-var]
        async for block in blocks:
            total += len(block)
            held += block
            if len(held) > _LONGEST_LINE or total > wire.LARGEST_BYTES:
                raise RemoteFailed("the server writes without an end")
            *lines, held = held.split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace").rstrip("\r")
    if held:
        yield held.decode("utf-8", "replace")


async def _read(response: httpx.Response, name: str) -> bytes:
    """Read a whole answer; raises RemoteFailed for one without end."""
    held = bytearray()
    async for block in response.aiter_bytes():
        held += block
        if len(held) > wire.LARGEST_BYTES:
            raise RemoteFailed(f"{name} answers with more than {wire.LARGEST_BYTES >> 20} MiB")
    return bytes(held)

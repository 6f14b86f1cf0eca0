"""What becomes of requests to a server that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipfs_accel_cli.core.errors import (
    AccelError,
    Invalid,
    NotAuthorised,
    RemoteFailed,
    TryAgain,
)
from ipfs_accel_cli.core.secrets import checked
from ipfs_accel_cli.engines.base import Chunk, Request, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Piece, Prompt, Texts
from ipfs_accel_cli.engines.openai.server import Server
from ipfs_accel_cli.engines.openai.session import ServerSession
from ipfs_accel_cli.engines.remote.record import checked_url
from ipfs_accel_cli.tasks.generate import Generate
from tests.servers.openai_faults import KEY, Faults, faulty


@pytest.fixture
def server() -> Iterator[Faults]:
    with faulty() as found:
        yield found


def opened(server: Faults, task: str = "generate") -> Session:
    return ServerSession(Server("endpoint lab", server.url, "m", KEY), task, False, 5.0)


def asked(server: Faults, mode: str, request: Request | None = None, task: str = "generate") -> list[Chunk]:
    server.mode = mode
    session = opened(server, task)
    try:
        request = request or Generate().prepare(Prompt("Say"), GenerateOptions(max_tokens=4))
        session.submit(request)
        found: list[Chunk] = []
        while moved := session.step():
            found.extend(chunk for _, chunk in moved if chunk.data is not None)
        return found
    finally:
        session.close()


def failed(chunks: list[Chunk]) -> AccelError:
    assert chunks[-1].finished
    assert isinstance(chunks[-1].data, AccelError)
    assert KEY not in repr(chunks[-1].data.problem())
    assert KEY not in repr(chunks)
    return chunks[-1].data


def test_text_comes_piece_by_piece_with_the_key_and_a_bound(server: Faults) -> None:
    pieces = [chunk.data for chunk in asked(server, "well")]
    assert [piece.text for piece in pieces if isinstance(piece, Piece)] == ["Hel", "lo", ""]
    assert Generate().collect(asked(server, "well")).finish_reason == "stop"
    path, headers, body = server.seen[0]
    assert path == "/v1/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (body["max_tokens"], body["prompt"], body["model"]) == (4, "Say", "m")


@pytest.mark.parametrize("mode", ["busy", "cut_once"])
def test_a_server_that_is_busy_or_cuts_before_any_text_is_asked_again(server: Faults, mode: str) -> None:
    assert Generate().collect(asked(server, mode)).text == "Hello"


def test_a_stream_that_breaks_off_is_never_taken_for_a_whole_answer(server: Faults) -> None:
    chunks = asked(server, "cut")
    assert isinstance(failed(chunks), TryAgain)
    assert len(server.seen) == 1  # its beginning was read already


def test_a_server_that_asks_to_wait_an_hour_is_not_waited_for(server: Faults) -> None:
    error = failed(asked(server, "busy_for_ever"))
    assert isinstance(error, TryAgain)
    assert error.context["retry_after_s"] == 3600


def test_what_is_no_json_is_the_servers_fault(server: Faults) -> None:
    assert isinstance(failed(asked(server, "nonsense")), RemoteFailed)


def test_a_key_that_comes_back_within_a_stream_is_not_shown(server: Faults) -> None:
    assert "bad key" in failed(asked(server, "echo_late")).detail


def test_no_part_of_a_key_is_left_where_a_long_message_is_cut(server: Faults) -> None:
    assert KEY[:4] not in failed(asked(server, "echo_at_the_cut")).detail


def test_a_page_instead_of_an_answer_is_not_shown(server: Faults) -> None:
    assert "<html" not in failed(asked(server, "page")).detail


def test_a_key_that_the_server_repeats_is_not_shown(server: Faults) -> None:
    error = failed(asked(server, "echo"))
    assert isinstance(error, NotAuthorised)
    assert "bad key" in error.detail


def test_a_redirect_gets_no_key(server: Faults) -> None:
    assert "redirects" in failed(asked(server, "redirect")).detail
    assert len(server.seen) == 1


def test_fewer_vectors_than_texts_are_refused(server: Faults) -> None:
    request = Request("embed", Texts(("a", "b")), EmbedOptions())
    assert "1 embeddings for 2 texts" in failed(asked(server, "short", request, "embed")).detail


def test_an_aborted_request_closes_its_connection_and_harms_no_other(server: Faults) -> None:
    server.mode = "endless"
    session = opened(server)
    drop = Generate().prepare(Prompt("Say"), GenerateOptions())
    session.submit(drop)
    while all(chunk.data is None for _, chunk in session.step()):
        pass
    session.abort(drop.id)
    assert server.gone.wait(5)
    server.mode = "well"
    keep = Generate().prepare(Prompt("Say"), GenerateOptions())
    session.submit(keep)
    found = []
    while moved := session.step():
        found.extend(moved)
    assert {request for request, _ in found} == {keep.id}
    session.close()


def test_a_failed_request_fails_no_other(server: Faults) -> None:
    server.mode = "cut"
    session = opened(server)
    bad, good = (Generate().prepare(Prompt("Say"), GenerateOptions()) for _ in range(2))
    session.submit(bad)
    while not any(isinstance(chunk.data, AccelError) for _, chunk in session.step()):
        pass
    server.mode = "well"
    session.submit(good)
    while not any(chunk.finished and isinstance(chunk.data, Piece) for _, chunk in session.step()):
        pass
    session.close()


@pytest.mark.parametrize(
    ("url", "insecure"),
    [
        ("http://example.org/v1", False),
        ("ftp://example.org", True),
        ("https://", False),
        ("https://user:pass@example.org/v1", False),
        ("https://example.org/v1?key=1", False),
        ("https://example.org:port/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
def test_an_address_that_a_key_must_not_go_to_is_refused(url: str, *, insecure: bool) -> None:
    with pytest.raises(Invalid):
        checked_url(url, insecure=insecure)


def test_loopback_needs_no_https_and_v1_is_understood() -> None:
    assert checked_url("http://127.0.0.1:8080", insecure=False) == "http://127.0.0.1:8080/v1"
    assert checked_url("http://[::1]:8080/api/v1/", insecure=False) == "http://[::1]:8080/api/v1"
    assert checked_url("http://lab:1/v1", insecure=True) == "http://lab:1/v1"


@pytest.mark.parametrize("key", ["", "  \n", "two words", "a\nb", "schl\u00fcssel"])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(key)
    assert not key.strip() or key.strip() not in str(caught.value)

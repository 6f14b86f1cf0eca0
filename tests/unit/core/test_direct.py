from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest

from ipfs_accel_cli.core.bodies import reading
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.direct import DirectTransport
from ipfs_accel_cli.core.errors import NotAuthorised, TryAgain, Unavailable
from ipfs_accel_cli.core.http import client, explained
from tests.servers.serving import Faults, Handler, Site, serving

DATA = bytes(range(256)) * 4000


class Echo(Site):
    """Sends `DATA`, or on to elsewhere; `peers` holds the ports that requests came from."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[int] = []
        self.moved = ""

    def answer(self, handler: Handler) -> None:
        self.peers.append(handler.client_address[1])
        if self.moved:
            return handler.reply(302, b"", {"Location": self.moved})
        return handler.send_file("data", DATA, {"X-Seen": handler.headers.get("host", "")})


@pytest.fixture
def site() -> Iterator[Echo]:
    served = Echo()
    with serving(served):
        yield served


@pytest.mark.parametrize(
    "faults", [Faults(), Faults(chunked=True), Faults(unbounded=True)], ids=["length", "chunks", "end"]
)
@pytest.mark.parametrize("direct", [True, False])
def test_a_body_comes_in_any_sizes_however_it_is_framed(site: Echo, faults: Faults, direct: bool) -> None:
    site.faults = faults
    with client(direct=direct) as opened, opened.stream("GET", f"{site.url}/a?b=c") as response:
        assert response.headers["x-seen"] == site.url.removeprefix("http://")
        reader, sizes = reading(response), itertools.cycle([1, 7, 70_000, 3])
        got = list(itertools.takewhile(len, (reader.read(size) for size in sizes)))
    assert b"".join(got) == DATA
    assert [len(data) for data in got[:4]] == [1, 7, 70_000, 3]
    assert reader.ended
    assert site.log == ["GET /a?b=c"]


def test_a_connection_is_used_again_once_its_answer_was_read_and_not_before(site: Echo) -> None:
    with client(direct=True) as opened:
        for _ in range(3):
            assert opened.get(site.url).content == DATA
        assert opened.head(site.url).headers["content-length"] == str(len(DATA))
        assert len(set(site.peers)) == 1
        with opened.stream("GET", site.url):
            pass
        assert opened.get(site.url).content == DATA
    assert len(set(site.peers)) == 2


@pytest.mark.parametrize("faults", [{"cuts": 1}, {"stalls": 1}, {"lie_bytes": 9}], ids=str)
@pytest.mark.parametrize("whole", [True, False])
def test_what_goes_wrong_is_worth_another_try(site: Echo, faults: dict[str, int], whole: bool) -> None:
    site.faults = Faults(**faults)  # type: ignore[arg-type]
    with (
        using(Call(read_seconds=0.3)),
        client(direct=True) as opened,
        pytest.raises(TryAgain),
        explained("it"),
        opened.stream("GET", site.url) as response,
    ):
        _ = response.read() if whole else reading(response).read(1 << 30)


def test_nobody_there_and_no_protocol_are_unavailable() -> None:
    for url in ("http://127.0.0.1:1", "ftp://127.0.0.1"):
        with client(direct=True) as opened, pytest.raises(Unavailable), explained("it"):
            opened.get(url)


def test_the_checks_of_other_callers_are_not_passed_by(site: Echo) -> None:
    with using(Call(folders=())), client(guarded=True, direct=True) as opened, pytest.raises(NotAuthorised):
        opened.get(site.url)
    with DirectTransport(None) as transport:
        answer = transport.handle_request(httpx.Request("GET", site.url))
        assert answer.extensions["network_stream"].get_extra_info("server_addr")[0] == "127.0.0.1"
        answer.close()

"""Connections without a client between: kept open, given up when they are dead, and nothing half is taken for whole."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotAuthorised, Offline, TryAgain, Unavailable
from ipfs_accel_cli.core.lines import Lines, get
from tests.servers.serving import Handler, Site, serving


class Echo(Site):
    """Answers with what it was sent; `closes` hangs up after each answer without having said so."""

    closes = False
    drops = False  # Whether it hangs up in place of an answer where a connection is used again.

    def answer(self, handler: Handler) -> None:
        self.log[-1] += f" {handler.client_address[1]}"
        data = handler.body()
        if self.drops and self.log[-2:-1] and self.log[-2].endswith(f" {handler.client_address[1]}"):
            handler.close_connection = True
            return None
        if self.faults.cuts:
            return handler.send_file("one", b"x" * 5000)
        closes = self.closes  # Before the answer: who has that may ask for the next to be closed.
        handler.reply(200, data or b"nothing", {"X-Case": "Kept"})
        handler.close_connection = closes
        return None


@pytest.fixture
def site() -> Iterator[Echo]:
    echo = Echo()
    with serving(echo):
        yield echo


def sent(lines: Lines, site: Echo, data: bytes, limit: int = 1000) -> bytes:
    headers = [("content-length", str(len(data)))]
    answer = lines.send("PUT", f"{site.url}/one?a=b", headers, [data[:3], memoryview(data)[3:]], "one", limit)
    assert (answer.status, answer.headers["x-case"]) == (200, "Kept")
    return b"".join(answer.pieces)


def test_a_line_is_used_again_and_another_taken_when_it_is_dead(site: Echo) -> None:
    lines = Lines(None)
    assert [sent(lines, site, b"first"), sent(lines, site, b"second")] == [b"first", b"second"]
    site.closes = True
    assert sent(lines, site, b"third") == b"third"
    lines_open = next(iter(lines._idle.values()))
    lines_open[0][0].sock.settimeout(5)
    while lines_open[0][0].sock.recv(1) != b"":  # Until the server's end of it has come.
        pass
    assert sent(lines, site, b"fourth") == b"fourth"
    lines.close()

    ports = [line.rpartition(" ")[2] for line in site.log]
    assert ports[0] == ports[1] == ports[2] != ports[3]


def test_what_changes_nothing_is_asked_again_where_the_server_hangs_up_on_a_line_that_waited(site: Echo) -> None:
    site.drops = True
    lines = Lines(None)
    for _ in range(2):
        answer = lines.send("GET", f"{site.url}/one", [], [], "one", 1000)
        assert b"".join(answer.pieces) == b"nothing"
    assert len(site.log) == 3
    with pytest.raises(TryAgain, match="broke"):
        sent(lines, site, b"not twice")
    assert len(site.log) == 4
    lines.close()


def test_an_answer_that_is_too_long_or_breaks_off_is_none(site: Echo) -> None:
    lines = Lines(None)
    with pytest.raises(Unavailable, match="more than 4 bytes"):
        sent(lines, site, b"12345", limit=4)
    site.faults.cuts = 2
    with pytest.raises(TryAgain, match="4000 bytes are missing"):
        lines.send("GET", f"{site.url}/one", [], [], "one", 10_000)
    got = b""
    with pytest.raises(TryAgain, match="4000 bytes are missing"), get(f"{site.url}/one", {}, "one") as answer:
        for piece in answer.pieces:
            got += piece
    assert got == b"x" * 1000


def test_who_is_not_there_is_unavailable_and_strangers_and_the_offline_get_nowhere(site: Echo) -> None:
    with pytest.raises(Unavailable, match="cannot reach"), get("http://127.0.0.1:9/one", {}, "one"):
        pass
    with using(Call(folders=())), pytest.raises(NotAuthorised), get(f"{site.url}/one", {}, "one"):
        pass
    with using(Call(offline=True)), pytest.raises(Offline), get(f"{site.url}/one", {}, "one"):
        pass
    assert site.log == []


def test_only_a_server_whose_certificate_is_trusted_is_spoken_to(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"site": Echo()}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/one"
    try:
        with get(url, {}, "one", certificates=str(certificate)) as answer:
            assert b"".join(answer.pieces) == b"nothing"
        with pytest.raises(Unavailable, match="certificate"), get(url, {}, "one"):
            pass
    finally:
        server.shutdown()
        server.server_close()


def self_signed(folder: Path) -> Path:
    """Write a key and a certificate of this machine's address into one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path

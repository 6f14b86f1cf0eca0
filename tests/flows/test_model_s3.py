"""Models from buckets of a real S3 server: what a user meets beside the conformance suite."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core import http, retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    Offline,
    Unavailable,
    UnsupportedContent,
)
from ipfs_accel_cli.sources import s3 as s3_source
from ipfs_accel_cli.sources.reference import parse
from tests.servers.s3 import S3Site, s3
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.servers.tiny_model import lay_out, safetensors, tiny_model
from tests.servers.web import web

LEAF = PROFILES["unixfs-v1-2025"].chunk_bytes
LARGE = tiny_model(weights=LEAF)


@pytest.fixture
def site(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Site]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    with s3(seaweed) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def tiny(site: S3Site) -> str:
    """The reference of a model that the site holds."""
    site.upload(tiny_model())
    return f"s3://models/{site.prefix}/tiny"


def test_one_content_address_whatever_the_files_came_by(node: Node, site: S3Site, tiny: str, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "tiny", tiny_model())
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        for path, data in tiny_model().items():
            archive.writestr(path, data)
    site.upload({"tiny.zip": (tmp_path / "tiny.zip").read_bytes()}, folder="")
    with web(tmp_path) as server:
        references = [tiny, f"{tiny}.zip", f"{server.url}/tiny.zip", f"file:{folder}"]
        manifests = {}
        for number, reference in enumerate(references):
            with Node(tmp_path / f"home-{number}") as other:
                manifests[reference] = other.models.pull(reference).manifest_cid

    assert len(set(manifests.values())) == 1, manifests


def test_a_killed_pull_goes_on_with_the_bytes_that_are_missing(site: S3Site, cli: Callable[..., Any]) -> None:
    site.upload(LARGE)
    reference = f"s3://models/{site.prefix}/tiny"
    site.faults.hold = threading.Event()
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "pull", reference, "--include", "*.safetensors"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert site.held.wait(60)
    half = len(LARGE["model.safetensors"]) // 2
    partial = Path(os.environ["IPFS_ACCEL_HOME"]) / "partial"
    while not any(path.stat().st_size >= half for path in partial.rglob("model.safetensors")):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    site.faults.hold.set()
    site.faults.hold = None
    site.log.clear()

    again = cli("model", "pull", reference, "--include", "*.safetensors", "--json")

    assert (again.status, again.json["fetched_bytes"]) == (0, len(LARGE["model.safetensors"]) - half)
    assert site.ranges("model.safetensors") == [f"bytes={half}-"]


def test_pulling_again_only_lists_and_a_changed_object_is_a_new_version(node: Node, site: S3Site, tiny: str) -> None:
    node.models.pull(tiny)
    site.log.clear()

    assert node.models.pull(tiny).fetched_bytes == 0
    assert [line.split("?")[0] for line in site.log] == [f"HEAD /models/{site.prefix}/tiny", "GET /models"]

    site.upload({"README.md": b"other"})
    changed = node.models.pull(tiny)
    assert (changed.version, changed.fetched_bytes) == (2, len(b"other"))


def test_an_object_that_changes_while_it_is_fetched_is_a_conflict(site: S3Site, tiny: str) -> None:
    source = s3_source.S3Source()
    file = next(file for file in source.resolve(parse(tiny)).files if file.path == "model.safetensors")
    site.upload({"model.safetensors": tiny_model(1)["model.safetensors"]})

    for offset in (0, 100):
        with pytest.raises(Conflict, match="changed"):
            b"".join(source.open(file, offset))
    with pytest.raises(Conflict):
        source.part(file, 100, 10)


def test_a_bucket_with_versions_gives_the_version_that_was_pinned(site: S3Site) -> None:
    client = site.server.client()
    client.create_bucket(Bucket="versioned")
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    site.upload(tiny_model(), bucket="versioned")
    source = s3_source.S3Source()
    snapshot = source.resolve(parse(f"s3://versioned/{site.prefix}/tiny"))
    site.upload(tiny_model(1), bucket="versioned")

    files = {file.path: b"".join(source.open(file, 0)) for file in snapshot.files}

    assert files == tiny_model()


def test_a_pinned_reference_whose_objects_changed_is_not_another_model(node: Node, site: S3Site, tiny: str) -> None:
    pinned = node.models.pull(tiny).reference
    site.upload({"README.md": b"other"})
    node.models.pull(tiny)

    assert node.models.pull(pinned).fetched_bytes == 0  # That one is here.
    with Node(node.home.path / "other") as other, pytest.raises(NotFound, match="other objects now"):
        other.models.pull(pinned)


def test_long_listings_are_read_to_their_end(
    site: S3Site, tiny: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_source, "PAGE_OBJECTS", 2)
    site.server.client().put_object(Bucket="models", Key=f"{site.prefix}/tiny", Body=b"")  # As some tools mark folders.
    site.upload({"odd/": b"", "odd/näme +&%20#?.txt": b"odd"})

    assert node.models.pull(tiny).files == len(tiny_model()) + 1
    assert {file.path for file in node.models.show("tiny").files} == {*tiny_model(), "odd/näme +&%20#?.txt"}
    assert len([line for line in site.log if "continuation-token" in line]) == 4


def test_a_composite_checksum_is_not_taken_for_the_file(node: Node, site: S3Site) -> None:
    data = safetensors({"w": (1 << 18, 8)})
    client, key = site.server.client(), f"{site.prefix}/parts.safetensors"
    upload = client.create_multipart_upload(Bucket="models", Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for number, chunk in enumerate((data[: 5 << 20], data[5 << 20 :]), 1):
        sent = client.upload_part(
            Bucket="models", Key=key, UploadId=upload, PartNumber=number, Body=chunk, ChecksumAlgorithm="SHA256"
        )
        parts.append({"PartNumber": number} | {name: sent[name] for name in ("ETag", "ChecksumSHA256")})
    client.complete_multipart_upload(Bucket="models", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    pulled = node.models.pull(f"s3://models/{key}")

    assert node.models.show(pulled.name).files[0].sha256 == hashlib.sha256(data).hexdigest()


def test_repair_asks_for_the_damaged_block_alone(node: Node, site: S3Site, tmp_path: Path) -> None:
    site.upload(LARGE)
    node.models.add(lay_out(tmp_path / "tiny", LARGE))
    digest = hashlib.sha256(LARGE["model.safetensors"]).hexdigest()
    place = next(iter(node.home.objects.rglob(digest)))
    data = bytearray(place.read_bytes())
    data[2 * LEAF + 99] ^= 1
    place.chmod(0o644)
    place.write_bytes(data)

    repaired = node.models.health.repair("tiny", [f"s3://models/{site.prefix}/tiny"])

    assert site.ranges("model.safetensors") == [f"bytes={2 * LEAF}-{3 * LEAF - 1}"]
    assert repaired.fetched_bytes == repaired.damaged_bytes == LEAF
    assert node.models.verify("tiny").files == len(LARGE)


def test_a_wrong_secret_is_told_apart_from_what_is_not_there(
    site: S3Site, tiny: str, node: Node, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = cli("model", "pull", tiny, "--json", AWS_SECRET_ACCESS_KEY="wrong")
    assert (wrong.status, wrong.json["error"]["suggestion"]) == (7, "ipfs-accel store backend add --help")
    assert "SignatureDoesNotMatch" in wrong.stdout
    assert not [word for word in ("Signature=", SECRET_KEY, ACCESS_KEY) if word in wrong.stdout + wrong.stderr]
    for reference, told in ((f"{tiny}-none", f"{site.prefix}/tiny/"), ("s3://nobodys/tiny", "no bucket 'nobodys'")):
        with pytest.raises(NotFound, match=told) as missing:
            node.models.pull(reference)
        assert missing.value.exit_code == 3
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as down:
        node.models.pull(tiny)
    assert down.value.exit_code == 6


def test_a_public_bucket_needs_no_credentials(
    site: S3Site, tiny: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.upload(tiny_model(), bucket="public")
    open_one = f"s3://public/{site.prefix}/tiny"
    assert node.models.pull(f"{open_one}?anonymous=true").files == len(tiny_model())
    with pytest.raises(NotAuthorised):
        node.models.pull(f"{tiny}?anonymous=true")

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert node.models.pull(open_one).files == len(tiny_model())
    assert not [line for line in site.log if "/public" in line and "Signature" in line]


def test_a_profile_is_read_as_boto3_reads_it(
    site: S3Site, tiny: str, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{name.lower()} = {os.environ.pop(name)}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    (tmp_path / "credentials").write_text("\n".join(["[mine]", *keys, f"endpoint_url = {site.url}"]), "utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("AWS_PROFILE", "mine")

    assert node.models.pull(tiny).files == len(tiny_model())


def test_an_assistant_gets_neither_credentials_nor_this_machines_servers(
    site: S3Site, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.upload(tiny_model(), bucket="public")
    site.log.clear()
    with using(Call(folders=(tmp_path,))), pytest.raises(NotAuthorised, match="public internet"):
        s3_source.S3Source().resolve(parse(tiny))
    assert site.log == []

    monkeypatch.setattr(http, "is_public", lambda address: True)
    with using(Call(folders=(tmp_path,))):
        with pytest.raises(NotAuthorised, match="AccessDenied"):
            s3_source.S3Source().resolve(parse(tiny))
        source = s3_source.S3Source()
        for file in source.resolve(parse(f"s3://public/{site.prefix}/tiny")).files:
            assert b"".join(source.open(file)) == tiny_model()[file.path]
    assert not [line for line in site.log if "Signature" in line]


def test_credentials_do_not_go_over_an_open_line(site: S3Site, tiny: str, node: Node) -> None:
    with pytest.raises(Invalid, match="without encryption"):
        node.models.pull(f"{tiny}?endpoint=http://192.0.2.1:9000")


def test_offline_asks_nobody_and_takes_what_is_here(site: S3Site, tiny: str, node: Node) -> None:
    with using(Call(offline=True)), pytest.raises(Offline):
        node.models.pull(tiny)
    assert site.log == []

    node.models.pull(tiny)
    with using(Call(offline=True)):
        assert node.models.pull(tiny).fetched_bytes == 0


def test_an_archive_that_is_not_read_here_is_said_before_it_is_fetched(site: S3Site, node: Node) -> None:
    site.upload({"tiny.tar.gz": b"\x1f\x8b"}, folder="")

    with pytest.raises(UnsupportedContent):
        node.models.pull(f"s3://models/{site.prefix}/tiny.tar.gz")
    assert site.ranges("tiny.tar.gz") == []

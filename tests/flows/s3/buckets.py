"""A bucket as a backend behind a server that is not what it should be, and a process of its own that puts a file."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.backends.base import Body, Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core.parts import Pace
from tests.servers.s3_faults import Shady
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed

UNMEASURED = Pace()
PART = 8 << 20
LARGE = os.urandom(PART + 500_000)
PARTS = 2
LONG = 128 << 20


def backend(
    site: Shady, folder: Path, secret: str = f"{ACCESS_KEY}:{SECRET_KEY}", pace: Pace = UNMEASURED, **options: str
) -> S3Backend:
    given = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url} | options
    made = backend_for("s3", Config("far", given, folder, lambda: secret, lambda: pace))
    assert isinstance(made, S3Backend)
    return made


def unfinished(site: Shady) -> list[str]:
    listed = site.owner().list_multipart_uploads(Bucket=BUCKET, Prefix=f"{site.prefix}/")
    return [upload["Key"].removeprefix(f"{site.prefix}/") for upload in listed.get("Uploads", ())]


def lies(site: Shady, key: str, data: bytes) -> None:
    """Put an object as another tool does, without a word on its digest."""
    site.owner().put_object(Bucket=BUCKET, Key=f"{site.prefix}/{key}", Body=data)


def child(site: Shady, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.flows.s3.buckets", site.url, site.prefix, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def main(url: str, prefix: str, folder: Path) -> None:
    """Put the file `data` of a folder and tell by how many bytes the memory of this process has grown at most."""
    file = (folder / "data").open("rb")
    size_bytes = os.fstat(file.fileno()).st_size
    digest = hashlib.file_digest(file, "sha256").digest()

    def read(offset: int, length: int | None) -> Iterator[bytes]:
        end = size_bytes if length is None else offset + length
        while offset < end:
            piece = os.pread(file.fileno(), min(1 << 20, end - offset), offset)
            offset += len(piece)
            yield piece

    site = Shady(Seaweed(0))
    site.url, site.prefix = url, prefix
    bucket = backend(site, folder / "notes")
    bucket.health()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bucket.put(Body(size_bytes, digest, read), "one")
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

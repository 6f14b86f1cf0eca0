"""Models as OCI artefacts, for the registry of our own on loopback and for Debian's, which is Docker's."""

from __future__ import annotations

import hashlib
import io
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.cache import cache, locked
from tests.servers.ollama import Ollama

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
WEIGHT = "application/vnd.cncf.model.weight.v1"
MODEL = "application/vnd.cncf.model.manifest.v1+json"

Keep = Callable[[bytes], dict[str, Any]]


def manifest(keep: Keep, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a ModelPack manifest: files at the top as they are, all that lie in folders in one archive."""
    layers = [
        {"mediaType": f"{WEIGHT}.raw", **keep(data), "annotations": {"org.cncf.model.filepath": path}}
        for path, data in files.items()
        if "/" not in path
    ]
    packed = {path: data for path, data in files.items() if "/" in path}
    if packed:
        layers.append({"mediaType": f"{WEIGHT}.tar+gzip", **keep(tar(packed, "gz"))})
    config = {"mediaType": "application/vnd.cncf.model.config.v1+json", **keep(b"{}")}
    return {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": MODEL, "config": config, "layers": layers}


def push_oci(site: Ollama, name: str, files: Mapping[str, bytes]) -> str:
    """Let a name of our own registry mean an index with these files' manifest; return the manifest's digest."""
    digest = site.publish(f"{name}-inner", manifest(site.keep, files))
    size = len(site.manifests[f"{name}-inner"])
    entry = {"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": MODEL}
    site.publish(name, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    return digest


def tar(files: Mapping[str, bytes], compression: str = "") -> bytes:
    """Return an archive of files, of one time whenever it is made."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


class DockerRegistry:
    """A running registry of Docker's own."""

    def __init__(self, host: str) -> None:
        self.host = host

    def push(self, repository: str, tag: str, body: Callable[[Keep], dict[str, Any]]) -> str:
        """Upload blobs and a manifest as every client does; return the manifest's digest."""

        def keep(data: bytes) -> dict[str, Any]:
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            begun = httpx.post(f"{base}/blobs/uploads/").raise_for_status()
            target = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest})
            httpx.put(target, content=data, headers={"content-type": "application/octet-stream"}).raise_for_status()
            return {"digest": digest, "size": len(data)}

        base = f"http://{self.host}/v2/{repository}"
        document = body(keep)
        answer = httpx.put(f"{base}/manifests/{tag}", json=document, headers={"content-type": document["mediaType"]})
        return str(answer.raise_for_status().headers["docker-content-digest"])


@contextmanager
def docker_registry(folder: Path) -> Iterator[DockerRegistry]:
    """Run Docker's registry, as Debian packages it, for the block; skips the test where there is none to be had."""
    binary = shutil.which("docker-registry") or _unpacked()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'registry'}}}}}\n"
        f"http: {{addr: '{host}'}}\n"
    )
    process = subprocess.Popen([binary, "serve", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(process, host)
        yield DockerRegistry(host)
    finally:
        process.kill()
        process.wait()


def _unpacked() -> str:
    """Fetch Debian's package and unpack it into the cache; nothing is installed."""
    folder = cache("debian") / "docker-registry"
    binary = folder / "usr" / "bin" / "docker-registry"
    if not binary.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            pytest.skip("docker-registry is not installed, and there is no apt-get to fetch it")
        with locked(folder.with_suffix(".lock")):
            folder.mkdir(exist_ok=True)
            got = subprocess.run(
                ["apt-get", "download", "docker-registry"], cwd=folder, capture_output=True, timeout=300
            )
            packages = sorted(folder.glob("docker-registry_*.deb"))
            if got.returncode != 0 or not packages:
                pytest.skip("docker-registry is not installed, and apt-get cannot fetch it")
            subprocess.run(["dpkg-deb", "-x", packages[-1], folder], check=True)
    return str(binary)


def _wait_until_up(process: subprocess.Popen[bytes], host: str) -> None:
    for _ in range(200):
        assert process.poll() is None, "the registry ended at once"
        try:
            httpx.get(f"http://{host}/v2/")
            return
        except httpx.HTTPError:
            time.sleep(0.05)
    pytest.fail("the registry does not answer")

"""The commands that crashing.py kills: the state before each, and what it must give."""

from __future__ import annotations

import shutil
from pathlib import Path

from ipfs_accel_cli import Node
from tests.servers.tiny_model import lay_out, tiny_model


class Command:
    """A command under test: the state before it, which may be copied or has to be made anew, and what it must give."""

    copies = True
    needs_hub = False
    mends = True  # Whether it clears what a dead writer left; if not, that is left to doctor.

    def prepare(self, node: Node, folder: Path) -> None:
        """Something that is kept, whatever happens."""
        (folder / "kept").write_bytes(b"kept" * 600_000)
        list(node.store.put([folder / "kept"]))

    def run(self, node: Node, folder: Path) -> str:
        raise NotImplementedError


class Put(Command):
    def run(self, node: Node, folder: Path) -> str:
        (stored,) = node.store.put([folder / "tree"])
        return stored.cid


class PutOverLink(Command):
    """A copy takes the place of a link."""

    copies = False

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        list(node.store.put([folder / "tree" / "weights"], link=True))

    def run(self, node: Node, folder: Path) -> str:
        (stored,) = node.store.put([folder / "tree" / "weights"])
        return stored.cid


class Import(Command):
    def run(self, node: Node, folder: Path) -> str:
        return node.store.import_car(folder / "tree.car").roots[0]


class Pin(Command):
    def run(self, node: Node, folder: Path) -> str:
        (entry,) = node.store.ls().entries[:1]
        return node.store.pins.add([entry.cid], name="pinned").pins[0].cid


class Collect(Command):
    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        node.store.remove(node.store.import_car(folder / "tree.car").roots)

    def run(self, node: Node, folder: Path) -> str:
        node.store.gc()
        return str(len(list(node.home.objects.glob("*/*"))))


class Pull(Command):
    needs_hub = True
    mends = False

    def run(self, node: Node, folder: Path) -> str:
        return node.models.pull("hf://acme/tiny").manifest_cid


class Unpack(Command):
    """Taking a model out of an archive: its files are hashed while they are unpacked."""

    mends = False

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        with Node(folder / "maker") as maker:
            maker.models.add(folder / "hub" / "acme" / "tiny")
            maker.models.export("tiny", folder / "tiny.car")

    def run(self, node: Node, folder: Path) -> str:
        return node.models.add(folder / "tiny.car").manifest_cid


class Remove(Command):
    """Removing a model, and then what only it needed."""

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        node.models.add(folder / "hub" / "acme" / "tiny")

    def run(self, node: Node, folder: Path) -> str:
        if node.models.ls().models:
            node.models.remove(["tiny"])
        node.store.gc()
        return str(len(list(node.home.objects.glob("*/*"))))


class Prune(Command):
    """Taking an old version off its name, and then what only it needed."""

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        node.models.add(lay_out(folder / "old" / "tiny", tiny_model(seed=1)))
        node.models.add(folder / "hub" / "acme" / "tiny")

    def run(self, node: Node, folder: Path) -> str:
        node.models.pruner.prune(collect=True)
        (left,) = node.models.history.versions("tiny").versions
        return f"{left.version} {left.manifest_cid} {len(list(node.home.objects.glob('*/*')))}"


class Sign(Command):
    mends = False  # What is signed already needs no writer.

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        node.models.add(folder / "hub" / "acme" / "tiny")
        node.peers.identity()

    def run(self, node: Node, folder: Path) -> str:
        signed = node.models.signatures.sign("tiny", output=folder / "signed.jsonl")
        assert node.models.signatures.verify("tiny", require=True).trusted == 1
        assert node.models.signatures.verify("tiny", file=folder / "signed.jsonl").trusted == 1
        return signed.statement_cid


class Deploy(Command):
    """A second version of a deployment: made once, whole, or not at all."""

    mends = False  # Where the version is there already nothing is written.

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        node.models.add(folder / "hub" / "acme" / "tiny")
        node.models.deploys.new("chat", "tiny")

    def run(self, node: Node, folder: Path) -> str:
        assert [one.version for one in node.models.deploys.show("chat").versions][-1] == 1
        made = node.models.deploys.new("chat", assignments=["port=9000"])
        return f"{made.version} {made.config_cid}"


class Send(Command):
    """Bringing a DAG to a folder elsewhere: what the layout there names is there."""

    copies = False

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        shutil.rmtree(folder / "place", ignore_errors=True)
        (folder / "place").mkdir()
        node.store.backends.add("cold", "local", {"path": str(folder / "place")})
        list(node.store.put([folder / "tree"]))

    def run(self, node: Node, folder: Path) -> str:
        cid = next(entry.cid for entry in node.store.ls().entries if entry.name == "tree")
        for layout in (folder / "place").glob(".ipfs-accel/*/*.car"):
            node.store.exchange.verify([layout.parent.name], "cold")
        (copied,) = node.store.exchange.copy(cid, ["cold:"])
        node.store.exchange.verify([cid], "cold")
        return f"{copied.cid} {copied.size_bytes}"


class Fetch(Command):
    """Fetching it from there."""

    mends = False  # Where all of it is here already nothing is written.

    def prepare(self, node: Node, folder: Path) -> None:
        super().prepare(node, folder)
        (folder / "place").mkdir()
        with Node(folder / "maker") as maker:
            maker.store.backends.add("cold", "local", {"path": str(folder / "place")})
            (stored,) = maker.store.put([folder / "tree"], to=["cold:"])
        (folder / "cid").write_text(stored.cid)
        node.store.backends.add("cold", "local", {"path": str(folder / "place")})

    def run(self, node: Node, folder: Path) -> str:
        fetched = node.store.exchange.fetch((folder / "cid").read_text(), "cold")
        node.store.verify([fetched.cid])
        return fetched.cid


COMMANDS: dict[str, Command] = {
    "store-copy": Send(),
    "store-fetch": Fetch(),
    "put": Put(),
    "put-over-link": PutOverLink(),
    "import": Import(),
    "pin": Pin(),
    "gc": Collect(),
    "model-pull": Pull(),
    "model-add-car": Unpack(),
    "model-rm": Remove(),
    "model-prune": Prune(),
    "model-sign": Sign(),
    "deploy-new": Deploy(),
}

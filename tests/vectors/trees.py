"""Trees of files, links and folders, built by us and by the reference importer.

`python -m tests.vectors.trees` writes trees_reference.json, with IPFS_ACCEL_IMPORTER naming a folder in which
`npm install ipfs-unixfs-importer@17` was done.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from ipfs_accel_cli.content import builder, hamt, hashing
from ipfs_accel_cli.content.builder import BlockSink, Built
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from ipfs_accel_cli.content.unixfs import Metadata
from tests.vectors.content import pattern

HERE = Path(__file__).parent
REFERENCE = HERE / "trees_reference.json"
NAMED = {1000: 250, 5000: 60, 30000: 10}  # Entries of a directory, and how long their names are made.


@dataclass(frozen=True)
class Item:
    """A file of `size` bytes of pattern, a symbolic link, or a folder of named items."""

    size: int | None = None
    link: str | None = None
    folder: tuple[tuple[str, Item], ...] = ()
    metadata: Metadata | None = None


@dataclass(frozen=True)
class Tree:
    """A folder and how it is to be built."""

    profile: Profile
    root: Item


class Ambiguous(ValueError):
    """A folder that the importer leaves plain only because it does not count the folders in it.

    Kubo and IPIP-499 count every entry, and so do we.
    """


def build(tree: Tree, on_block: BlockSink | None = None) -> Built:
    """Build a tree with our code; raises Ambiguous when the importer would decide otherwise."""
    return _build(tree.root, tree.profile, on_block)


def answer(built: Built) -> dict[str, Any]:
    return {"cid": str(built.cid), "total_bytes": built.total_bytes}


class Importer:
    """A running importer that is asked one tree after another."""

    def __init__(self, folder: Path, node: str = "node") -> None:
        script = (HERE / "importer.mjs").read_text("utf-8")
        self._process = subprocess.Popen(
            [node, "--input-type=module", "--eval", script],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __call__(self, tree: Tree) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"profile": asdict(tree.profile), "entries": entries(tree.root)}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the importer ended with status {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def __enter__(self) -> Importer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def entries(item: Item, path: str = "root") -> list[dict[str, Any]]:
    """List an item as the importer takes it, the files of a folder before its folders.

    The importer loses entries when a folder is sharded while a folder in it still grows.
    """
    metadata = item.metadata or Metadata()
    stated: dict[str, Any] = {} if metadata.mode is None else {"mode": metadata.mode}
    if metadata.mtime_s is not None:
        stated["mtime"] = [metadata.mtime_s, metadata.mtime_ns]
    if item.size is not None:
        return [{"path": path, "size": item.size, **stated}]
    if item.link is not None:
        return [{"path": path, "link": item.link, **stated}]
    inside = sorted(item.folder, key=lambda entry: bool(entry[1].folder))
    own = [{"path": path, **stated}] if stated or not inside else []
    return own + [line for name, inner in inside for line in entries(inner, f"{path}/{name}")]


@cache
def named_trees() -> dict[str, Tree]:
    """Return the trees whose answers trees_reference.json holds under their names."""
    trees = {}
    for name, profile in PROFILES.items():
        for count, width in NAMED.items():
            trees[f"{count} entries, {name}"] = Tree(profile, large(count, width))
        trees[f"metadata, {name}"] = Tree(profile, with_metadata(profile))
    for bits in range(3, 11):
        profile = replace(PROFILES["unixfs-v1-2025"], shard_over_bytes=1, shard_fanout=1 << bits)
        trees[f"1000 entries, fan-out {1 << bits}"] = Tree(profile, large(1000, 5))
    trees["names that agree in most of their hash"] = Tree(
        replace(PROFILES["unixfs-v1-2025"], shard_over_bytes=1), colliding()
    )
    return trees


def large(count: int, width: int) -> Item:
    """Return a folder of many small files, whose names are cut to a width."""
    tail = " is a näme of some length" * 12
    return Item(folder=tuple((f"{index}{tail}"[:width], Item(index % 7)) for index in range(count)))


# Found by inverting the hash: each agrees with 0xA1B2C3D4E5F60718 in eight more bits than the one before it.
COLLIDING = (
    "fA&uRq<=;Va;4J1m",
    "!J!`)-}O`&1lPo%u",
    "m.mPoH%5M!PpU[_<",
    "4e#`3nPtia1HwbYw",
    "6A@,=&R#Zt(9z.cX",
    "P+=4z0n02GPF e^Q",
    "7$2TJmbq2Xb()19c",
    "]TPm XzMf7o=d}4Z",
)
EQUAL_IN_ALL_BITS = ("?@]BYXfuAdOhV.Wv", "QFSm}3S%>F:i.ug2")


def colliding() -> Item:
    """Return a folder whose shards lie eight levels deep."""
    return Item(folder=tuple((name, Item(index)) for index, name in enumerate((*COLLIDING, EQUAL_IN_ALL_BITS[0]))))


def with_metadata(profile: Profile) -> Item:
    """Return a folder of files, links and folders with modes and times.

    The importer puts a dag-pb leaf into another one to give it metadata, and so changes the file; there only files of
    several leaves are compared.
    """
    sizes = [0, 1, profile.chunk_bytes] if profile.raw_leaves else []
    sizes += [profile.chunk_bytes + 1, 2 * profile.chunk_bytes]
    stated = [
        Metadata(0o644),
        Metadata(0o755),
        Metadata(0),
        Metadata(0o100600),
        Metadata(0o7777, 1, 999_999_999),
        Metadata(None, 0),
        Metadata(None, -1, 1),
        Metadata(None, 1_700_000_000),
        Metadata(0o4711, -(1 << 40), 500_000_000),
    ]
    files = [(f"file {index} {size}", Item(size, None, (), m)) for index, m in enumerate(stated) for size in sizes]
    links = [(f"link {index}", Item(link="file – ü", metadata=m)) for index, m in enumerate(stated)]
    folders = [
        (f"folder {index}", Item(folder=(("a", Item(1)),) * (index % 2), metadata=m)) for index, m in enumerate(stated)
    ]
    wide = ("sharded", replace(large(1100, 250), metadata=Metadata(0o700, 5, 6)))
    return Item(folder=(*files, *links, *folders, wide), metadata=Metadata(0o511, 1_600_000_000, 7))


def random_tree(chance: random.Random) -> Tree:
    """Return a small tree of any shape, in a profile of small chunks, widths and directories."""
    raw_leaves = chance.random() < 0.5
    profile = Profile(
        "random",
        chunk_bytes=1 + int(chance.random() * 40),
        width=2 + int(chance.random() * 5),
        cid_version=1 if raw_leaves or chance.random() < 0.5 else 0,
        raw_leaves=raw_leaves,
        directory_size="block" if chance.random() < 0.5 else "links",
        shard_over_bytes=int(chance.random() * 400),
        shard_fanout=8 << int(chance.random() * 8),
    )
    return Tree(profile, Item(folder=_random_folder(chance, profile, 3)))


def _random_folder(chance: random.Random, profile: Profile, depth: int) -> tuple[tuple[str, Item], ...]:
    names = {_random_name(chance): None for _ in range(int(chance.random() ** 2 * 14))}
    return tuple((name, _random_item(chance, profile, depth)) for name in names)


def _random_item(chance: random.Random, profile: Profile, depth: int) -> Item:
    metadata = _random_metadata(chance) if chance.random() < 0.3 else None
    what = chance.random()
    if what < 0.25 and depth:
        return Item(folder=_random_folder(chance, profile, depth - 1), metadata=metadata)
    if what < 0.35:
        return Item(link=_random_name(chance), metadata=metadata)
    size = int(chance.random() ** 3 * profile.chunk_bytes * profile.width**3)
    return Item(size, metadata=metadata if profile.raw_leaves or size > profile.chunk_bytes else None)


def _random_metadata(chance: random.Random) -> Metadata:
    mode = int(chance.random() * 0o10000) if chance.random() < 0.7 else None
    if chance.random() < 0.5:
        return Metadata(mode)
    # The importer writes seconds from 2**31 to 2**32 as bytes that it cannot read itself.
    return Metadata(mode, int((chance.random() - 0.5) * 2**32), int(chance.random() * 3) * 333_333_333)


def _random_name(chance: random.Random) -> str:
    alphabet = "abcXYZ019 -_.é模😀"
    return "n" + "".join(alphabet[int(chance.random() * len(alphabet))] for _ in range(int(chance.random() ** 2 * 30)))


def _build(item: Item, profile: Profile, on_block: BlockSink | None) -> Built:
    if item.size is not None:
        return hashing.hash_bytes(pattern(item.size), profile, on_block, item.metadata)
    if item.link is not None:
        block, built = builder.symlink(item.link, profile, item.metadata)
        if on_block is not None:
            on_block(built.cid, block)
        return built
    children = [(name, inner, _build(inner, profile, on_block)) for name, inner in item.folder]
    counted = [(name, built) for name, inner, built in children if not inner.folder]
    if _is_over(counted, item, profile) != _is_over([(name, built) for name, _, built in children], item, profile):
        raise Ambiguous
    return hamt.build_directory(((name, built) for name, _, built in children), profile, on_block, item.metadata)


def _is_over(named: list[tuple[str, Built]], item: Item, profile: Profile) -> bool:
    if profile.directory_size == "links":
        size_bytes = sum(len(name.encode()) + len(bytes(built.cid)) for name, built in named)
    else:
        size_bytes = len(builder.directory(named, profile, item.metadata)[0])
    return bool(named) and size_bytes > profile.shard_over_bytes


def tree_of(vector: dict[str, Any]) -> Tree:
    """Read a tree from trees_reference.json."""
    return Tree(Profile(**vector["profile"]), _item_of(vector["root"]))


def _item_of(vector: dict[str, Any]) -> Item:
    metadata = Metadata(*vector["metadata"].values()) if vector["metadata"] else None
    folder = tuple((name, _item_of(inner)) for name, inner in vector["folder"])
    return Item(vector["size"], vector["link"], folder, metadata)


def _write_reference(folder: Path, count: int = 50) -> None:
    chance = random.Random(20_250_499)
    drawn: list[Tree] = []
    while len(drawn) < count:
        tree = random_tree(chance)
        try:
            build(tree)
        except Ambiguous:
            continue
        drawn.append(tree)
    with Importer(folder) as importer:
        named = {name: importer(tree) for name, tree in named_trees().items()}
        trees = [{**asdict(tree), **importer(tree)} for tree in drawn]
    version = json.loads((folder / "node_modules/ipfs-unixfs-importer/package.json").read_text("utf-8"))["version"]
    lines = ",\n".join(json.dumps(tree, ensure_ascii=False, separators=(",", ":")) for tree in trees)
    head = json.dumps({"importer": version, "named": named}, ensure_ascii=False, indent=1)
    REFERENCE.write_text(f'{head[:-2]},\n "random": [\n{lines}\n]\n}}\n', "utf-8")


if __name__ == "__main__":
    _write_reference(Path(os.environ["IPFS_ACCEL_IMPORTER"]))
    sys.stdout.write(f"wrote {REFERENCE.name}\n")

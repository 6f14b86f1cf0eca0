"""What parity is looked at with in the store: a backend that has what the home has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.store.placement.book import Declared
from ipfs_accel_cli.services.store.placement.prices import Price
from ipfs_accel_cli.services.store.placement.service import Wish

CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "store put": (["{files}/folder"], {"paths": ["{files}/folder"]}),
    "store get": (["{cid}", "-o", "{files}/copy"], {"reference": "{cid}", "output": "{files}/copy"}),
    "store cat": (
        ["{cid}/sub/numbers.bin", "--offset", "9", "--length", "99"],
        {"reference": "{cid}/sub/numbers.bin", "offset": 9, "length": 99},
    ),
    "store ls": (["{cid}"], {"reference": "{cid}"}),
    "store stat": (["{hello}"], {"reference": "{hello}"}),
    "store verify": ([], {}),
    "store rm": (["{cid}"], {"cids": ["{cid}"]}),
    "store gc": ([], {}),
    "store import": (["{files}/folder.car"], {"car": "{files}/folder.car"}),
    "store export": (["{cid}", "-o", "{files}/out.car"], {"reference": "{cid}", "output": "{files}/out.car"}),
    "store cid of": (
        ["{files}/folder", "--cid-profile", "legacy-cid-v1"],
        {"paths": ["{files}/folder"], "cid_profile": "legacy-cid-v1"},
    ),
    "store where": (["{hello}"], {"reference": "{hello}"}),
    "store cid convert": (["{hello}", "--base", "base36"], {"cids": ["{hello}"], "base": "base36"}),
    "store dag get": (["{cid}/hello.txt"], {"reference": "{cid}/hello.txt"}),
    "store dag put": (["--text", '[1, "two", null]'], {"text": '[1, "two", null]'}),
    "store dag resolve": (["{cid}/sub/numbers.bin"], {"reference": "{cid}/sub/numbers.bin"}),
    "store dag stat": (["{cid}"], {"reference": "{cid}"}),
    "store dag diff": (["{cid}", "{cid}/sub"], {"before": "{cid}", "after": "{cid}/sub"}),
    "store dag import": (["{files}/folder.car"], {"car": "{files}/folder.car"}),
    "store dag export": (
        ["{cid}/hello.txt", "-o", "{files}/part.car", "--scope", "block"],
        {"reference": "{cid}/hello.txt", "output": "{files}/part.car", "scope": "block"},
    ),
    "store block get": (["{hello}"], {"cid": "{hello}"}),
    "store block put": (["--text", "a block"], {"text": "a block"}),
    "store block stat": (["{cid}"], {"cid": "{cid}"}),
    "store block rm": (["{loose}"], {"cids": ["{loose}"]}),
    "store pin add": (["{cid}", "--name", "mine"], {"references": ["{cid}"], "name": "mine"}),
    "store pin ls": ([], {}),
    "store pin rm": (["{pinned}"], {"cids": ["{pinned}"]}),
    "store cid inspect": (["{hello}"], {"cid": "{hello}"}),
    "store copy": (["{cid}", "cold:"], {"reference": "{cid}", "to": ["cold:"]}),
    "store fetch": (["{cid}", "--on", "cold"], {"reference": "{cid}", "on": "cold"}),
    "store sync": (["here:", "cold:", "--dry-run"], {"source": "here:", "destination": "cold:", "dry_run": True}),
    "store meta set": (["{cid}", "stars=4"], {"cid": "{cid}", "entries": ["stars=4"]}),
    "store meta get": (["{cid}"], {"cid": "{cid}"}),
    "store meta ls": (["--filter", "meta.stars=3"], {"where": "meta.stars=3"}),
    "store meta diff": (["{cid}", "--on", "cold"], {"cid": "{cid}", "on": "cold"}),
    "store meta sync": (["{cid}", "--on", "cold"], {"cid": "{cid}", "on": "cold"}),
    "store scrub": ([], {}),
    "store repair": (["{cid}"], {"references": ["{cid}"]}),
    "store heal": (["--min", "2", "--dry-run"], {"least": 2, "dry_run": True}),
    "store probe": (["cold", "--size", "300KiB"], {"names": ["cold"], "size": "300KiB"}),
    "store cost": (["--forecast", "90d"], {"forecast": "90d"}),
    "store route plan": (
        ["{cid}", "--class", "cold", "--near", "50.1,8.7", "--explain"],
        {"reference": "{cid}", "storage_class": "cold", "near": "50.1,8.7", "explain": True},
    ),
    "store route log": (["--limit", "1"], {"limit": 1}),
    "store price ls": ([], {}),
    "store path put": (
        ["{files}/folder/hello.txt", "work/new"],
        {"file": "{files}/folder/hello.txt", "path": "work/new"},
    ),
    "store path ls": (["work"], {"path": "work"}),
    "store path snapshot": (["work"], {"path": "work"}),
    "store path rm": (["work/old"], {"path": "work/old"}),
    "store key ls": ([], {}),
    "store identity ls": ([], {}),
    "store name resolve": (["/ipns/{name}/sub"], {"name": "/ipns/{name}/sub"}),
    "store name ls": ([], {}),
    "store name inspect": (["{files}/{name}.ipns-record"], {"source": "{files}/{name}.ipns-record"}),
    "store name verify": (
        ["{files}/{name}.ipns-record", "--name", "{name}"],
        {"file": "{files}/{name}.ipns-record", "name": "{name}"},
    ),
    "store name export": (["site", "-o", "{files}/out"], {"name": "site", "output": "{files}/out"}),
    "store name import": (["{files}/{name}.ipns-record"], {"file": "{files}/{name}.ipns-record"}),
    "store backend ls": ([], {}),
    "store cache ls": ([], {}),
    "store cache clear": (["cold"], {"name": "cold"}),
    "store backend sweep": (["cold"], {"name": "cold"}),
    "store backend show": (["cold"], {"name": "cold"}),
    "search query": (
        ["hello", "--type", "text", "--facet", "kind"],
        {"text": "hello", "kind": ["text"], "facet": ["kind"]},
    ),
    "search index add": (["{files}/folder"], {"subjects": ["{files}/folder"]}),
    "search index rm": (["{hello}"], {"subjects": ["{hello}"]}),
    "search index ls": (["--sort", "title"], {"sort": "title"}),
    "search index stat": ([], {}),
    "search index verify": ([], {}),
    "search index rebuild": ([], {}),
    "search index embed": (["--model", "encoder"], {"model": "encoder"}),
    "search tag add": (["{hello}", "keep"], {"cid": "{hello}", "tags": ["keep"]}),
    "search tag rm": (["{hello}", "old"], {"cid": "{hello}", "tags": ["old"]}),
    "search tag ls": ([], {}),
    "store backend test": (["cold", "--round-trip"], {"name": "cold", "round_trip": True}),
}


def prepare(node: Node, folder: Path, cid: str) -> None:
    """Let the home know a backend that has some content already."""
    (folder / "cold").mkdir()
    node.store.backends.add("cold", "local", {"path": str(folder / "cold"), "cache": "1MiB"})
    list(node.store.exchange.copy(cid, ["cold:"]))
    node.store.metadata.set(cid, ["stars=3"])
    node.store.metadata.sync(cid, "cold")
    node.store.trees.write("work/old", [b"old"])
    price = Price(storage=0.02, egress=0.09, ingress=0, puts=0.005, gets=0.0004)
    node.store.placement.tariffs.declare("cold", Declared(price), kind=False, currency="EUR")
    node.store.placement.plan(cid, Wish())
    node.search.keeping.add([])
    node.search.tags.add(node.store.stat(f"{cid}/hello.txt").cid, ["old"])

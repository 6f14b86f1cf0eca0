"""What parity is looked at with in the store: a backend that has what the home has."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.store.placement.book import Declared
from ipfs_accel_cli.services.store.placement.prices import Price
from ipfs_accel_cli.services.store.placement.service import Wish
from tests.servers.kubo_answers import Answer

STORY = " ".join(
    f"On day {day} the old cat sat on mat number {day * day} and saw {day + 3} of them." for day in range(20)
)
STORY_CID = str(CID.of(STORY.encode(), RAW))

PEER = "12D3KooWBxo29iJeT8AWAc1DBB4NP72DyBh8rKLhRqjPVbLbaEjQ"

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
    "store stats": (["--on", "lab"], {"on": "lab"}),
    "store swarm peers": (["--on", "lab"], {"on": "lab"}),
    "store swarm addrs": (["--on", "lab"], {"on": "lab"}),
    "store dht find-providers": (["{cid}", "--on", "lab"], {"cid": "{cid}", "on": "lab"}),
    "store dht provide": (["{cid}", "--on", "lab"], {"cid": "{cid}", "on": "lab"}),
    "store files ls": (["--on", "lab"], {"on": "lab"}),
    "store files stat": (["/kept", "--on", "lab"], {"path": "/kept", "on": "lab"}),
    "store files mkdir": (["/kept", "--on", "lab"], {"path": "/kept", "on": "lab"}),
    "store files cp": (["/kept", "/kept", "--on", "lab"], {"source": "/kept", "path": "/kept", "on": "lab"}),
    "store files read": (["/kept", "--on", "lab"], {"path": "/kept", "on": "lab"}),
    "store files write": (
        ["/kept", "{files}/folder/hello.txt", "--on", "lab", "--replace"],
        {"path": "/kept", "file": "{files}/folder/hello.txt", "on": "lab", "replace": True},
    ),
    "store files mv": (["/kept", "/free", "--on", "lab"], {"source": "/kept", "path": "/free", "on": "lab"}),
    "store swarm ping": ([PEER, "--on", "lab"], {"peer": PEER, "on": "lab"}),
    "store repo verify": (["--on", "lab"], {"on": "lab"}),
    "store dht find-peer": ([PEER, "--on", "lab"], {"peer": PEER, "on": "lab"}),
    "store dht get": (["{name}", "--on", "lab"], {"name": "{name}", "on": "lab"}),
    "store dht put": (
        ["{name}", "{files}/{name}.ipns-record", "--on", "lab"],
        {"name": "{name}", "file": "{files}/{name}.ipns-record", "on": "lab"},
    ),
    "store files rm": (["/kept", "--on", "lab"], {"path": "/kept", "on": "lab"}),
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
    "search ask": (["files about storms"], {"question": "files about storms"}),
    "search similar": ([STORY_CID], {"reference": STORY_CID}),
    "search duplicates": ([], {}),
    "search index add": (["{files}/folder"], {"subjects": ["{files}/folder"]}),
    "search index rm": (["{hello}"], {"subjects": ["{hello}"]}),
    "search index ls": (["--sort", "title"], {"sort": "title"}),
    "search index stat": ([], {}),
    "search index verify": ([], {}),
    "search index rebuild": ([], {}),
    "search index embed": (["--model", "encoder"], {"model": "encoder"}),
    "search adapters": ([], {}),
    "search tag add": (["{hello}", "keep"], {"cid": "{hello}", "tags": ["keep"]}),
    "search tag rm": (["{hello}", "old"], {"cid": "{hello}", "tags": ["old"]}),
    "search tag ls": ([], {}),
    "search tag suggest": ([STORY_CID], {"cid": STORY_CID}),
    "search recommend": ([STORY_CID], {"reference": STORY_CID}),
    "search saved add": (["all", "storm"], {"name": "all", "text": "storm"}),
    "search saved ls": ([], {}),
    "search saved show": (["kept"], {"name": "kept"}),
    "search saved run": (["kept"], {"name": "kept"}),
    "search saved rm": (["kept"], {"name": "kept"}),
    "store backend test": (["cold", "--round-trip"], {"name": "cold", "round_trip": True}),
}


_PEER = f'"ID":"{PEER}"'


def _at_path(options: dict[str, list[str]]) -> Answer:
    """Say what lies at a path; what is moved to /free is there once that was asked."""
    if options["arg"] == ["/free"] and next(_FREE):
        return 500, '{"Message":"file does not exist","Code":0,"Type":"error"}'
    return 200, f'{{"Hash":"{STORY_CID}","Size":11,"CumulativeSize":11,"Blocks":0,"Type":"file"}}'


def _record(options: dict[str, list[str]]) -> Answer:
    found = base64.b64encode(RECORDS[options["arg"][0].removeprefix("/ipns/")]).decode()
    return 200, f'{{"Type":5,"ID":"","Extra":"{found}","Responses":null}}\n'


_FREE = itertools.cycle((True, False))
# By their names; whoever makes the home lays them here.
RECORDS: dict[str, bytes] = {}
# What the node of the backend `lab` answers, as Kubo does.
NODE_CALLS: dict[str, Answer | Callable[[dict[str, list[str]]], Answer]] = {
    "repo/stat": (200, '{"NumObjects":3,"RepoSize":900,"StorageMax":10000,"RepoPath":"/x","Version":"fs-repo@16"}'),
    "stats/bw": (200, '{"TotalIn":5,"TotalOut":6,"RateIn":0.5,"RateOut":0}'),
    "bitswap/stat": (200, '{"BlocksReceived":1,"BlocksSent":2,"DataReceived":3,"DataSent":4,"Peers":[],"Wantlist":[]}'),
    "swarm/peers": (200, '{"Peers":[{"Addr":"/ip4/127.0.0.1/tcp/9","Peer":"12D3KooW"}]}'),
    "swarm/addrs": (200, '{"Addrs":{"12D3KooW":["/ip4/127.0.0.1/tcp/9"]}}'),
    "routing/findprovs": (200, f'{{"Type":4,"ID":"","Extra":"","Responses":[{{{_PEER},"Addrs":[]}}]}}\n'),
    "routing/provide": (200, ""),
    "files/ls": (200, f'{{"Entries":[{{"Name":"kept","Type":0,"Size":11,"Hash":"{STORY_CID}"}}]}}'),
    "files/stat": _at_path,
    "files/write": (200, ""),
    "files/mv": (200, ""),
    "files/read": (200, "hello world"),
    "ping": (200, '{"Success":true,"Time":2000000,"Text":""}\n'),
    "repo/verify": (200, '{"Msg":"","Progress":3}\n'),
    "routing/findpeer": (200, f'{{"Type":2,"ID":"","Extra":"","Responses":[{{{_PEER},"Addrs":[]}}]}}\n'),
    "routing/get": _record,
    "routing/put": (200, ""),
    "files/mkdir": (200, ""),
    "files/rm": (200, ""),
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
    (folder / "stories").mkdir()
    for name, end in (("one", ""), ("two", " It rained.")):
        (folder / "stories" / name).write_text(STORY + end)
    list(node.store.put([folder / "stories"]))
    node.search.keeping.add([])
    node.search.tags.add(node.store.stat(f"{cid}/hello.txt").cid, ["old"])
    node.search.saved.add("kept", Asked("storm"))

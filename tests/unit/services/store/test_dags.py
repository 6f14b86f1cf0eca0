"""DAGs, single blocks, pins and places, through the service."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli.content import car, dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Conflict, Invalid, LimitReached, NotFound, UnsupportedContent
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store import Store
from tests.unit.services.store.content import MIB, objects, pattern

Make = Callable[[str, bytes], Path]


def value(blob: Blob) -> object:
    return json.loads(b"".join(map(bytes, blob)))


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> str:
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "hello").write_text("hello world")
    (tmp_path / "folder" / "sub" / "large").write_bytes(pattern(3 * MIB))
    (stored,) = store.put([tmp_path / "folder"])
    return stored.cid


def test_a_value_comes_back_as_it_was_put_by_its_path_and_through_its_links(store: Store, folder: str) -> None:
    link = json.dumps({"to": {"/": folder}, "list": [1, {"deep": "text"}]})
    put = store.dags.put(text=link)
    assert (put.codec, put.complete, put.kept) == ("dag-cbor", True, True)
    assert value(store.dags.get(put.cid)) == json.loads(link)
    assert value(store.dags.get(f"{put.cid}/list/1/deep")) == "text"
    assert value(store.dags.get(f"{put.cid}/to/hello")) == {"/": {"bytes": "aGVsbG8gd29ybGQ"}}
    assert store.dags.resolve(f"{put.cid}/list/1").model_dump() == {
        "cid": put.cid,
        "remaining": "list/1",
        "kind": "map",
    }
    assert store.dags.resolve(f"{put.cid}/to/sub/large").kind == "file"


def test_the_identity_of_a_value_is_that_of_other_tools(store: Store) -> None:
    # The CIDs of these values under dag-cbor and dag-json as the JavaScript codecs compute them.
    assert (
        store.dags.put(text='{"hello": "world"}').cid == "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae"
    )
    stored = store.dags.put(text='{"b": 1, "a": [true, null]}', store_codec="dag-json")
    assert stored.cid == str(CID.of(b'{"a":[true,null],"b":1}', 0x0129))


def test_a_folder_is_shown_as_its_dag_pb_and_can_be_put_again_from_that(store: Store, folder: str) -> None:
    shown = store.dags.get(folder)
    text = b"".join(map(bytes, shown)).decode()
    assert {link["Name"] for link in json.loads(text)["Links"]} == {"hello", "sub"}
    assert store.dags.put(text=text, store_codec="dag-pb").cid == folder


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("{", {}),
        ('{"/": {"bytes": "AA=="}}', {}),
        ("[1]", {"store_codec": "raw"}),
        ('{"Links": [{"Name": "no hash"}]}', {"store_codec": "dag-pb"}),
        ("text", {"input_codec": "dag-cbor", "store_codec": "dag-cbor"}),
    ],
)
def test_what_is_no_value_of_the_codec_is_refused(store: Store, text: str, options: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        store.dags.put(text=text, **options)  # type: ignore[arg-type]
    assert store.ls().entries == []


def test_paths_that_lead_nowhere_are_not_found(store: Store, folder: str) -> None:
    document = store.dags.put(text='{"list": [1]}').cid
    for reference in (f"{folder}/nothing", f"{folder}/hello/below", f"{document}/list/1", f"{document}/list/x"):
        with pytest.raises(NotFound):
            store.dags.get(reference)
    with pytest.raises(NotFound):
        store.dags.get(str(CID.of(b"nowhere", DAG_CBOR)))


def test_a_dag_is_measured_each_block_once_and_what_is_missing_is_named(store: Store, folder: str) -> None:
    found = store.dags.stat(folder)
    assert found.complete
    assert found.blocks == store.stat(folder).blocks
    assert found.size_bytes > 3 * MIB
    absent = CID.of(b"absent")
    partial = store.dags.put(text=json.dumps([{"/": folder}, {"/": str(absent)}]))
    assert not partial.complete
    assert partial.kind == "partial"
    found = store.dags.stat(partial.cid)
    assert (found.missing_blocks, found.missing) == (1, [str(absent)])
    for limits in ({"max_blocks": 3}, {"max_bytes": MIB}):
        with pytest.raises(LimitReached):
            store.dags.stat(folder, **limits)


def test_two_folders_are_compared_by_name(store: Store, folder: str, tmp_path: Path) -> None:
    (tmp_path / "folder" / "hello").write_text("other")
    (tmp_path / "folder" / "new").write_text("new")
    (other,) = store.put([tmp_path / "folder"])
    assert [(change.kind, change.path) for change in store.dags.diff(folder, other.cid)] == [
        ("changed", "hello"),
        ("added", "new"),
    ]
    before, after = store.dags.put(text='{"a": [1, 2]}').cid, store.dags.put(text='{"a": [1, 3.5]}').cid
    (change,) = store.dags.diff(before, after)
    assert (change.path, change.before, change.after) == ("a/1", 2, 3.5)


def test_a_part_of_a_file_is_exported_with_the_way_to_it(store: Store, folder: str, tmp_path: Path) -> None:
    store.dags.export(f"{folder}/sub/large", tmp_path / "part.car", byte_range=f"{MIB}:{MIB + 9}")
    with (tmp_path / "part.car").open("rb") as stream:
        reader = car.open_reader(stream)
        blocks = {block.cid: block.data for block in reader.blocks}
    assert [str(root) for root in reader.roots] == [folder]
    # The root, the folder, the file, and the one leaf with these bytes.
    assert len(blocks) == 4
    assert pattern(3 * MIB)[MIB : 2 * MIB] in blocks.values()
    with pytest.raises(Invalid):
        store.dags.export(folder, tmp_path / "none.car", byte_range="nine")
    assert not (tmp_path / "none.car").exists()


def split_car(whole: Path, first: Path, second: Path) -> None:
    """Give every other leaf to the second file."""
    with whole.open("rb") as stream:
        reader = car.open_reader(stream)
        blocks = list(reader.blocks)
    leaves = [block for block in blocks if block.cid.codec == 0x55]
    late = leaves[::2]
    for path, chosen in ((first, [block for block in blocks if block not in late]), (second, late)):
        buffer = io.BytesIO()
        car.write(buffer, [reader.roots[0] if path == first else late[0].cid], chosen)
        path.write_bytes(buffer.getvalue())


def test_a_file_that_came_in_two_halves_becomes_whole_with_the_second(
    store: Store, folder: str, home: Path, tmp_path: Path
) -> None:
    whole, first, second = (tmp_path / name for name in ("whole.car", "first.car", "second.car"))
    large = store.stat(f"{folder}/sub/large").cid
    store.export_car(large, whole)
    split_car(whole, first, second)
    store.remove([folder])
    store.gc()
    assert objects(home) == []

    partial = store.import_car(first)
    assert not partial.complete
    assert objects(home) == []
    store.import_car(second)

    assert len(objects(home)) == 2  # The file, and the leaf that the second half names as a root.
    assert store.object_path(CID.parse(large)).read_bytes() == pattern(3 * MIB)
    assert {entry.kind for entry in store.ls().entries if entry.cid == large} == {"file"}
    assert store.check() == []
    store.gc()
    assert b"".join(store.open(large)) == pattern(3 * MIB)


@pytest.mark.parametrize("hash_name", ["sha2-256", "sha2-512", "blake3"])
def test_a_block_is_kept_under_any_hash_and_checked_when_it_is_read(store: Store, hash_name: str) -> None:
    put = store.single.put(text="some bytes", hash_name=hash_name)
    assert store.single.stat(put.cid).hash == hash_name
    assert b"".join(map(bytes, store.single.get(put.cid))) == b"some bytes"
    store.verify()
    store.gc()
    assert store.single.stat(put.cid).size_bytes == 10


def test_a_block_of_bytes_that_are_not_of_the_codec_or_too_many_is_refused(store: Store, make: Make) -> None:
    with pytest.raises(Invalid, match="dag-cbor"):
        store.single.put(text="{", codec="dag-cbor")
    with pytest.raises(LimitReached):
        store.single.put(make("large", bytes(5 * MIB)))
    with pytest.raises(Invalid):
        store.single.put()


def test_a_block_comes_from_the_callers_input(store: Store) -> None:
    with using(Call(input=lambda: io.BytesIO(b"\x00\xff"))):
        assert store.single.put().size_bytes == 2


def test_only_a_block_that_nothing_needs_is_removed(store: Store, folder: str) -> None:
    loose = store.single.put(text="loose", keep=False).cid
    kept = store.single.put(text="kept").cid
    leaf = next(place.file for place in store.where(f"{folder}/sub/large").places)
    for needed in (kept, folder, str(leaf)):
        with pytest.raises(Conflict):
            store.single.remove([loose, needed])
    assert store.single.stat(loose).size_bytes == 5
    assert store.single.remove([loose]).freed_bytes == 5
    with pytest.raises(NotFound):
        store.single.get(loose)


def test_a_cid_is_converted_and_stays_the_same(store: Store) -> None:
    old = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
    (newer,) = store.single.convert([old], version=1, base=None)
    (back,) = store.single.convert([newer.converted], version=0, base=None)
    assert back.converted == old
    (short,) = store.single.convert([old], version=None, base="base36")
    assert CID.parse(short.converted) == CID.parse(newer.converted)
    with pytest.raises(Invalid):
        list(store.single.convert([str(CID.of(b""))], version=0, base=None))


def test_a_recursive_pin_outlives_what_put_its_content(store: Store, folder: str) -> None:
    store.pins.add([folder], name="release")
    store.remove([folder])
    store.gc()
    assert store.stat(f"{folder}/sub/large").whole_file
    assert [(pin.cid, pin.type, pin.name) for pin in store.pins.list().pins] == [(folder, "recursive", "release")]
    with pytest.raises(Conflict, match="pin"):
        store.remove([folder])
    store.pins.remove([folder])
    store.gc()
    with pytest.raises(NotFound):
        store.stat(folder)
    with pytest.raises(NotFound):
        store.pins.remove([folder])


def test_a_direct_pin_keeps_the_block_alone(store: Store, folder: str) -> None:
    store.pins.add([folder], direct=True)
    store.remove([folder])
    store.gc()
    assert store.single.stat(folder).links == 2
    assert store.dags.stat(folder).missing_blocks == 2
    assert store.check() == []


def test_a_recursive_pin_needs_the_whole_dag(store: Store) -> None:
    absent = CID.of(b"absent")
    partial = store.dags.put(text=json.dumps([{"/": str(absent)}]))
    with pytest.raises(NotFound, match=str(absent)):
        store.pins.add([partial.cid])
    with pytest.raises(NotFound):
        store.pins.add([str(absent)], direct=True)
    assert store.pins.list().pins == []


def test_where_names_every_place_every_other_identity_and_every_keeper(
    store: Store, folder: str, tmp_path: Path, home: Path
) -> None:
    (other,) = store.put([tmp_path / "folder" / "sub" / "large"], "unixfs-v0-2015")
    large = store.stat(f"{folder}/sub/large").cid
    assert len(objects(home)) == 2
    found = store.where(large)
    assert found.same_content == [other.cid]
    assert {(keeper.owner, keeper.cid) for keeper in found.kept_by} == {("store", folder)}
    shown = value(store.dags.get(large))
    assert isinstance(shown, dict)
    leaf = shown["Links"][1]["Hash"]["/"]
    place = next(place for place in store.where(leaf).places if place.file == large)
    assert (place.kind, place.offset, place.length) == ("object", MIB, MIB)
    assert store.where(folder).places[0].kind == "database"


def test_a_codec_that_is_not_read_here_says_so(store: Store) -> None:
    data = dagcbor.encode([1])
    strange = CID(1, 0x78, CID.of(data).multihash)
    with store.session() as session:
        session.block(strange, data)
        session.commit()
    with pytest.raises(UnsupportedContent):
        store.dags.get(strange)
    assert store.single.stat(strange).links is None

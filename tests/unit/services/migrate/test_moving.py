"""Files and DAGs brought from place to place, proven, with a receipt each."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    LimitReached,
    NotAuthorised,
    NotFound,
    NothingToDo,
    SomeFailed,
    VerificationFailed,
)
from ipfs_accel_cli.services.migrate.model import Options
from tests.unit.services.migrate.conftest import Go, tree, write


def test_what_is_missing_is_copied_and_what_is_there_does_not_travel(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one", sub__b=b"two" * 700_000)
    assert go("cold:", "lab:kept") == {"a.bin": "copied", "sub/b.bin": "copied"}
    assert tree(places / "lab" / "kept") == tree(places / "cold")
    assert go("cold:", "lab:kept") == {}
    assert node.migrations.plan("cold:", "lab:kept", Options()).unchanged == 2


def test_a_receipt_has_the_cid_that_the_file_has_in_the_store(node: Node, places: Path, go: Go, tmp_path: Path) -> None:
    write(places / "cold", big=b"0123456789" * 400_000)
    go("cold:", "lab:")
    (run,) = node.migrations.history().runs
    (receipt,) = node.migrations.report(run.run).receipts
    (computed,) = node.store.cid_of([places / "cold" / "big.bin"])
    assert receipt.cid == computed.cid
    assert (receipt.source, receipt.destination) == ("cold:big.bin", "lab:big.bin")


def test_a_changed_receipt_breaks_the_chain(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one", b=b"two", c=b"three")
    go("cold:", "lab:")
    (run,) = node.migrations.history().runs
    assert node.migrations.report(run.run).chain == "whole"
    with node.database.write() as connection:
        connection.execute("UPDATE migrate_receipts SET receipt = replace(receipt, 'b.bin', 'x.bin')")
    report = node.migrations.report(run.run)
    assert (report.chain, report.broken_at) == ("broken", 2)


def test_a_move_leaves_nothing_behind_but_what_it_could_not_prove(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one", b=b"two")
    write(places / "lab", b=b"TWO")
    with pytest.raises(SomeFailed):
        go("cold:", "lab:", action="move", immutable=True)
    assert tree(places / "cold") == {"b.bin": b"two"}
    assert tree(places / "lab") == {"a.bin": b"one", "b.bin": b"TWO"}


def test_a_move_reads_back_what_is_there_already_before_it_deletes(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one")
    go("cold:", "lab:")
    stamp = (places / "lab" / "a.bin").stat()
    (places / "lab" / "a.bin").write_bytes(b"ONE")
    import os

    os.utime(places / "lab" / "a.bin", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(SomeFailed):
        go("cold:", "lab:", action="move")
    assert tree(places / "cold") == {"a.bin": b"one"}
    assert go("cold:", "lab:", action="move") == {"a.bin": "moved"}
    assert (tree(places / "cold"), tree(places / "lab")) == ({}, {"a.bin": b"one"})


def test_a_sync_replaces_what_differs_and_deletes_only_when_told(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"new!", b=b"same")
    write(places / "lab", a=b"old", b=b"same", c=b"extra")
    assert go("cold:", "lab:", action="sync")["a.bin"] == "replaced"
    assert "c.bin" in tree(places / "lab")
    assert go("cold:", "lab:", action="sync", delete=True) == {"c.bin": "deleted"}
    assert tree(places / "lab") == tree(places / "cold")


def test_an_empty_source_does_not_empty_the_destination(node: Node, places: Path, go: Go) -> None:
    write(places / "lab", a=b"one")
    with pytest.raises(Conflict):
        go("cold:", "lab:", action="sync", delete=True)
    assert go("cold:", "lab:", action="sync", delete=True, force=True) == {"a.bin": "deleted"}


def test_a_filter_leaves_the_rest_alone_on_both_sides(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"x" * 10, b=b"x" * 5000)
    write(places / "lab", c=b"x" * 6000, d=b"x")
    found = go("cold:", "lab:", action="sync", delete=True, where="size>1KiB")
    assert found == {"b.bin": "copied", "c.bin": "deleted"}
    assert set(tree(places / "lab")) == {"b.bin", "d.bin"}


def test_a_dag_travels_with_what_joins_it(node: Node, places: Path, go: Go, tmp_path: Path) -> None:
    write(tmp_path / "made", a=b"one", sub__b=b"two")
    (stored,) = node.store.put([tmp_path / "made"])
    assert go(stored.cid, "cold:") == {stored.cid: "copied"}
    assert go("cold:", "here:") == {}
    node.store.remove([stored.cid])
    node.store.gc()
    assert go("cold:", "here:") == {stored.cid: "copied"}
    assert node.store.open(f"{stored.cid}/sub/b.bin").structured().data == "two"


def test_a_dag_that_passes_through_is_not_kept_here(node: Node, places: Path, go: Go, tmp_path: Path) -> None:
    write(tmp_path / "made", a=b"one" * 1000)
    (stored,) = node.store.put([tmp_path / "made"])
    go(stored.cid, "cold:")
    node.store.remove([stored.cid])
    node.store.gc()
    assert go(stored.cid, "lab:") == {stored.cid: "copied"}
    node.store.gc()
    assert not node.store.ls().entries
    node.store.exchange.verify([stored.cid], "lab")


def test_check_names_every_difference(node: Node, places: Path) -> None:
    write(places / "cold", a=b"one", b=b"two", c=b"only here")
    write(places / "lab", a=b"one", b=b"TWO", d=b"only there")
    told = []
    with pytest.raises(VerificationFailed):
        told.extend(node.migrations.check("cold:", "lab:", Options()))
    rows = []
    with pytest.raises(VerificationFailed):
        for row in node.migrations.check("cold:", "lab:", Options()):
            rows.append(f"{row.symbol} {row.name}")
    assert rows == ["= a.bin", "* b.bin", "+ c.bin", "- d.bin"]
    with pytest.raises(VerificationFailed) as raised:
        list(node.migrations.check("cold:", "lab:", Options(compare="size")))
    assert {one["pointer"] for one in raised.value.errors} == {"c.bin", "d.bin"}


def test_a_full_check_sees_damage_that_no_listing_shows(node: Node, places: Path, go: Go) -> None:
    import os

    write(places / "cold", a=b"one")
    go("cold:", "lab:")
    stamp = (places / "lab" / "a.bin").stat()
    (places / "lab" / "a.bin").write_bytes(b"eno")
    os.utime(places / "lab" / "a.bin", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert [row.symbol for row in node.migrations.check("cold:", "lab:", Options())] == ["="]
    with pytest.raises(VerificationFailed):
        list(node.migrations.check("cold:", "lab:", Options(compare="full")))
    assert go("cold:", "lab:") == {"a.bin": "replaced"}
    assert tree(places / "lab") == {"a.bin": b"one"}


def test_a_run_ends_at_its_most_bytes_and_goes_on_as_the_same_run(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"x" * 600, b=b"x" * 600, c=b"x" * 600)
    with pytest.raises(LimitReached):
        go("cold:", "lab:", max_transfer=1300)
    assert set(tree(places / "lab")) == {"a.bin", "b.bin"}
    assert [one.state for one in node.migrations.status().runs] == ["interrupted"]
    assert go("cold:", "lab:") == {"c.bin": "copied"}
    (run,) = node.migrations.history().runs
    assert (run.state, run.done) == ("done", 3)


def test_every_change_is_on_the_event_log(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one")
    go("cold:", "lab:")
    told = [one.kind for one in events.since(node.database, 0, ["migrate"])]
    assert told == ["began", "item-done", "done"]


def test_what_cannot_be_meant_is_refused(node: Node, places: Path, go: Go) -> None:
    for source, destination in (("cold:", "cold:sub"), ("nothing", "lab:"), ("cold:../x", "lab:"), ("cold:", "lab")):
        with pytest.raises(Invalid):
            go(source, destination)
    with pytest.raises(NotFound):
        go("cold:mistyped", "lab:")
    with pytest.raises(Invalid):
        go("cold:", "lab:", action="move", verify="metadata")
    with pytest.raises(NothingToDo):
        list(node.migrations.migrate("cold:", "lab:", Options(), error_on_no_op=True))


@pytest.mark.parametrize(("source", "destination"), [("./In Flight", "cold:"), ("cold:", "./In Flight")])
def test_for_a_folder_the_next_command_names_it(places: Path, go: Go, source: str, destination: str) -> None:
    with pytest.raises(Invalid) as raised:
        go(source, destination)
    assert (
        raised.value.suggestion
        == f"ipfs-accel store backend add in-flight local --path '{Path('In Flight').absolute()}'"
    )


def test_who_may_not_delete_moves_nothing(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one")
    with using(Call(Principal("guest", "mcp", frozenset({"migrate:write"})))), pytest.raises(NotAuthorised):
        go("cold:", "lab:", action="move")
    assert tree(places / "lab") == {}


def test_a_home_without_content_of_its_own_can_rescue(node: Node, places: Path) -> None:
    assert list(node.migrations.rescue("cold", ["lab:"])) == []


def test_what_differs_in_its_bytes_alone_is_replaced_unless_that_is_forbidden(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"new")
    write(places / "lab", a=b"old")
    with pytest.raises(SomeFailed):
        go("cold:", "lab:", immutable=True)
    assert tree(places / "lab") == {"a.bin": b"old"}
    go("cold:", "lab:")
    assert tree(places / "lab") == {"a.bin": b"new"}


def test_status_counts_what_a_run_has_done(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"x" * 600, b=b"x" * 600, c=b"x" * 600)
    with pytest.raises(LimitReached):
        go("cold:", "lab:", max_transfer=1300)
    (run,) = node.migrations.status().runs
    assert (run.done, run.pending, run.failed, run.retries, run.moved_bytes) == (2, 1, 0, 0, 1200)
    assert run.rate_bytes_s is not None
    assert run.began_at <= (run.last_at or "")


def test_a_plan_tells_how_wrong_earlier_ones_were(node: Node, places: Path, go: Go) -> None:
    write(places / "cold", a=b"one")
    go("cold:", "lab:")
    assert node.migrations.plan("cold:", "lab:", Options()).seconds_error is None
    with node.database.write() as connection:
        connection.execute(
            "UPDATE migrate_runs SET foreseen = json_set(foreseen, '$.seconds', 10),"
            " began_at = '2026-01-01T00:00:00.000+00:00', ended_at = '2026-01-01T00:00:12.000+00:00'"
        )
    assert node.migrations.plan("cold:", "lab:", Options()).seconds_error == pytest.approx(0.2)
    (run,) = node.migrations.history().runs
    assert node.migrations.report(run.run).seconds_error == pytest.approx(0.2)
    assert node.migrations.plan("lab:", "cold:", Options()).seconds_error is None


@pytest.mark.parametrize(
    ("name", "form", "begins"),
    [
        ("r.html", "html", "<!doctype html>"),
        ("R.MD", "markdown", "# "),
        ("r.json", "json", "{"),
        ("r.json", None, "# "),
    ],
)
def test_a_report_has_the_form_that_its_file_is_called_by(
    node: Node, places: Path, go: Go, tmp_path: Path, name: str, form: str | None, begins: str
) -> None:
    write(places / "cold", a=b"a")
    go("cold:", "lab:")
    run = node.migrations.history().runs[0].run
    told = node.migrations.write_report(run, str(tmp_path / name), None if form else "markdown")

    assert told.form == (form or "markdown")
    assert (tmp_path / name).read_text().lower().startswith(begins)


def test_a_report_of_no_known_form_is_not_written(node: Node, places: Path, go: Go, tmp_path: Path) -> None:
    write(places / "cold", a=b"a")
    go("cold:", "lab:")
    run = node.migrations.history().runs[0].run
    with pytest.raises(Invalid, match="--form"):
        node.migrations.write_report(run, str(tmp_path / "r.xls"))
    assert not (tmp_path / "r.xls").exists()

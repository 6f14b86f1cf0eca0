"""Assistants detach, too: one output schema for both answers, and the job runs with what they may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from ipfs_accel_cli import Node
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.services.job.worker import Plan
from ipfs_accel_cli.surfaces.job.running import runner
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build


def asked(node: Node, folder: Path, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    async def ask() -> list[Any]:
        server = build(node, Selection(("store", "job")), folders=[str(folder)])
        async with Client(server) as client:
            # The client knows the schemas of the list, and checks each answer against them.
            await client.list_tools()
            return [await client.call_tool(tool, arguments) for tool, arguments in calls]

    return anyio.run(ask)


def test_a_detached_tool_answers_with_its_job_and_the_job_with_the_result(node: Node, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello world")
    arguments = {"paths": [str(tmp_path / "file")]}

    plain, detached = asked(node, tmp_path, ("store_put", arguments), ("store_put", {**arguments, "detach": True}))
    job = detached.structured_content["job"]
    assert (job["state"], job["what"]) == ("waiting", f"ipfs-accel store put {tmp_path}/file")

    with using_node(node):
        node.jobs.work(Plan(drain=True), {"command": runner(node)})
    (shown,) = asked(node, tmp_path, ("job_show", {"job": job["job"]}))
    assert shown.structured_content["result"] == plain.structured_content
    assert shown.structured_content["folders"] == [str(tmp_path)]


def test_what_the_server_may_not_do_its_jobs_may_not_either(node: Node, tmp_path: Path) -> None:
    (answer,) = asked(node, tmp_path, ("store_put", {"paths": ["/etc/hostname"], "detach": True}))
    with using_node(node):
        node.jobs.work(Plan(drain=True), {"command": runner(node)})

    (shown,) = asked(node, tmp_path, ("job_show", {"job": answer.structured_content["job"]["job"]}))
    assert shown.structured_content["problem"]["code"] == "not-authorised"

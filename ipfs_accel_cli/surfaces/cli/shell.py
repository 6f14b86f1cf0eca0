"""The call that a shell command runs in: its owner, its node, its progress, its standard input."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from ipfs_accel_cli.core.call import Call, Silent, current, using
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.core.network import forbidden
from ipfs_accel_cli.node import Node, using_node
from ipfs_accel_cli.surfaces.cli.output import Format, Output


@contextmanager
def shell(output: Output, command: str) -> Iterator[Call]:
    """Open a node and a call for one command; close both at the end of the invocation."""
    start = time.perf_counter()
    with ExitStack() as stack:
        node = stack.enter_context(Node(output.home))
        _settle(output, node)
        if output.offline:
            stack.enter_context(forbidden())
        reporter = stack.enter_context(_reporter(output))
        stack.enter_context(using_node(node))
        call = Call(
            reporter=reporter,
            offline=bool(output.offline),
            input=_standard_input(),
            converse=_converse(output),
            command=command,
            read_seconds=node.settings.read_seconds,
        )
        _log_to_stderr()
        stack.enter_context(using(call))
        stack.enter_context(within(output.timeout))
        yield current()
    if output.timings:
        _print_timings(time.perf_counter() - start)


def _settle(output: Output, node: Node) -> None:
    if output.format is None:
        output.format = Format(node.settings.get("output.format"))
    if output.progress is None:
        output.progress = node.settings.get("output.progress")
    if output.offline is None:
        output.offline = node.settings.get("network.offline")


@contextmanager
def _reporter(output: Output) -> Iterator[Any]:
    streams = output.format in (Format.AUTO, Format.TABLE)
    draws = bool(output.progress) and output.format is not Format.QUIET and sys.stderr.isatty()
    if not streams and not draws:
        yield Silent()
        return
    from ipfs_accel_cli.surfaces.cli.progress import Terminal

    with Terminal(draws=draws, streams=streams) as reporter:
        yield reporter


def _standard_input() -> Any:
    """Return what opens standard input, or None when nobody feeds it."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return None

    def opened() -> BinaryIO:
        return sys.stdin.buffer

    return opened


def _converse(output: Output) -> Any:
    """Return what holds a dialogue, or None where nobody types or a program reads the result."""
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        return None
    if output.format not in (Format.AUTO, Format.TABLE):
        return None

    def held(dialogue: Any) -> None:
        from ipfs_accel_cli.surfaces.cli.conversing import converse

        converse(dialogue)

    return held


def _log_to_stderr() -> None:
    import logging

    log = logging.getLogger("ipfs_accel_cli")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def _print_timings(command_s: float) -> None:
    cpu = time.process_time()
    sys.stderr.write(f"timings: command {command_s * 1000:.0f} ms, process CPU {cpu * 1000:.0f} ms\n")

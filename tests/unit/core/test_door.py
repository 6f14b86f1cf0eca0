from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.core import door
from ipfs_accel_cli.core.call import Call, Principal, current, using
from ipfs_accel_cli.core.effects import DELETE, READ, declared_effects, effects
from ipfs_accel_cli.core.errors import Cancelled, Invalid, MalformedContent, NotAuthorised, Offline
from ipfs_accel_cli.core.stream import Stream

NOBODY = Principal("nobody", "test")


class Notebook:
    def __init__(self) -> None:
        self.lines: list[tuple[str, ...]] = []

    def began(self, call: Call, permission: str) -> None:
        self.lines.append(("began", call.principal.name, permission))

    def ended(self, call: Call, permission: str, seconds: float, code: str) -> None:
        assert seconds >= 0
        self.lines.append(("ended", call.principal.name, permission, code))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    book = Notebook()
    monkeypatch.setattr(door, "observers", [book])
    return book


def command(effect: object, body: object) -> object:
    def inner() -> object:
        return body()  # type: ignore[operator]

    inner.__module__ = "ipfs_accel_cli.commands.model"
    return effects(effect)(inner)  # type: ignore[arg-type]


def test_a_principal_without_the_permission_is_stopped_before_anything_runs() -> None:
    ran: list[int] = []
    run = command(DELETE, lambda: ran.append(1))
    with using(Call(principal=NOBODY)), pytest.raises(NotAuthorised, match="model:delete"):
        run()  # type: ignore[operator]
    assert ran == []


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ("model:read", True),
        ("model:*", True),
        ("*:read", True),
        ("*", True),
        ("model:write", False),
        ("store:read", False),
    ],
)
def test_a_permission_is_held_by_name_by_group_by_effect_or_whole(held: str, allowed: bool) -> None:
    assert Principal("someone", "test", frozenset({held})).may("model:read") is allowed


def test_observers_hear_of_success_and_of_failure(notebook: Notebook) -> None:
    command(READ, lambda: 7)()  # type: ignore[operator]

    def fail() -> None:
        raise Malformed("bad block")

    with pytest.raises(MalformedContent, match="bad block"):
        command(READ, fail)()  # type: ignore[operator]
    assert notebook.lines == [
        ("began", "owner", "model:read"),
        ("ended", "owner", "model:read", "ok"),
        ("began", "owner", "model:read"),
        ("ended", "owner", "model:read", "malformed-content"),
    ]


def test_a_stream_keeps_its_call_until_it_is_closed(notebook: Notebook) -> None:
    seen: list[str] = []
    closed: list[bool] = []

    def items() -> Iterator[int]:
        try:
            for number in range(10):
                seen.append(current().command)
                yield number
        finally:
            closed.append(True)

    with using(Call(command="the call")):
        stream = command(READ, lambda: Stream(items()))()  # type: ignore[operator]
    iterator = iter(stream)
    assert [next(iterator), next(iterator)] == [0, 1]
    assert seen == ["the call", "the call"]
    assert len(notebook.lines) == 1
    stream.close()
    assert closed == [True]
    assert notebook.lines[-1] == ("ended", "owner", "model:read", "ok")


def test_an_error_inside_a_stream_is_ours_and_is_heard_once(notebook: Notebook) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise Malformed("half a block")

    stream = command(READ, lambda: Stream(items()))()  # type: ignore[operator]
    with pytest.raises(MalformedContent):
        list(stream)
    stream.close()
    assert [line[-1] for line in notebook.lines] == ["model:read", "malformed-content"]


def test_a_cancelled_call_stops_a_stream_between_items() -> None:
    call = Call()
    with using(call):
        stream = command(READ, lambda: Stream(iter(range(100))))()  # type: ignore[operator]
    iterator = iter(stream)
    next(iterator)
    call.stopped.set()
    with pytest.raises(Cancelled):
        next(iterator)


def test_a_command_must_state_its_effects() -> None:
    with pytest.raises(TypeError, match="lacks @effects"):
        declared_effects(lambda: None)


def test_paths_of_a_confined_caller_stay_in_its_folders(tmp_path: Path) -> None:
    inside = tmp_path / "open"
    inside.mkdir()
    (tmp_path / "secret").write_text("x")
    (inside / "way-out").symlink_to(tmp_path / "secret")
    call = Call(folders=(inside,))
    assert call.path(inside / "file") == inside / "file"
    for text in (inside / ".." / "secret", inside / "way-out", Path("/etc/passwd"), tmp_path / "open-too"):
        with pytest.raises(NotAuthorised):
            call.path(text)
    assert Call().path("/etc/passwd") == Path("/etc/passwd")


def test_the_home_of_nobody_is_refused() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        Call().path("~no-such-user-here/file")


def test_an_offline_call_refuses_what_needs_the_network() -> None:
    with pytest.raises(Offline, match="pulling"):
        Call(offline=True).needs_network("pulling")

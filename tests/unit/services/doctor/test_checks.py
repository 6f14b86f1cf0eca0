"""The doctor's own checks of the home folder and of the libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.doctor import home as home_checks
from ipfs_accel_cli.services.doctor import libraries


def test_a_private_home_is_sound(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure("keys")
    assert [check.state for check in home_checks.folder(home)] == ["ok"]
    assert [check.state for check in home_checks.keys(home)] == ["ok"]


def test_a_home_that_is_not_there_yet_is_sound_and_stays_away(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")
    for look in (home_checks.folder, home_checks.keys):
        assert [check.state for check in look(home)] == ["ok"]
    assert [check.name for check in home_checks.space(home)] == ["disk"]
    assert not (tmp_path / "deep").exists()


def test_a_home_open_to_others_is_a_warning_with_the_line_that_mends_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure()
    home.path.chmod(0o755)
    (check,) = home_checks.folder(home)
    assert (check.state, check.remedy) == ("warning", f"chmod 700 {home.path}")


def test_a_home_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    (check,) = home_checks.folder(Home(tmp_path / "home"))
    assert check.state == "failed"
    assert "not a folder" in check.detail


def test_a_key_open_to_others_fails(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure("keys")
    (home.keys / "node.pem").write_text("secret")
    (home.keys / "node.pem").chmod(0o640)
    (check,) = home_checks.keys(home)
    assert (check.state, check.remedy) == ("failed", f"chmod 600 {home.keys / 'node.pem'}")


@pytest.mark.parametrize(("free_bytes", "state"), [(0, "failed"), (500 << 20, "warning"), (50 << 30, "ok")])
def test_little_room_is_told(tmp_path: Path, free_bytes: int, state: str) -> None:
    check = home_checks.room(free_bytes, tmp_path)
    assert check.state == state
    assert bool(check.remedy) is (state != "ok")


def test_a_missing_part_says_what_is_lost() -> None:
    (check,) = libraries.optional({"surely-not-installed-here": "nothing can be drawn"})
    assert (check.state, check.detail) == ("warning", "not installed: nothing can be drawn")
    assert check.remedy == "pip install surely-not-installed-here"


def test_an_old_python_fails() -> None:
    assert [check.state for check in libraries.python((3, 10, 4))] == ["failed"]
    assert [check.state for check in libraries.python((3, 11, 0))] == ["ok"]


def test_libraries_missing_or_too_old_are_named_with_their_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "example_needs-1.0.dist-info"
    package.mkdir()
    needs = ["numpy>=999", "surely-not-installed-here>=2,<3", "pydantic>=2", "other-extra>=1; extra == 'dev'"]
    needs += ["only-elsewhere>=1; sys_platform == 'plan9'", "torch>=999"]
    lines = "".join(f"Requires-Dist: {line}\n" for line in needs)
    (package / "METADATA").write_text(f"Metadata-Version: 2.1\nName: example-needs\nVersion: 1.0\n{lines}")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = list(libraries.required("example-needs"))
    assert [check.state for check in found] == ["failed", "failed"]
    assert [check.remedy for check in found] == [
        "pip install 'numpy>=999'",
        "pip install 'surely-not-installed-here>=2,<3'",
    ]


def test_a_package_that_is_not_installed_is_a_warning() -> None:
    assert [check.state for check in libraries.required("surely-not-installed-here")] == ["warning"]

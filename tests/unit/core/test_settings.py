from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.settings import KEYS, Settings


def settings(home: Path, folder: Path, **environment: str) -> Settings:
    return Settings(Home(home), folder=folder, environment=environment)


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    folder.mkdir()
    home.mkdir()
    assert settings(home, folder).look_up("infer.threads").origin == "default"
    (home / "config.toml").write_text("[infer]\nthreads = 1\n")
    assert settings(home, folder).get("infer.threads") == 1
    (folder / "ipfs-accel.toml").write_text("[infer]\nthreads = 2\n")
    assert settings(home, folder).get("infer.threads") == 2
    found = settings(home, folder, IPFS_ACCEL_INFER_THREADS="3").look_up("infer.threads")
    assert (found.value, found.origin) == (3, "$IPFS_ACCEL_INFER_THREADS")


def test_what_was_set_is_read_back_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[mine]\nnote = "keep me"\n')
    settings(tmp_path, tmp_path).set("infer.cache-bytes", "2GiB")
    assert settings(tmp_path, tmp_path).get("infer.cache-bytes") == 2 << 30
    assert "keep me" in (tmp_path / "config.toml").read_text()
    assert (tmp_path / "config.toml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("infer.threads", "many"),
        ("output.progress", "perhaps"),
        ("store.cid-profile", "v9"),
        ("infer.cache-bytes", "2 apples"),
    ],
)
def test_a_wrong_value_is_refused_and_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        settings(tmp_path, tmp_path).set(name, value)
    assert not (tmp_path / "config.toml").exists()


def test_a_misspelt_name_is_answered_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"did you mean infer\.threads"):
        settings(tmp_path, tmp_path).get("infer.thread")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[infer\n")
    with pytest.raises(Invalid, match=r"config\.toml is not valid TOML"):
        settings(tmp_path, tmp_path / "elsewhere").get("infer.threads")


def test_every_default_passes_its_own_check(tmp_path: Path) -> None:
    assert {setting.key.name for setting in settings(tmp_path, tmp_path).all()} == set(KEYS)

"""Settings of a deployment that nothing here could run are refused when they are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.commands.model import deploy
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.deploy.config import Deployment
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("server=llama-server", "no GGUF file"),
        ("engine=wibble", "no engine 'wibble'; there are: auto, torch"),
        ("device=wibble:9", "no device 'wibble:9'; there are: auto, cpu"),
    ],
)
def test_what_nothing_here_could_run_makes_no_version(node: Node, tmp_path: Path, setting: str, told: str) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    node.models.deploys.new("chat", "tiny")

    with pytest.raises(Invalid, match=told):
        node.models.deploys.new("chat", assignments=[setting])

    assert node.models.deploys.show("chat").version == 1
    assert node.models.deploys.new("chat", assignments=["device=cuda:1", "engine=torch"]).version == 2


def test_the_help_names_every_setting() -> None:
    text = str(deploy.new.__doc__)
    settable = Deployment.model_fields.keys() - {"model", "manifest"}
    assert [name for name in settable if name not in text] == []

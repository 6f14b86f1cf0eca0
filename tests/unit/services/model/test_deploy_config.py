"""What a deployment's configuration takes, and what it refuses."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.deploy.config import Deployment, assigned, checked, read_toml

MANIFEST = "bafyreiaqiaoocv4kda52bddhluckdpifhwrikr343cf4324t4fvhbx7ise"
LEAST = {"model": "tiny@1", "manifest": MANIFEST, "server": "accel"}
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Cf", "Co", "Zs")), max_size=30)


def made(**values: object) -> Deployment:
    return checked({**LEAST, **values})


@given(
    st.dictionaries(st.from_regex(r"[a-z]([a-z.-]{0,5}[a-z])?", fullmatch=True), LINES, max_size=4),
    st.lists(LINES.filter(lambda text: not text.startswith("-")), max_size=4),
    st.integers(1, 65535),
    st.none() | st.floats(0.01, 4096),
)
def test_a_configuration_comes_back_from_its_block_and_from_its_toml(
    labels: dict[str, str], words: list[str], port: int, cores: float | None
) -> None:
    config = made(labels=labels, extra_args=words, port=port, cpu_limit=cores)
    cid, data = config.encode()
    assert Deployment.decode(data) == config
    assert Deployment.decode(data).encode() == (cid, data)
    assert checked(read_toml(config.toml().encode(), "it")) == config


def test_a_default_that_is_spelled_out_is_the_same_configuration() -> None:
    assert made(host="127.0.0.1", port=8080, labels={}, extra_args=[], context=None).encode() == made().encode()


def test_an_unknown_setting_is_refused_with_the_name_that_was_meant() -> None:
    with pytest.raises(Invalid, match="'contxt'; did you mean 'context'"):
        made(contxt=1)
    with pytest.raises(Invalid, match="did you mean 'parallel'"):
        assigned(LEAST, ["paralel=2"])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("port", 0),
        ("context", "many"),
        ("host", "a.example"),
        ("api_key_env", "not a name"),
        ("memory_limit", "much"),
        ("memory_limit", "1KiB"),
        ("server", "apache"),
        ("manifest", "bafy"),
        ("cpu_limit", float("inf")),
        ("device", "cuda;rm"),
        ("alias", "a\nb"),
        ("image", "a b"),
        ("labels", {"a": "line\nline"}),
        ("labels", {"a b": "x"}),
        ("labels", {"a": "\u2028"}),
        ("extra_args", ["a\x00b"]),
    ],
)
def test_what_no_server_could_take_is_refused_and_named(setting: str, value: object) -> None:
    with pytest.raises(Invalid, match=f"^{setting}"):
        made(**{setting: value})


def test_several_wrong_settings_are_all_named() -> None:
    with pytest.raises(Invalid, match="2 settings are wrong") as caught:
        made(threads=0, batch=0)
    assert [one["pointer"] for one in caught.value.errors] == ["/threads", "/batch"]


@pytest.mark.parametrize("word", ["--api-key", "--api-key=abc", "--hf-token", "--host", "--port=1", "-m", "--http"])
def test_extra_words_hold_no_secret_and_none_of_the_other_settings(word: str) -> None:
    with pytest.raises(Invalid, match="extra_args"):
        made(extra_args=[word, "x"])


def test_a_key_that_is_given_where_its_name_belongs_is_neither_taken_nor_told() -> None:
    with pytest.raises(Invalid, match="api_key_env") as caught:
        made(api_key_env="sk-0123456789abcdef")
    assert "0123" not in json.dumps(caught.value.problem())


def test_an_address_that_others_reach_needs_the_name_of_a_key() -> None:
    with pytest.raises(Invalid, match="api_key_env"):
        made(host="0.0.0.0")
    with pytest.raises(Invalid, match="api_key_env"):
        made(host="::")
    assert made(host="0.0.0.0", api_key_env="KEY").public
    assert not made(host="::1").public
    assert not made(host="localhost").public


def test_assignments_set_take_off_and_split_like_a_shell() -> None:
    values = {**LEAST, "labels": {"team": "search"}, "context": 4096}
    found = assigned(
        values, ["context=", "labels.team=", "labels.tier=gold=1", "extra_args=--grammar 'a b'", "cpu-limit=2"]
    )
    assert found == {
        **LEAST,
        "labels": {"tier": "gold=1"},
        "extra_args": ["--grammar", "a b"],
        "cpu_limit": "2",
    }
    assert checked(found).cpu_limit == 2
    for wrong in ("context", "extra_args='open", "model=other", "manifest=bafy"):
        with pytest.raises(Invalid):
            assigned(values, [wrong])


def test_a_file_that_is_no_toml_says_where() -> None:
    with pytest.raises(Invalid, match=r"chat.toml is not TOML: .*line 1"):
        read_toml(b"= 1", "chat.toml")
    assert tomllib.loads(made().toml())["server"] == "accel"

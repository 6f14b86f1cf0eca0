"""llama.cpp, and endpoints in front of a server of llama.cpp, through the suite of all engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed: pip install 'ipfs-accel[llama-cpp]'")

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Engine, Loadable, Machine, ModelFacts, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Message, Messages, Pairs, Prompt
from ipfs_accel_cli.engines.llamacpp.engine import LlamaCppEngine
from ipfs_accel_cli.engines.llamacpp.process import start
from ipfs_accel_cli.engines.remote.engine import RemoteEngine
from ipfs_accel_cli.engines.remote.record import RECORD, Record
from ipfs_accel_cli.services.model import facts as facts_of
from ipfs_accel_cli.tasks.pairs import Rerank
from tests.conformance.engine_suite import chunks_of, write
from tests.conformance.writing_suite import EngineSuite
from tests.servers import tiny_gguf

Loaded = Callable[..., Session]
SCHEMA = '{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"],"additionalProperties":false}'


@pytest.fixture(scope="session")
def gguf_model(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    folder = tmp_path_factory.mktemp("gguf")
    path = tiny_gguf.write(folder / "tiny.gguf")
    known = facts_of.read({"tiny.gguf": path}).body()
    body = {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
    fields = {key: body[key] for key in ("architectures", "model_type", "tasks", "parameters", "weight_bytes", "dtype")}
    facts = ModelFacts("tiny", "cid", files=("tiny.gguf",), context_tokens=body["context_tokens"], **fields)
    return Loadable(facts, folder)


@pytest.fixture(scope="module")
def address(gguf_model: Loadable) -> Iterator[tuple[str, str]]:
    asked = {"model": str(gguf_model.folder / "tiny.gguf"), "context": 256, "slots": 1, "batch": 256, "threads": 1}
    process = start({**asked, "pooling": "mean"}, "tiny")
    yield process.address, process.key
    process.stop()


@pytest.fixture(scope="module")
def loaded(gguf_model: Loadable) -> Iterator[Loaded]:
    """Give a session for a task, the same for every test: a server takes half a second to begin."""
    held: list[Session] = []
    shared: dict[str, Session] = {}

    def session(task: str, *, alone: bool = False) -> Session:
        if alone or task not in shared:
            held.append(LlamaCppEngine().load(gguf_model.facts, gguf_model.folder, Plan(task, threads=1)))
            if alone:
                return held[-1]
            shared[task] = held[-1]
        return shared[task]

    yield session
    for one in held:
        one.close()


class TestLlamaCpp(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return LlamaCppEngine()

    @pytest.fixture
    def embedder(self, gguf_model: Loadable) -> Loadable:
        return gguf_model

    @pytest.fixture
    def writer(self, gguf_model: Loadable) -> Loadable:
        return gguf_model

    @pytest.fixture
    def embedding(self, loaded: Loaded, request: pytest.FixtureRequest) -> Session:
        return loaded("embed", alone="closed" in request.node.name)

    @pytest.fixture
    def writing(self, loaded: Loaded, request: pytest.FixtureRequest) -> Session:
        return loaded("generate", alone="closed" in request.node.name)

    def test_an_architecture_it_does_not_know_is_unsupported(self, engine: Engine, embedder: Loadable) -> None:
        # llama.cpp itself says which architectures it knows; without a GGUF file there is nothing to ask it about.
        facts = ModelFacts("n", "cid", ("Nobody",), "nobodys-type", files=("model.safetensors",))
        fit = engine.fit(facts, Machine(8, 0.0, 1 << 40))
        assert (fit.score, fit.supported) == (0, False)

    def test_json_is_held_to_its_schema(self, writing: Session) -> None:
        piece = write(writing, "Is it?", max_tokens=60, schema=SCHEMA)
        assert isinstance(json.loads(piece.text)["a"], bool)

    def test_a_conversation_is_answered_where_the_model_has_a_template(self, writing: Session) -> None:
        request = Request("chat", Messages((Message("user", "Hi"),)), GenerateOptions(max_tokens=3))
        assert chunks_of(writing, request)[-1].data.tokens == 3

    def test_a_conversation_is_answered_by_a_session_that_writes(self, writing: Session) -> None:
        said = (Message("user", "the cat"), Message("assistant", "sat"), Message("user", "on"))
        piece = chunks_of(writing, Request("chat", Messages(said), GenerateOptions(max_tokens=5)))[-1].data
        assert 0 < piece.tokens <= 5
        assert piece.prompt_tokens > 3
        with pytest.raises(Invalid, match="--template"):
            writing.submit(Request("chat", Messages(said, "plain"), GenerateOptions(max_tokens=5)))

    def test_a_model_without_a_template_was_not_made_to_chat(self, gguf_model: Loadable, tmp_path: Path) -> None:
        tiny_gguf.write(tmp_path / "tiny.gguf", template="")
        session = LlamaCppEngine().load(gguf_model.facts, tmp_path, Plan("generate", threads=1))
        with pytest.raises(UnsupportedContent, match="template"):
            session.submit(Request("chat", Messages((Message("user", "Hi"),)), GenerateOptions()))
        session.close()

    def test_a_damaged_file_is_refused_in_the_words_of_llama_cpp(self, gguf_model: Loadable, tmp_path: Path) -> None:
        whole = (gguf_model.folder / "tiny.gguf").read_bytes()
        (tmp_path / "tiny.gguf").write_bytes(whole.replace(b"output_norm.weight", b"output_norm.weighs"))
        with pytest.raises(MalformedContent, match=r"llama\.cpp"):
            LlamaCppEngine().load(gguf_model.facts, tmp_path, Plan("generate", threads=1))


class TestRemote(TestLlamaCpp):
    """An endpoint whose server is that of llama.cpp; what an engine says of this machine does not apply."""

    @pytest.fixture
    def engine(self) -> Engine:
        return RemoteEngine()

    @pytest.fixture
    def embedder(self, address: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loadable:
        monkeypatch.setenv("TINY_KEY", address[1])
        (tmp_path / RECORD).write_text(Record(f"{address[0]}/v1", "model", "TINY_KEY").as_json())
        return Loadable(ModelFacts("endpoint:tiny/model", "endpoint:tiny/model", ("model",), "endpoint"), tmp_path)

    @pytest.fixture
    def writer(self, embedder: Loadable) -> Loadable:
        return embedder

    @pytest.fixture
    def plan(self) -> Plan:
        return Plan("embed", device="remote")

    @pytest.fixture
    def embedding(self, engine: Engine, embedder: Loadable, plan: Plan) -> Iterator[Session]:  # type: ignore[override]
        session = engine.load(embedder.facts, embedder.folder, plan)
        yield session
        session.close()

    @pytest.fixture
    def writing(self, engine: Engine, writer: Loadable) -> Iterator[Session]:  # type: ignore[override]
        session = engine.load(writer.facts, writer.folder, Plan("generate", device="remote"))
        yield session
        session.close()

    def test_the_processor_is_its_first_device(self, engine: Engine) -> None:
        assert [device.name for device in engine.devices()] == ["remote"]

    def test_a_model_larger_than_the_machine_does_not_fit(self, engine: Engine, embedder: Loadable) -> None:
        assert engine.fit(embedder.facts, Machine(8, 0.0, 0)).score > 0

    def test_a_device_that_is_not_there_is_unavailable(self, engine: Engine, embedder: Loadable) -> None:
        with pytest.raises(Exception, match="remote"):
            engine.load(embedder.facts, embedder.folder, Plan("embed", device="cpu"))

    def test_a_prompt_that_leaves_no_room_is_refused_with_the_numbers(self, writing: Session) -> None:
        request = Request("generate", Prompt("word " * 300), GenerateOptions(max_tokens=4))
        error = chunks_of(writing, request)[-1].data
        assert isinstance(error, Invalid)
        assert "256" in error.detail

    def test_json_is_held_to_its_schema(self, writing: Session) -> None:
        messages = Messages((Message("user", "Is it?"),))
        chunks = chunks_of(writing, Request("chat", messages, GenerateOptions(max_tokens=200, schema=SCHEMA)))
        assert isinstance(json.loads("".join(chunk.data.text for chunk in chunks))["a"], bool)

    def test_a_model_without_a_template_was_not_made_to_chat(self) -> None:  # type: ignore[override]
        pytest.skip("the server decides")

    def test_a_damaged_file_is_refused_in_the_words_of_llama_cpp(self) -> None:  # type: ignore[override]
        pytest.skip("no file is here")


def test_a_server_that_ranks_is_asked_to(gguf_model: Loadable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"model": str(gguf_model.folder / "tiny.gguf"), "context": 256, "slots": 1, "batch": 256, "threads": 1}
    process = start({**asked, "pooling": "rank"}, "tiny")
    try:
        monkeypatch.setenv("TINY_KEY", process.key)
        (tmp_path / RECORD).write_text(Record(f"{process.address}/v1", "model", "TINY_KEY").as_json())
        facts = ModelFacts("endpoint:tiny/model", "endpoint:tiny/model", ("model",), "endpoint")
        session = RemoteEngine().load(facts, tmp_path, Plan("rerank", device="remote"))
        pairs = (("cat", "the cat sat"), ("dog", "rain"), ("cat", "sun"))
        found, alone = (
            Rerank().collect(chunks_of(session, Rerank().prepare(Pairs(asked), EmbedOptions()))).rows
            for asked in (pairs, pairs[2:])
        )
        session.close()
    finally:
        process.stop()
    assert found.shape == (3, 1)
    assert numpy.isfinite(found).all()
    assert numpy.allclose(found[2], alone[0], atol=1e-4)


def test_its_process_runs_no_program_that_lies_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("open('ran', 'w').close()\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    asked = {"model": str(tmp_path / "none.gguf"), "context": 64, "slots": 1, "batch": 64, "threads": 1, "pooling": ""}
    with pytest.raises(MalformedContent):
        start(asked, "none")
    assert not (tmp_path / "ran").exists()

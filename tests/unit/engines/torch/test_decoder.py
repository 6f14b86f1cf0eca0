"""Generation of the torch engine beside transformers' own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, TopKLogitsWarper, TopPLogitsWarper

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Plan, Session
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt
from ipfs_accel_cli.engines.torch import memory as memory_module
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.engines.torch.sampling import choose, kept
from ipfs_accel_cli.tasks.generate import Generate
from tests.conformance.engine_suite import chunks_of, write
from tests.conformance.tiny_models import decoder, write_json

pytestmark = pytest.mark.models

PROMPTS = ["the cat sat", "a", "rain on the old tree and the sun", "Ünïcödé €"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return decoder(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="module")
def session(llama: Loadable) -> Session:
    return TorchEngine().load(llama.facts, llama.folder, Plan("generate", threads=1))


def plain(folder: Path, prompt: str, count: int) -> tuple[str, int]:
    """Return what transformers' `generate` adds to the prompt, and how many tokens that is."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    inputs = tokenizer(prompt, return_tensors="pt")
    output = model.generate(**inputs, do_sample=False, max_new_tokens=count, pad_token_id=0)[0]
    text: str = tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text[len(prompt) :], len(output) - inputs["input_ids"].shape[1]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_likeliest_tokens_equal_those_of_transformers(session: Session, llama: Loadable, prompt: str) -> None:
    text, count = plain(llama.folder, prompt, 24)
    piece = write(session, prompt, max_tokens=24)
    assert piece.text == text.rstrip("\ufffd")
    assert piece.tokens == count


def test_the_end_token_ends_the_text_and_is_not_counted(llama: Loadable, session: Session, tmp_path: Path) -> None:
    first = write(session, "the cat", max_tokens=1)
    tokenizer = AutoTokenizer.from_pretrained(llama.folder)
    model = AutoModelForCausalLM.from_pretrained(llama.folder)
    with torch.no_grad():
        end = int(model(**tokenizer("the cat", return_tensors="pt")).logits[0, -1].argmax())
    for source in llama.folder.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    write_json(tmp_path / "generation_config.json", {"eos_token_id": [end, 2]})
    ended = TorchEngine().load(llama.facts, tmp_path, Plan("generate", threads=1))
    piece = write(ended, "the cat")
    assert (piece.text, piece.tokens, piece.finish_reason) == ("", 0, "stop")
    assert first.tokens == 1


def test_every_step_makes_one_token(session: Session) -> None:
    request = Generate().prepare(Prompt("the cat"), GenerateOptions(max_tokens=7))
    counts = [chunk.data.tokens for chunk in chunks_of(session, request)]  # type: ignore[union-attr]
    assert counts == list(range(1, 8))


def test_a_prompt_may_fill_the_context_but_not_more(session: Session) -> None:
    prompt = "the " * 20
    room = 96 - write(session, prompt, max_tokens=1).prompt_tokens
    assert write(session, prompt, max_tokens=room).tokens <= room
    with pytest.raises(Invalid, match=r"97.*96") as caught:
        session.submit(Generate().prepare(Prompt(prompt), GenerateOptions(max_tokens=room + 1)))
    assert caught.value.suggestion == f"--max-tokens {room}"


def test_an_empty_prompt_begins_with_the_begin_token(session: Session) -> None:
    assert write(session, "").prompt_tokens == 1


LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=40, unique=True)


@given(LOGITS, st.integers(1, 50), st.floats(0.05, 0.99))
def test_what_the_cuts_keep_equals_transformers(values: list[float], top_k: int, top_p: float) -> None:
    logits = torch.tensor(values)
    ours = kept(logits, GenerateOptions(top_k=top_k, top_p=top_p))
    theirs = TopPLogitsWarper(top_p)(None, TopKLogitsWarper(min(top_k, len(values)))(None, logits[None]))[0]
    assert torch.equal(ours, theirs)


def test_draws_follow_the_probabilities() -> None:
    logits, generator = torch.log(torch.tensor([0.7, 0.2, 0.1])), torch.Generator().manual_seed(0)
    options = GenerateOptions(temperature=1.0)
    drawn = [choose(logits, options, generator) for _ in range(4000)]
    assert [drawn.count(token) / 4000 for token in range(3)] == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert {choose(logits, replace(options, top_k=1), generator) for _ in range(50)} == {0}
    assert {choose(logits, replace(options, top_p=0.85), generator) for _ in range(200)} == {0, 1}


def test_a_model_larger_than_the_memory_answers_from_the_disk(llama: Loadable, session: Session) -> None:
    tiny = Plan("generate", threads=1, memory_bytes=40_000)
    spread = TorchEngine().load(llama.facts, llama.folder, tiny)
    assert any(parameter.is_meta for parameter in spread._network.model.parameters())  # type: ignore[attr-defined]
    for prompt in PROMPTS:
        assert write(spread, prompt) == write(session, prompt)


def test_a_cache_larger_than_the_free_memory_is_refused(llama: Loadable, monkeypatch: pytest.MonkeyPatch) -> None:
    own = TorchEngine().load(llama.facts, llama.folder, Plan("generate", threads=1))
    monkeypatch.setattr(f"{memory_module.__name__}._WORTH_A_LOOK_BYTES", 0)
    monkeypatch.setattr(memory_module, "available_bytes", lambda: 10_000)
    # 2 layers of keys and values, 1 head of 16 numbers of 4 bytes: 256 bytes a token.
    with pytest.raises(DoesNotFit, match="keys and values") as caught:
        own.submit(Generate().prepare(Prompt("the cat"), GenerateOptions(max_tokens=40)))
    assert caught.value.context["needed_bytes"] > 10_000
    assert caught.value.context["tokens_that_fit"] == 39
    assert write(own, "a", max_tokens=8).tokens > 0


def test_an_answer_that_cannot_fit_is_refused_before_the_weights_are_loaded(
    llama: Loadable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{memory_module.__name__}._WORTH_A_LOOK_BYTES", 0)
    # Loading would fail otherwise: there are no weights.
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(llama.folder / name, tmp_path)
    weights = memory_module.needed_bytes(llama.facts) - memory_module.WORKING_BYTES
    plan = Plan("generate", threads=1, memory_bytes=weights + memory_module.WORKING_BYTES)
    monkeypatch.setattr(memory_module, "cache_bytes", lambda _config, tokens, _dtype: tokens * (16 << 20))
    with pytest.raises(DoesNotFit, match="enough for 16 tokens") as caught:
        TorchEngine().load(llama.facts, tmp_path, replace(plan, tokens=40))
    assert caught.value.context["tokens_that_fit"] == 16
    assert caught.value.context["needed_bytes"] == weights + 40 * (16 << 20)
    for fits in (0, 16):
        with pytest.raises(UnsupportedContent, match="no safetensors"):
            TorchEngine().load(llama.facts, tmp_path, replace(plan, tokens=fits))

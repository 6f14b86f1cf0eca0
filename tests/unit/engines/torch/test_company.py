"""Requests that share passes of the network: the same text as alone, whoever comes and goes, on every architecture."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.auto.configuration_auto import AutoConfig
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
from ipfs_accel_cli.engines.torch.decoder import DecoderSession
from ipfs_accel_cli.engines.torch.decoding import batch as batching
from ipfs_accel_cli.engines.torch.decoding.columns import Columns
from ipfs_accel_cli.tasks.generate import Generate
from tests.conformance.tiny_models import WORDS, byte_tokenizer

pytestmark = pytest.mark.models

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
    "head_dim": 16,
}
GPT: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}
MAMBA: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}
STRETCHED = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
KINDS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "llama": ("llama", SMALL, True),
    "gpt2": ("gpt2", GPT, True),
    "gpt_neox": ("gpt_neox", SMALL | {"rotary_pct": 0.5}, True),
    "mistral with a window": ("mistral", SMALL | {"sliding_window": 8}, True),
    "gemma2, windows in turns": ("gemma2", SMALL | {"sliding_window": 8}, True),
    "bloom": ("bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 2}, True),
    "opt": (
        "opt",
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 64, "word_embed_proj_dim": 32},
        True,
    ),
    "llama, stretched": ("llama", SMALL | {"rope_parameters": STRETCHED}, False),
    "mamba": ("mamba", MAMBA, False),
}


def session_of(kind: str) -> DecoderSession:
    tokenizer = byte_tokenizer()
    torch.manual_seed(4)
    name, size, _ = KINDS[kind]
    config = AutoConfig.for_model(name, vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=None, **size)
    return DecoderSession(AutoModelForCausalLM.from_config(config).eval(), tokenizer, torch.device("cpu"), kind)


def requests_of(chance: random.Random, count: int) -> list[Request]:
    """Return requests of other lengths, half of them with a seed of their own, some with a stop string."""
    made = []
    for at in range(count):
        prompt = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 12)))
        drawn = {"temperature": 0.8, "seed": at} if at % 2 else {"stop": ("e ",)}
        options = GenerateOptions(max_tokens=chance.randint(1, 16), **drawn)  # type: ignore[arg-type]
        made.append(Generate().prepare(Prompt(prompt), options))
    return made


def answers(session: DecoderSession, requests: list[Request], *, arrive: Callable[[], int]) -> list[Piece]:
    """Run the requests, of which so many more arrive before each step."""
    chunks: dict[str, list[Any]] = {request.id: [] for request in requests}
    coming = list(requests)
    while True:
        for _ in range(arrive()):
            if coming:
                session.submit(coming.pop(0))
        moved = session.step()
        for request, chunk in moved:
            chunks[request].append(chunk)
        if not moved and not coming:
            return [Generate().collect(chunks[request.id]) for request in requests]


@pytest.mark.parametrize("kind", list(KINDS))
def test_sixteen_that_come_and_go_answer_as_if_alone(kind: str) -> None:
    session = session_of(kind)
    alone = [answers(session, [request], arrive=lambda: 1)[0] for request in requests_of(random.Random(5), 16)]
    chance = random.Random(6)
    found = answers(session, requests_of(random.Random(5), 16), arrive=lambda: chance.choice((0, 1, 1, 3)))
    assert found == alone
    said = session.about()["concurrency"]
    assert (said == "together") is KINDS[kind][2], said


def test_a_long_prompt_is_read_in_parts_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of("llama")
    long = Generate().prepare(Prompt("the cat sat " * 7), GenerateOptions(max_tokens=8))
    other = Generate().prepare(Prompt("a dog"), GenerateOptions(max_tokens=12))
    whole = answers(session, [long, other], arrive=lambda: 2)
    monkeypatch.setattr(batching, "READ_TOKENS", 16)
    assert answers(session, [other, long], arrive=lambda: 1) == whole[::-1]


def test_an_architecture_that_answers_otherwise_in_company_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if a mask meant nothing to the network: padding is read like text.
    monkeypatch.setattr(Columns, "inputs", lambda *_: {})
    session = session_of("llama")
    requests = requests_of(random.Random(7), 4)
    alone = [answers(session, [request], arrive=lambda: 1)[0] for request in requests]
    assert answers(session, requests, arrive=lambda: 4) == alone
    assert session.about()["concurrency"].startswith("apart: its logits differ by")


def test_one_that_is_aborted_harms_no_other() -> None:
    session = session_of("llama")
    requests = [Generate().prepare(Prompt(f"the {word}"), GenerateOptions(max_tokens=9)) for word in WORDS[2:7]]
    alone = [answers(session, [request], arrive=lambda: 1)[0] for request in requests]
    for request in requests:
        session.submit(request)
    first = session.step()
    for request in (requests[0], requests[3]):
        session.abort(request.id)
    chunks = {request.id: [chunk for id_, chunk in first if id_ == request.id] for request in requests}
    while moved := session.step():
        for id_, chunk in moved:
            chunks[id_].append(chunk)
    for at in (1, 2, 4):
        assert Generate().collect(chunks[requests[at].id]) == alone[at]
    assert len(chunks[requests[0].id]) == 1


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_columns_hold_what_was_written(data: st.DataObject) -> None:
    """Rows join, grow and leave in any order; each holds its own tokens, as a list for each would."""
    columns, rows, value = Columns([0]), [[]], 0

    def write(into: Columns, held: list[list[int]], count: int, *, of: int | None = None) -> None:
        nonlocal value
        into.prepare(count)
        states = torch.zeros(len(held), 1, count, 1)
        for at, row in enumerate(held):
            for column in range(count):
                value += 1
                states[at, 0, column, 0] = value
                if of is None or column >= count - (of if at else count):
                    row.append(value)
        keys, _ = into.cache.update(states, -states, 0)
        into.advance(count, None)
        mask = into.inputs(0, torch.device("cpu")).get("attention_mask")
        for at, row in enumerate(held):
            shown = keys[at, 0, :, 0] if mask is None else keys[at, 0, :, 0][mask[at].bool()]
            assert shown.tolist() == row

    write(columns, rows, data.draw(st.integers(1, 9)))
    for _ in range(data.draw(st.integers(1, 12))):
        action = data.draw(st.sampled_from(["write", "drop", "absorb"]))
        if action == "write":
            write(columns, rows, data.draw(st.sampled_from([1, 1, 1, 50])))
        elif action == "drop" and len(rows) > 1:
            gone = data.draw(st.integers(0, len(rows) - 1))
            columns.drop(gone)
            last = rows.pop()
            if gone < len(rows):
                rows[gone] = last
        elif action == "absorb":
            count = data.draw(st.integers(1, 200))
            short = data.draw(st.integers(1, count))
            joined: list[list[int]] = [[], []]
            other = Columns([0, count - short])
            write(other, joined, count, of=short)
            columns.absorb(other)
            rows += joined

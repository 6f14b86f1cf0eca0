"""A model of random weights, held to a schema, writes nothing but JSON that is valid under it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Plan, Session
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Message, Messages, Piece
from ipfs_accel_cli.engines.torch.constrain import Constraint
from ipfs_accel_cli.tasks.chat import Chat
from tests.conformance.tiny_models import decoder

pytest.importorskip("llguidance")
pytestmark = pytest.mark.models

SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 6},
            "kind": {"enum": ["cat", "dög", "bird"]},
            "old": {"type": "boolean"},
        },
        "required": ["name", "kind", "old"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "minItems": 1, "maxItems": 4},
    {"anyOf": [{"type": "null"}, {"const": "the cat"}]},
    {"type": "string", "pattern": "^[a-c]{2,5}$"},
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    from ipfs_accel_cli.engines.torch.engine import TorchEngine

    model = decoder(tmp_path_factory.mktemp("models") / "tiny-llama")
    return TorchEngine().load(model.facts, model.folder, Plan("generate", threads=1))


def answers(session: Session, *options: GenerateOptions) -> list[Piece]:
    task = Chat()
    requests = [task.prepare(Messages((Message("user", "hi"),), "plain"), one) for one in options]
    chunks: dict[str, list[Any]] = {request.id: [] for request in requests}
    for request in requests:
        session.submit(request)
    while found := session.step():
        for request_id, chunk in found:
            chunks[request_id].append(chunk)
    return [task.collect(chunks[request.id]) for request in requests]


@pytest.mark.parametrize("schema", SCHEMAS, ids=["object", "array", "either", "pattern"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_whatever_is_drawn_is_valid(session: Session, schema: dict[str, Any], seed: int) -> None:
    options = GenerateOptions(70, temperature=1.5 if seed else 0.0, seed=seed, schema=json.dumps(schema))
    (answer,) = answers(session, options)
    assert answer.finish_reason == "stop"
    jsonschema.validate(json.loads(answer.text), schema)


def test_side_by_side_each_request_keeps_to_its_own_schema(session: Session) -> None:
    free = GenerateOptions(8)
    held = [GenerateOptions(70, temperature=1.0, seed=5, schema=json.dumps(schema)) for schema in SCHEMAS]
    alone = [answers(session, one)[0].text for one in (free, *held)]
    together = [one.text for one in answers(session, free, *held)]
    assert together == alone
    for text, schema in zip(together[1:], SCHEMAS, strict=True):
        jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("part", ["allowed", "accept"])
def test_a_schema_that_leads_nowhere_ends_its_own_request_only(
    session: Session, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    free, held = GenerateOptions(8), GenerateOptions(20, schema=json.dumps(SCHEMAS[1]))
    (alone,) = answers(session, free)
    whole = getattr(Constraint, part)
    calls: list[object] = []

    def stuck(self: Constraint, given: Any) -> Any:
        calls.append(given)
        if len(calls) > 2:
            raise Invalid("no token leads to valid JSON from here")
        return whole(self, given)

    monkeypatch.setattr(Constraint, part, stuck)
    task = Chat()
    one, other = (task.prepare(Messages((Message("user", "hi"),), "plain"), options) for options in (held, free))
    chunks: dict[str, list[Any]] = {one.id: [], other.id: []}
    for request in (one, other):
        session.submit(request)
    while found := session.step():
        for of, chunk in found:
            chunks[of].append(chunk)
    assert isinstance(chunks[one.id][-1].data, Invalid)
    assert [chunk.finished for chunk in chunks[one.id]] == [False] * (len(chunks[one.id]) - 1) + [True]
    assert task.collect(chunks[other.id]) == alone


def test_json_that_is_cut_says_so(session: Session) -> None:
    (answer,) = answers(session, GenerateOptions(3, schema=json.dumps(SCHEMAS[0])))
    assert answer.finish_reason == "length"

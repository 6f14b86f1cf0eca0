"""Conversations as the text that a model reads."""

from __future__ import annotations

from typing import Any

import pytest

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.chatting import check_room, rendered, token_ids
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Message, Messages, Prompt, Texts
from tests.conformance.tiny_models import byte_tokenizer

pytestmark = pytest.mark.models
SAID = (Message("system", "Be kind."), Message("user", "the cat"))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return byte_tokenizer()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "Be kind.\nUser: the cat\nAssistant:"),
        (
            "chatml",
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\n",
        ),
    ],
)
def test_a_named_template_shapes_a_conversation(tokenizer: Any, template: str, text: str) -> None:
    assert rendered(tokenizer, Messages(SAID, template), "tiny") == text


def test_a_model_without_a_template_is_refused_with_what_to_do(tokenizer: Any) -> None:
    with pytest.raises(UnsupportedContent, match="--template") as raised:
        rendered(tokenizer, Messages(SAID), "tiny")
    assert raised.value.suggestion == "ipfs-accel infer generate -m tiny PROMPT"


def test_a_template_that_does_not_exist_is_named_with_those_that_do(tokenizer: Any) -> None:
    with pytest.raises(Invalid, match="chatml, plain"):
        rendered(tokenizer, Messages(SAID, "vicuna"), "tiny")


def test_what_a_template_refuses_is_told_in_its_words() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('no system role here') }}"
    with pytest.raises(Invalid, match="no system role here"):
        rendered(tokenizer, Messages(SAID), "tiny")


def test_a_template_cannot_reach_into_the_program() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(Invalid, match="refuses"):
        rendered(tokenizer, Messages(SAID), "tiny")


def test_a_template_alone_decides_how_a_conversation_begins(tokenizer: Any) -> None:
    # The tokenizer puts <bos>, 1, before prompts; a template that wants it writes it.
    prompt = token_ids(tokenizer, Request("generate", Prompt("the"), GenerateOptions()), "tiny")
    said = token_ids(tokenizer, Request("chat", Messages(SAID, "plain"), GenerateOptions()), "tiny")
    assert prompt[0] == 1
    assert 1 not in said
    assert tokenizer.decode(said) == "Be kind.\nUser: the cat\nAssistant:"


def test_another_payload_is_refused(tokenizer: Any) -> None:
    with pytest.raises(Invalid, match="loaded to generate text, not to embed"):
        token_ids(tokenizer, Request("embed", Texts(("a",)), GenerateOptions()), "tiny")


def test_what_is_more_than_the_model_reads_is_told_in_numbers() -> None:
    check_room(6, 4, 10, "tiny")
    check_room(6, 4, None, "tiny")
    with pytest.raises(Invalid, match="7 prompt tokens and 4 new ones are 11; tiny reads 10 at most") as raised:
        check_room(7, 4, 10, "tiny")
    assert raised.value.suggestion == "--max-tokens 3"

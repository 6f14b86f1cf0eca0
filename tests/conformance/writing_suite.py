"""What every engine promises that also writes."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Engine, Loadable, Plan, Session
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Message, Messages, Prompt
from ipfs_accel_cli.tasks.chat import Chat
from ipfs_accel_cli.tasks.generate import Generate
from tests.conformance.engine_suite import (
    PROMPT,
    EncoderSuite,
    all_move_on,
    chunks_of,
    only_last_is_marked,
    prompt_request,
    run,
    write,
)


class EngineSuite(EncoderSuite):
    """For an engine that also generates: give the fixture `writer`, too."""

    @pytest.fixture
    def writer(self) -> Loadable:
        raise NotImplementedError

    @pytest.fixture
    def writing(self, engine: Engine, writer: Loadable) -> Session:
        return engine.load(writer.facts, writer.folder, Plan("generate", threads=1))

    def test_several_prompts_all_move_on(self, writing: Session) -> None:
        all_move_on(writing, prompt_request)

    def test_the_last_piece_is_marked_and_only_that(self, writing: Session) -> None:
        assert only_last_is_marked(writing, prompt_request())
        assert list(writing.step()) == []

    def test_requests_side_by_side_answer_as_if_alone(self, writing: Session) -> None:
        prompts = [PROMPT, "a dog ran", "very old"]
        alone = [write(writing, prompt).text for prompt in prompts]
        requests = [Generate().prepare(Prompt(prompt), GenerateOptions(max_tokens=8)) for prompt in prompts]
        for request in requests:
            writing.submit(request)
        found = run(writing)
        assert [Generate().collect(found[request.id]).text for request in requests] == alone

    def test_an_aborted_request_is_heard_of_no_more(self, writing: Session) -> None:
        keep, drop = prompt_request(), prompt_request()
        writing.submit(keep)
        writing.submit(drop)
        at_once = {request for request, _ in writing.step()}
        writing.abort(drop.id)
        writing.abort("a request that never was")
        later = set(run(writing))
        assert drop.id not in later
        assert keep.id in at_once | later

    def test_likeliest_tokens_are_the_same_each_time(self, writing: Session) -> None:
        assert write(writing, PROMPT) == write(writing, PROMPT)

    def test_a_seed_repeats_and_another_differs(self, writing: Session) -> None:
        def drawn(seed: int) -> str:
            return write(writing, PROMPT, max_tokens=12, temperature=2.0, seed=seed).text

        assert drawn(1) == drawn(1)
        assert len({drawn(seed) for seed in range(6)}) > 1

    def test_no_more_tokens_come_than_asked_for(self, writing: Session) -> None:
        for count in (1, 5):
            piece = write(writing, PROMPT, max_tokens=count)
            assert piece.tokens <= count
            assert piece.finish_reason == "stop" or piece.tokens == count
            assert piece.prompt_tokens > 0

    def test_text_ends_before_a_stop_string(self, writing: Session) -> None:
        whole = write(writing, PROMPT, max_tokens=12).text
        stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
        piece = write(writing, PROMPT, max_tokens=12, stop=(stop,))
        assert piece.text == whole[: whole.index(stop)]
        assert piece.finish_reason == "stop"

    def test_a_conversation_is_answered_by_a_session_that_writes(self, writing: Session) -> None:
        said = (Message("user", "the cat"), Message("assistant", "sat"), Message("user", "on"))
        request = Chat().prepare(Messages(said, "plain"), GenerateOptions(5))
        piece = Chat().collect(chunks_of(writing, request))
        assert 0 < piece.tokens <= 5
        assert piece.prompt_tokens > 3
        with pytest.raises(Invalid, match="100000"):
            writing.submit(Chat().prepare(Messages(said, "plain"), GenerateOptions(max_tokens=100_000)))

    def test_a_prompt_that_leaves_no_room_is_refused_with_the_numbers(self, writing: Session) -> None:
        with pytest.raises(Invalid, match="100000"):
            writing.submit(Generate().prepare(Prompt(PROMPT), GenerateOptions(max_tokens=100_000)))
        assert list(writing.step()) == []

"""What an engine promises for the tasks over texts; derive a class for each task that an engine runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Engine, Loadable, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.text import (
    AnswerOptions,
    EmbedOptions,
    FillOptions,
    GenerateOptions,
    Pairs,
    Prompt,
    RewriteOptions,
    Texts,
)
from ipfs_accel_cli.tasks.marks import FillMask, TokenClassify
from ipfs_accel_cli.tasks.pairs import Answer, Rerank
from ipfs_accel_cli.tasks.rewrite import Translate
from tests.conformance.engine_suite import all_move_on, chunks_of, only_last_is_marked, run

LONG = " ".join(["the old cat sat on the red mat under a tree"] * 8)


class SessionSuite:
    """What holds for every kind: give `engine`, `model` and `request`."""

    task: Any

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.fixture
    def model(self) -> Loadable:
        raise NotImplementedError

    @pytest.fixture
    def session(self, engine: Engine, model: Loadable) -> Session:
        return engine.load(model.facts, model.folder, Plan(self.task.name, threads=1))

    def request(self) -> Request:
        raise NotImplementedError

    def ask(self, session: Session, payload: Any, options: Any) -> Any:
        return self.task.collect(chunks_of(session, self.task.prepare(payload, options)))

    def test_several_requests_all_move_on(self, session: Session) -> None:
        all_move_on(session, self.request)

    def test_the_last_chunk_is_marked_and_only_that(self, session: Session) -> None:
        assert only_last_is_marked(session, self.request())
        assert list(session.step()) == []

    def test_an_aborted_request_is_heard_of_no_more(self, session: Session) -> None:
        keep, drop = self.request(), self.request()
        session.submit(keep)
        session.submit(drop)
        session.abort(drop.id)
        session.abort("a request that never was")
        assert set(run(session)) == {keep.id}

    def test_a_request_of_another_task_is_refused_and_harms_no_other(self, session: Session) -> None:
        request = self.request()
        session.submit(request)
        with pytest.raises(Invalid):
            session.submit(Request("generate", Prompt("the cat"), GenerateOptions()))
        assert set(run(session)) == {request.id}

    def test_it_can_be_closed_twice(self, session: Session) -> None:
        session.submit(self.request())
        session.close()
        session.close()


class RerankSuite(SessionSuite):
    task = Rerank()

    def request(self) -> Request:
        return self.task.prepare(Pairs((("a cat", "the mat"), ("rain", "sun was red"), ("a", "b"))), EmbedOptions(2))

    def test_each_pair_gets_one_score_whatever_its_company(self, session: Session) -> None:
        pairs = (("cat", "the cat sat on the mat"), ("rain", "sun"), ("cat", LONG))
        together = self.ask(session, Pairs(pairs), EmbedOptions(3))
        assert together.rows.shape == (3, 1)
        assert ((together.rows >= 0) & (together.rows <= 1)).all()
        for pair, row in zip(pairs, together.rows, strict=True):
            alone = self.ask(session, Pairs((pair,)), EmbedOptions(1))
            assert numpy.allclose(alone.rows[0], row, atol=1e-5)

    def test_which_text_is_the_query_makes_a_difference(self, session: Session) -> None:
        found = self.ask(session, Pairs((("cat ran", "old sun"), ("old sun", "cat ran"))), EmbedOptions(2))
        assert found.rows[0] != found.rows[1]


class FillSuite(SessionSuite):
    task = FillMask()

    def request(self) -> Request:
        return self.task.prepare(Texts(("the {mask} sat", "a {mask} on a {mask}", "[MASK]")), FillOptions(3, batch=2))

    def test_every_mask_is_filled_in_order_the_likeliest_first(self, session: Session) -> None:
        one, two = self.ask(session, Texts(("the [MASK] sat", "<mask> ran on the {mask} tree")), FillOptions(4))
        assert [len(one), len(two)] == [1, 2]
        for guesses in (*one, *two):
            scores = [guess.score for guess in guesses]
            assert len(guesses) == 4
            assert scores == sorted(scores, reverse=True)
            assert 0 < sum(scores) <= 1.0001

    def test_a_mask_beyond_what_is_read_at_once_is_filled_too(self, session: Session) -> None:
        (masks,) = self.ask(session, Texts((f"the {{mask}} {LONG} on a {{mask}}",)), FillOptions(1))
        assert len(masks) == 2

    def test_guesses_do_not_depend_on_the_company(self, session: Session) -> None:
        texts = ("the {mask} sat on the old mat", "{mask}")
        together = self.ask(session, Texts(texts), FillOptions(2))
        alone = [self.ask(session, Texts((text,)), FillOptions(2))[0] for text in texts]
        for found, expected in zip(together, alone, strict=True):
            assert [one.id for one in found[0]] == [one.id for one in expected[0]]


class TagSuite(SessionSuite):
    task = TokenClassify()

    def request(self) -> Request:
        return self.task.prepare(Texts(("the cat sat", "rain", LONG)), EmbedOptions(1))

    def test_every_token_has_a_label_and_a_place(self, session: Session) -> None:
        texts = ("the cat  sat", "", LONG)
        rows = self.ask(session, Texts(texts), EmbedOptions(2))
        assert rows[1] == ()
        for text, row in zip(texts, rows, strict=True):
            assert [text[tag.start : tag.end] for tag in row] == text.split()
            assert all(0 < tag.score <= 1 for tag in row)

    def test_labels_of_the_same_words_are_the_same_with_others_around(self, session: Session) -> None:
        alone, beside = (self.ask(session, Texts(texts), EmbedOptions(4))[0] for texts in (("a cat",), ("a cat", LONG)))
        assert [tag.label for tag in alone] == [tag.label for tag in beside]


class AnswerSuite(SessionSuite):
    task = Answer()

    def request(self) -> Request:
        return self.task.prepare(Pairs((("the cat", "a dog sat"), ("rain", LONG))), AnswerOptions(batch=2))

    def test_answers_lie_in_the_context_and_share_a_probability(self, session: Session) -> None:
        (found,) = self.ask(
            session, Pairs((("the cat", "a bird ran under the tree"),)), AnswerOptions(top=3, longest=2)
        )
        assert 1 <= len(found.spans) <= 3
        assert found.windows == 1
        assert 0 <= found.nothing + sum(span.score for span in found.spans) <= 1.0001
        for span in found.spans:
            assert len("a bird ran under the tree"[span.start : span.end].split()) in (1, 2)

    def test_a_long_context_is_read_in_windows_to_its_end(self, session: Session) -> None:
        (found,) = self.ask(session, Pairs((("cat", LONG),)), AnswerOptions(top=100, longest=1, stride=4))
        assert found.windows > 1
        assert max(span.end for span in found.spans) > len(LONG) // 2

    def test_a_question_that_leaves_no_room_is_refused(self, session: Session) -> None:
        with pytest.raises(Invalid, match="reads at once"):
            session.submit(self.task.prepare(Pairs(((LONG, "the cat sat on the mat"),)), AnswerOptions()))
        assert list(session.step()) == []


class RewriteSuite(SessionSuite):
    """For engines that translate; `languages` are a source and two targets that the model has, and one it has not."""

    task = Translate()
    languages = ("en", "de", "fr", "ja")
    texts: Sequence[str] = ("the cat sat", "rain on the old red tree", "a bird")

    def options(self, **others: Any) -> RewriteOptions:
        source, target, _, _ = self.languages
        return RewriteOptions(**({"max_tokens": 12, "source": source, "target": target, "batch": 2} | others))

    def request(self) -> Request:
        return self.task.prepare(Texts(tuple(self.texts)), self.options())

    def test_every_text_is_written_whatever_its_company(self, session: Session) -> None:
        together = self.ask(session, Texts(tuple(self.texts)), self.options(batch=3))
        assert [one.position for one in together] == [0, 1, 2]
        for text, one in zip(self.texts, together, strict=True):
            (alone,) = self.ask(session, Texts((text,)), self.options())
            assert (alone.text, alone.tokens, alone.finish_reason) == (one.text, one.tokens, one.finish_reason)
            assert one.tokens <= 12
            assert one.finish_reason == "stop" or one.tokens == 12
            assert one.read > 0

    def test_the_language_makes_a_difference(self, session: Session) -> None:
        _, target, other, _ = self.languages
        one, two = (self.ask(session, Texts(tuple(self.texts)), self.options(target=to)) for to in (target, other))
        assert [found.text for found in one] != [found.text for found in two]

    def test_a_language_it_has_not_is_refused_with_those_it_has(self, session: Session) -> None:
        _, target, _, missing = self.languages
        with pytest.raises(Invalid, match=target):
            session.submit(self.task.prepare(Texts(tuple(self.texts)), self.options(target=missing)))
        assert list(session.step()) == []

    def test_a_seed_repeats_and_another_differs(self, session: Session) -> None:
        def drawn(seed: int) -> list[str]:
            found = self.ask(session, Texts(tuple(self.texts)), self.options(temperature=2.0, seed=seed))
            return [one.text for one in found]

        assert drawn(1) == drawn(1)
        assert len({tuple(drawn(seed)) for seed in range(4)}) > 1

    def test_beams_find_nothing_less_likely_and_do_not_depend_on_company(self, session: Session) -> None:
        together = self.ask(session, Texts(tuple(self.texts)), self.options(beams=3, batch=3))
        for text, one in zip(self.texts, together, strict=True):
            (alone,) = self.ask(session, Texts((text,)), self.options(beams=3))
            assert alone.text == one.text

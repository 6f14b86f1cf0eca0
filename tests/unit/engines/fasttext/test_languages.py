"""Which language a text is in, with the real weights of the catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("fasttext", reason="fasttext-predict is not installed: pip install 'ipfs-accel[language]'")

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, TryAgain, Unavailable
from ipfs_accel_cli.engines.base import Loadable, Machine, ModelFacts, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Prompt, Scores, Texts
from ipfs_accel_cli.engines.fasttext.engine import FastTextEngine
from ipfs_accel_cli.tasks.classify import Classify
from tests.conformance.engine_suite import all_move_on, chunks_of, only_last_is_marked, run

pytestmark = pytest.mark.enable_socket

SENTENCES = {
    "ar": "الكتاب على الطاولة والطقس جميل اليوم.",
    "cs": "Dnes je krásné počasí a děti si hrají venku.",
    "de": "Heute ist das Wetter schön, und die Kinder spielen draußen.",
    "el": "Ο καιρός είναι ωραίος σήμερα και τα παιδιά παίζουν έξω.",
    "en": "The weather is fine today, and the children play outside.",
    "es": "Hoy hace buen tiempo y los niños juegan en la calle.",
    "fi": "Tänään on kaunis ilma ja lapset leikkivät ulkona.",
    "fr": "Il fait beau aujourd'hui, et les enfants jouent dehors.",
    "he": "מזג האוויר יפה היום והילדים משחקים בחוץ.",
    "hu": "Ma szép idő van, és a gyerekek kint játszanak.",
    "it": "Oggi il tempo è bello e i bambini giocano fuori.",
    "ja": "今日は天気がよくて、子どもたちは外で遊んでいます。",
    "ko": "오늘은 날씨가 좋아서 아이들이 밖에서 놀고 있어요.",
    "pl": "Dziś jest ładna pogoda, a dzieci bawią się na dworze.",
    "ru": "Сегодня хорошая погода, и дети играют на улице.",
    "tr": "Bugün hava güzel ve çocuklar dışarıda oynuyor.",
    "zh": "今天天气很好，孩子们在外面玩。",
}


@pytest.fixture(scope="session")
def languages(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    with Node(tmp_path_factory.mktemp("home")) as node:
        try:
            node.models.pull("catalogue:lid-176")
        except (NotFound, TryAgain, Unavailable) as error:
            pytest.skip(f"lid-176 cannot be had here: {error}")
        found = node.models.find("lid-176", "classify")
        folder = tmp_path_factory.mktemp("lid")
        for name in found.facts.files:
            (folder / name).write_bytes((found.folder / name).read_bytes())
        return Loadable(found.facts, folder)


@pytest.fixture
def session(languages: Loadable) -> Session:
    return FastTextEngine().load(languages.facts, languages.folder, Plan("classify"))


def labels(session: Session, *texts: str) -> list[str]:
    found = scored(session, *texts)
    return [found.labels[int(row.argmax())] for row in found.rows]


def scored(session: Session, *texts: str) -> Scores:
    return Classify().collect(chunks_of(session, asked(*texts)))


def asked(*texts: str) -> Request:
    return Classify().prepare(Texts(texts or ("Guten Tag", "Bonjour", "")), EmbedOptions(batch=2))


def test_languages_are_told_apart(session: Session) -> None:
    assert labels(session, *SENTENCES.values()) == list(SENTENCES)


def test_scores_of_all_labels_are_given_and_add_up_to_one(session: Session) -> None:
    found = scored(session, "Guten Tag")
    assert len(found.labels) == len(set(found.labels)) == 176
    assert found.rows.sum() == pytest.approx(1, abs=0.02)
    assert ((found.rows >= 0) & (found.rows <= 1)).all()


def test_lines_nul_and_blanks_are_only_blanks(session: Session) -> None:
    plain, odd = scored(session, "Guten Tag zusammen", "Guten\nTag\0\r\n\t zusammen").rows
    assert (plain == odd).all()


def test_an_empty_or_binary_text_is_uncertain_and_no_error(session: Session) -> None:
    rows = scored(session, "", "\0\x01\x02\ufffd", "12345").rows
    assert (rows.max(axis=1) < 0.5).all()


def test_of_an_endless_text_the_beginning_is_read_and_that_is_told(session: Session) -> None:
    found = scored(session, "Guten Tag zusammen. " * 50_000)
    assert found.truncated == 1
    assert found.labels[int(found.rows[0].argmax())] == "de"


def test_requests_move_on_end_once_and_are_forgotten(session: Session) -> None:
    all_move_on(session, asked)
    assert only_last_is_marked(session, asked())
    keep, drop = asked(), asked()
    session.submit(keep)
    session.submit(drop)
    session.abort(drop.id)
    with pytest.raises(Invalid):
        session.submit(Request("generate", Prompt("a"), EmbedOptions()))
    assert set(run(session)) == {keep.id}
    session.close()
    session.close()


def test_a_file_of_something_else_is_malformed(languages: Loadable, tmp_path: Path) -> None:
    (tmp_path / "lid.176.ftz").write_bytes(b"\xff" * 4096)
    with pytest.raises(MalformedContent):
        FastTextEngine().load(languages.facts, tmp_path, Plan("classify"))


def test_it_takes_nothing_else_and_says_what_it_needs(languages: Loadable) -> None:
    engine = FastTextEngine()
    assert engine.fit(languages.facts, Machine(1, 0.0, 1 << 30)).score == 1
    assert engine.fit(languages.facts, Machine(1, 0.0, 1 << 10)).score == 0
    other = engine.fit(ModelFacts("n", "cid", ("BertModel",), "bert", files=("model.bin",)), Machine(1, 0.0, 1 << 30))
    assert (other.supported, "BertModel" in other.reason) == (False, True)
    assert json.loads((languages.folder / "config.json").read_text())["ipfs_accel_tasks"] == ["classify"]

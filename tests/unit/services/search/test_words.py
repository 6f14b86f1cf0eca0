"""What a text can be found by."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from tests.unit.services.search.library import ask, entry, search_in, write

TEXTS = {
    "compound": "we fine-tuned gpt-neo-x2 on audio-text pairs",
    "camel": "class GPTNeoForCausalLM(nn.Module) and torchDtype",
    "japanese": "これは機械学習のモデルBERTです",
    "chinese": "深度学习框架",
    "thai": "ภาษาไทยสวย",
    "accents": "Über das naïve Café",
    "plain": "embeddings of sentences, transformed by a transformer",
    "release/whisper-large_v3": "weights",
    "art": "partly smart",
}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    found = search_in(tmp_path_factory.mktemp("index"))
    write(found.index, *(entry(name, text) for name, text in TEXTS.items()))
    return found


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("gpt-neo-x2", "compound"),
        ("audio-text", "compound"),
        ("GPTNeoForCausalLM", "camel"),
        ("gptneoforcausallm", "camel"),
        ("causal", "camel"),
        ("NeoFor", "camel"),
        ("torch dtype", "camel"),
        ("学習", "japanese"),
        ("機械学習", "japanese"),
        ("モデル", "japanese"),
        ("BERT", "japanese"),
        ("モデルBERT", "japanese"),
        ("です", "japanese"),
        ("框架", "chinese"),
        ("习框", "chinese"),
        ("架", "chinese"),
        ("ไทย", "thai"),
        ("uber cafe", "accents"),
        ("ÜBER", "accents"),
        ("sentence embedding", "plain"),
        ("transf*", "plain"),
        ('"of sentences"', "plain"),
        ("whisper", "release/whisper-large_v3"),
        ("whisperlargev3", "release/whisper-large_v3"),
    ],
)
def test_a_text_is_found_by(search: Search, query: str, title: str) -> None:
    assert ask(search, query)[0] == title


@pytest.mark.parametrize(
    ("query", "read_as", "title"),
    [
        ("embedings", "", "plain"),  # The stem of the mistake is the stem of the word.
        ("transfromer", "transfromer: transform", "plain"),
        ("wieghts", "wieghts: weight", "release/whisper-large_v3"),
        ("sentense", "sentense: sentenc", "plain"),
        ("whisp", "whisp: whisper, whisperlargev3", "release/whisper-large_v3"),
    ],
)
def test_a_word_with_a_mistake_is_taken_for_one_that_is_there(
    search: Search, query: str, read_as: str, title: str
) -> None:
    found = search.query(Asked(query))
    assert (found.read_as, found.hits[0].title) == (read_as, title)


def test_what_is_like_nothing_finds_nothing(search: Search) -> None:
    assert ask(search, "qqqqzzzz") == []


@pytest.mark.parametrize("query", ['"neo-x2 gpt"', '"sentences of"', "学機"])
def test_a_phrase_is_found_in_its_order_alone(search: Search, query: str) -> None:
    assert ask(search, query) == []


def test_a_minus_leaves_out_what_has_the_word_anywhere(search: Search) -> None:
    assert ask(search, "gpt -audio", limit=5) == ["camel"]
    assert "compound" not in ask(search, "-audio", limit=50)


def test_all_words_can_be_demanded(search: Search) -> None:
    assert ask(search, "sentences weights") != []
    assert ask(search, "sentences weights", every=True) == []
    assert ask(search, "sentences transformer", every=True) == ["plain"]


def test_what_was_found_is_marked_in_the_text_around_it(search: Search) -> None:
    def snippet(query: str) -> str:
        return search.query(Asked(query)).hits[0].snippet

    assert "**gpt-neo-x2**" in snippet("gpt-neo-x2")
    assert "**Embeddings**" in snippet("embedding") or "**embeddings**" in snippet("embedding")
    assert "機械**学習**の" in snippet("学習")
    assert snippet("art") == "partly smart"  # Found by its title; it is no word of the text.


def test_words_that_every_question_has_are_not_looked_for(search: Search) -> None:
    assert ask(search, "where are my embeddings and how do I read them?") == ask(search, "embeddings read")


@given(st.text(max_size=40) | st.text('"*-+^:(){}[]AND OR NOT NEAR,\x00 ab机\ud800', max_size=30))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_query(search: Search, text: str) -> None:
    search.query(Asked(text))
    search.query(Asked(text, every=True))


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_document_can_be_written_and_taken_out_again(search: Search, text: str) -> None:
    from ipfs_accel_cli.services.search import index as tables

    text = text.encode("utf-8", "ignore").decode()
    write(search.index, entry("any", text))
    search.keeping.verify()
    with search.index.write() as connection:
        row = tables.find(connection, entry("any").cid)
        assert row is not None
        tables.remove(connection, row["id"])
    search.keeping.verify()


def test_an_index_file_that_cannot_be_read_is_replaced(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    write(search.index, entry("a", "words"))
    search.close()
    data = bytearray((tmp_path / "index.db").read_bytes())
    data[4096:20000] = os_urandom(20000 - 4096)
    (tmp_path / "index.db").write_bytes(data)
    for ending in ("-wal", "-shm"):
        (tmp_path / f"index.db{ending}").unlink(missing_ok=True)
    search.keeping.rebuild()
    search.keeping.verify()


def os_urandom(count: int) -> bytes:
    import os

    return os.urandom(count)

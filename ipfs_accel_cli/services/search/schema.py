"""The tables of the index, all of which can be made again, and those of what people said, which cannot."""

from __future__ import annotations

OWNER = "search"
INDEX_OWNER = "index"

# A chunk's number holds its document's: no join is needed to tell whose a hit is.
CHUNK_BITS = 10
MOST_CHUNKS = 1 << CHUNK_BITS
COLUMNS = "title, body, more"
# The words of a title count three times, what was split off or said beside the text half.
WEIGHTS = "bm25(3.0, 1.0, 0.5)"
# More words are gathered in memory before they become a segment that must be merged with others.
HASH_BYTES = 16 << 20
# Pages that a connection keeps at most, in KiB, and how many the log may have before they move into the file: both
# spare a writer from writing the same pages again and again.
CACHE_KIB = 32 << 10
LOG_PAGES = 8000
TOKENIZER = "porter unicode61 remove_diacritics 2"

# `progress` holds the last event that was taken in, and a number that is another one after every rebuild. `work` is
# what events said of and nobody has looked at yet; `members` says under which path of which root a document is kept.
INDEX_MIGRATIONS = (
    (
        "1-documents-chunks-facts",
        f"""
        CREATE TABLE progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE work (subject TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (subject, kind)) WITHOUT ROWID;
        CREATE TABLE roots (
            cid TEXT NOT NULL, owner TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (cid, owner, label)
        ) WITHOUT ROWID;
        CREATE TABLE documents (
            id INTEGER PRIMARY KEY,
            cid TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            added_at TEXT NOT NULL,
            chunks INTEGER NOT NULL,
            extractor TEXT NOT NULL,
            problem TEXT
        );
        CREATE INDEX documents_by_kind ON documents (kind);
        CREATE INDEX documents_by_size ON documents (size_bytes);
        CREATE INDEX documents_by_time ON documents (added_at);
        CREATE TABLE members (
            root TEXT NOT NULL, path TEXT NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (root, path)
        ) WITHOUT ROWID;
        CREATE INDEX members_by_document ON members (document);
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, more TEXT NOT NULL
        );
        CREATE VIRTUAL TABLE words USING fts5(
            {COLUMNS}, content='chunks', content_rowid='id', tokenize='{TOKENIZER}'
        );
        INSERT INTO words (words, rank) VALUES ('rank', '{WEIGHTS}');
        INSERT INTO words (words, rank) VALUES ('hashsize', {HASH_BYTES});
        CREATE VIRTUAL TABLE vocabulary USING fts5vocab('words', 'row');
        CREATE TABLE facts (
            document INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, number REAL,
            PRIMARY KEY (document, name, key)
        ) WITHOUT ROWID;
        CREATE INDEX facts_by_text ON facts (name, key, document);
        CREATE INDEX facts_by_number ON facts (name, number, document) WHERE number IS NOT NULL;
        CREATE TABLE extracted (
            cid TEXT NOT NULL, extractor TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (cid, extractor)
        ) WITHOUT ROWID;
        CREATE TABLE spaces (
            id INTEGER PRIMARY KEY, model_cid TEXT NOT NULL UNIQUE, model TEXT NOT NULL, dimensions INTEGER NOT NULL
        );
        CREATE TABLE vectors (chunk INTEGER PRIMARY KEY, vector BLOB NOT NULL, changed INTEGER NOT NULL);
        CREATE INDEX vectors_by_change ON vectors (changed);
        INSERT INTO progress VALUES ('epoch', abs(random()) >> 16);
        CREATE TABLE sketches (
            document INTEGER NOT NULL, kind TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (document, kind)
        ) WITHOUT ROWID;
        """,
    ),
    # Every merge writes again what it merges; half as many are worth a few more segments to look into.
    ("2-fewer-merges", "INSERT INTO words (words, rank) VALUES ('automerge', 8);"),
    # Of the readers of one kind, `shown` is the one that was asked last: its text is in the document.
    (
        "3-readings",
        """
        CREATE TABLE readings (
            cid TEXT NOT NULL, kind TEXT NOT NULL, model_cid TEXT NOT NULL, model TEXT NOT NULL,
            text TEXT NOT NULL, problem TEXT, shown INTEGER NOT NULL, PRIMARY KEY (cid, kind, model_cid)
        ) WITHOUT ROWID;
        """,
    ),
    # Tensors are hashed once per file: digests of 32 bytes, each with eight of its size.
    ("4-tensors", "CREATE TABLE hashed (file TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;"),
    # Where merging is asked for, two segments of one size are enough to do it.
    ("5-merged-in-pairs", "INSERT INTO words (words, rank) VALUES ('usermerge', 2);"),
)

MIGRATIONS = (
    (
        "1-tags-saved",
        """
        CREATE TABLE search_tags (
            cid TEXT NOT NULL, tag TEXT NOT NULL, added_at TEXT NOT NULL, PRIMARY KEY (cid, tag)
        ) WITHOUT ROWID;
        CREATE TABLE saved_searches (name TEXT PRIMARY KEY, body TEXT NOT NULL, saved_at TEXT NOT NULL) WITHOUT ROWID;
        """,
    ),
    ("2-when-saved-ran", "ALTER TABLE saved_searches ADD COLUMN ran_at TEXT"),
)


def of_chunk(document: int, position: int) -> int:
    """Return the number of a chunk of a document."""
    return (document << CHUNK_BITS) | position

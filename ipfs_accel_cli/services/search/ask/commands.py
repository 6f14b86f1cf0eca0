"""Sentences that mean a command: the line is proposed, and never run from here."""

from __future__ import annotations

import re
import shlex

from ipfs_accel_cli.services.search.ask.mending import written_out
from ipfs_accel_cli.services.search.ask.sentences.loose import LOOSE
from ipfs_accel_cli.services.search.ask.sentences.models import MODELS
from ipfs_accel_cli.services.search.ask.sentences.proving import PROVING
from ipfs_accel_cli.services.search.ask.sentences.running import RUNNING
from ipfs_accel_cli.services.search.ask.sentences.searching import SEARCHING
from ipfs_accel_cli.services.search.ask.sentences.storage import STORAGE

PROGRAM = "ipfs-accel"
SENTENCES = (*STORAGE, *MODELS, *RUNNING, *SEARCHING, *PROVING, *LOOSE)
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|ok|okay|so|well|now)[,! ]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?|i (?:want|would like|need) (?:you )?to |let us "
    r"|help me (?:to )?)?(?:please )?",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?:,? (?:please|for me|now))*[.?! ]*$", re.IGNORECASE)


def propose(text: str) -> str | None:
    """Return the command line that a sentence asks for, or None where it asks for none that is known here."""
    plain = _AFTER.sub("", _POLITE.sub("", written_out(" ".join(text.split()))))
    for sentence in SENTENCES:
        for form in sentence.forms:
            match = form.fullmatch(plain)
            if match is None:
                continue
            line = sentence.line if isinstance(sentence.line, str) else sentence.line(match)
            if line is not None:
                return f"{PROGRAM} {_filled(line, match)}"
    return None


def _filled(line: str, match: re.Match[str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: quoted((match[name[1]] or "").strip('"')), line)


def quoted(text: str) -> str:
    """Return a word for a shell, which is left to fill in the home folder."""
    return f"~/{shlex.quote(text[2:])}" if text.startswith("~/") and len(text) > 2 else shlex.quote(text)

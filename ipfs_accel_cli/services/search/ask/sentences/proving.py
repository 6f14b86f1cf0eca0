"""Sentences that would take much for a model's name, and so come last."""

from __future__ import annotations

from ipfs_accel_cli.services.search.ask.sentences.form import MODEL, ONE, Sentence, either

PROVING: tuple[Sentence, ...] = (
    Sentence(
        either("store verify {one}", "model verify {one}"),
        rf"(?:verify|prove) {ONE}",
        rf"is {ONE} (?:still )?(?:intact|undamaged|complete|unchanged)",
        rf"check {MODEL}(?P<one>\S+) for (?:damage|errors|bit ?rot)",
    ),
)

"""The tasks over texts, each made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipfs_accel_cli.services.infer.opening import Opener
    from ipfs_accel_cli.services.infer.text.answering import Answering
    from ipfs_accel_cli.services.infer.text.judging import Judging
    from ipfs_accel_cli.services.infer.text.marking import Marking
    from ipfs_accel_cli.services.infer.text.rewriting import Rewriting


class TextTasks:
    """What is asked of texts beside vectors, labels and continuations. Safe to share between threads."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    @cached_property
    def judging(self) -> Judging:
        """How well texts go with a query or a label."""
        from ipfs_accel_cli.services.infer.text.judging import Judging

        return Judging(self._opener)

    @cached_property
    def marking(self) -> Marking:
        """What there is to say about single tokens."""
        from ipfs_accel_cli.services.infer.text.marking import Marking

        return Marking(self._opener)

    @cached_property
    def rewriting(self) -> Rewriting:
        """Summaries and translations."""
        from ipfs_accel_cli.services.infer.text.rewriting import Rewriting

        return Rewriting(self._opener)

    @cached_property
    def answering(self) -> Answering:
        """Answers out of a context."""
        from ipfs_accel_cli.services.infer.text.answering import Answering

        return Answering(self._opener)

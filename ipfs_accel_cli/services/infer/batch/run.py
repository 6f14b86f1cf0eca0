"""Items through their models: many under way at once, handed over in the order of the input."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import AccelError, Cancelled, DoesNotFit, Offline, TryAgain, Unavailable
from ipfs_accel_cli.engines.base import Loadable, Request
from ipfs_accel_cli.services.infer.batch.items import Item, refused, written
from ipfs_accel_cli.services.infer.line import Urgency
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks import TASKS

# Enough to fill every slot of a session and to find company of like length for each text.
UNDER_WAY = 512
# These say nothing about the item: the run ends, and a later one goes on from there.
_PASSING = (Cancelled, TryAgain, Unavailable, Offline)


@dataclass(slots=True)
class _UnderWay:
    """An item that a session has, or the reason why none has it."""

    item: Item
    held: ExitStack
    opened: Opened | None = None
    answer: Answer | None = None
    problem: AccelError | None = None


class Run:
    """Asks registered models; `models` are the names of those that were asked."""

    def __init__(self, opener: Opener, model: str | None, engine: str | None, device: str | None, at: int) -> None:
        self._opener, self._model, self._engine, self._device, self._at = opener, model, engine, device, at
        self.models: dict[str, None] = {}
        self._found: dict[tuple[str | None, str], Loadable] = {}

    def answered(self, items: Iterable[Item]) -> Iterator[tuple[Item, bytes, bool]]:
        """Yield (item, the line that answers it, whether that is a refusal) in the order of the items.

        A bounded number is under way. Raises what says nothing about the item that was asked: Cancelled, TryAgain,
        Unavailable and Offline.
        """
        under_way: deque[_UnderWay] = deque()
        try:
            for item in items:
                one = self._begun(item)
                if under_way and isinstance(one.problem, DoesNotFit):
                    # There may be room once the models that are under way are held no more.
                    while under_way:
                        yield self._finished(under_way.popleft())
                    one = self._begun(item)
                under_way.append(one)
                if len(under_way) >= UNDER_WAY:
                    yield self._finished(under_way.popleft())
            while under_way:
                yield self._finished(under_way.popleft())
        finally:
            for one in under_way:
                one.held.close()

    def _begun(self, item: Item) -> _UnderWay:
        held = ExitStack()
        if item.asked is None:
            return _UnderWay(item, held, problem=item.problem)
        asked, request = item.asked, item.asked.request
        try:
            model = self._find(self._model or asked.model, asked.loaded_for)
            opened = held.enter_context(self._opener.open(model, asked.loaded_for, self._engine, self._device))
            self.models[model.facts.name] = None
            answer = held.enter_context(closing(self._asking(opened, request)))
        except AccelError as error:
            held.close()
            if isinstance(error, _PASSING):
                raise
            return _UnderWay(item, held, problem=error)
        return _UnderWay(item, held, opened, answer)

    def _find(self, name: str | None, task: str) -> Loadable:
        if (name, task) not in self._found:
            self._found[name, task] = self._opener.find(name, task)
        return self._found[name, task]

    def _asking(self, opened: Opened, request: Request) -> Answer:
        return opened.warm.worker.ask(request, Urgency.BULK)

    def _finished(self, one: _UnderWay) -> tuple[Item, bytes, bool]:
        if one.problem is None:
            assert one.item.asked is not None
            assert one.opened is not None
            assert one.answer is not None
            task = TASKS.load(one.item.asked.request.kind)()
            try:
                with one.held:
                    found = task.collect(one.answer)
                return one.item, written(one.item, found, one.opened.model.facts.name, self._at), False
            except _PASSING:
                raise
            except AccelError as error:
                one.problem = error
        return one.item, refused(one.item, one.problem), True

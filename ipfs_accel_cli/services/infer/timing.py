"""A model by itself, in a dtype and with threads of somebody's choice, to see how fast it is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.engines.base import Converts, Device, Loadable, Machine
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
from ipfs_accel_cli.services.infer.choice import Wanted, best, candidates
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.tasks import TASKS

TEXTS = tuple(f"{at} small red birds sing on the old tree while the rain stays in the plain" for at in range(32))
TIMED_TASKS = ("embed", "classify")


@contextmanager
def timed(
    model: Loadable, engines: Registry, measure: Callable[[tuple[Device, ...]], Machine], *, dtype: str, threads: int
) -> Iterator[Callable[[], None]]:
    """Load a model on the processor for the block, and give what runs `TEXTS` through it once.

    Raises Invalid for a model that reads no texts and where no engine converts, and what choosing and loading raise.
    """
    task = next((name for name in TIMED_TASKS if name in model.facts.tasks), None)
    if task is None:
        raise Invalid(f"{model.facts.name} neither embeds nor classifies texts, so it is not measured on")
    able, absent = candidates(model.facts, Wanted(task, device="cpu", threads=threads), engines, measure)
    converting = [choice for choice in able if isinstance(choice.engine, Converts)]
    if able and not converting:
        raise Invalid(f"no engine runs {model.facts.name} in a dtype of one's choice")
    choice = best(converting, absent)
    assert isinstance(choice.engine, Converts)
    plan = choice.engine.in_dtype(model.facts, replace(choice.plan, threads=threads), dtype)
    texts, options = Texts(TEXTS), EmbedOptions(len(TEXTS))
    with closing(choice.engine.load(model.facts, model.folder, plan)) as session:

        def once() -> None:
            chunks_of(session, TASKS.load(task)().prepare(texts, options))

        yield once

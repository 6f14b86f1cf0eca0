"""The services of inference, each made when it is first used, on the same loaded models."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.opening import Opener

if TYPE_CHECKING:
    from pathlib import Path

    from ipfs_accel_cli.core.database import Database
    from ipfs_accel_cli.engines.base import Loadable
    from ipfs_accel_cli.services.infer.audio.service import Audio
    from ipfs_accel_cli.services.infer.batch.service import Batches
    from ipfs_accel_cli.services.infer.bench.limits import Limits
    from ipfs_accel_cli.services.infer.bench.service import InferBenches
    from ipfs_accel_cli.services.infer.endpoints.service import Endpoints
    from ipfs_accel_cli.services.infer.image.images import ImageInference
    from ipfs_accel_cli.services.infer.multimodal.service import Multimodal
    from ipfs_accel_cli.services.infer.pipeline.service import Pipelines
    from ipfs_accel_cli.services.infer.prompts.service import Content, Prompts
    from ipfs_accel_cli.services.infer.text.service import TextTasks
    from ipfs_accel_cli.services.infer.writing.chats import Chats
    from ipfs_accel_cli.services.infer.writing.writer import Writer


class Rooms:
    """What can be done with models; `home` is where some of it is kept, and None for a service without one."""

    def __init__(
        self,
        opener: Opener,
        home: tuple[Database, Content, Path] | None,
        limits: Limits | None,
        mark: Callable[[], str],
    ) -> None:
        self.opener, self._home, self._limits, self._mark = opener, home, limits, mark

    @cached_property
    def multimodal(self) -> Multimodal:
        """What runs models of pictures and words together."""
        from ipfs_accel_cli.services.infer.multimodal.service import Multimodal

        return Multimodal(self.opener)

    @cached_property
    def texts(self) -> TextTasks:
        from ipfs_accel_cli.services.infer.text.service import TextTasks

        return TextTasks(self.opener)

    @cached_property
    def images(self) -> ImageInference:
        """What looks at pictures, with the models of this service."""
        from ipfs_accel_cli.services.infer.image.images import ImageInference

        return ImageInference(self.opener)

    @cached_property
    def audio(self) -> Audio:
        """What is done with speech and sound."""
        from ipfs_accel_cli.services.infer.audio.service import Audio

        return Audio(self.opener)

    @cached_property
    def writer(self) -> Writer:
        from ipfs_accel_cli.services.infer.writing.writer import Writer

        return Writer(self.opener, self._template)

    @cached_property
    def chats(self) -> Chats:
        from ipfs_accel_cli.services.infer.writing.chats import Chats

        return Chats(self.writer)

    @cached_property
    def benches(self) -> InferBenches:
        """Measures models; raises Invalid for a service without a home."""
        from ipfs_accel_cli.services.infer.bench.limits import Limits
        from ipfs_accel_cli.services.infer.bench.service import InferBenches

        if self._home is None:
            raise Invalid("this service has no home to keep benchmarks in")
        return InferBenches(self.opener, self._home[0], self._limits or Limits())

    @cached_property
    def pipelines(self) -> Pipelines:
        """Runs pipelines; raises Invalid for a service without a home."""
        from ipfs_accel_cli.services.infer.pipeline.service import Pipelines

        if self._home is None:
            raise Invalid("this service has no home to keep the answers of steps in")
        return Pipelines(*self._home[:2], self.opener, self._mark, self._template)

    @cached_property
    def batches(self) -> Batches:
        from ipfs_accel_cli.services.infer.batch.service import Batches

        return Batches(self.opener)

    @cached_property
    def prompts(self) -> Prompts:
        """Keeps prompt templates; raises Invalid for a service without a home."""
        from ipfs_accel_cli.services.infer.prompts.service import Prompts

        if self._home is None:
            raise Invalid("prompt templates are kept in a home folder, and this service has none")
        return Prompts(*self._home[:2], self.writer)

    def _template(self, name: str) -> tuple[str, str]:
        return self.prompts.text(name)

    @cached_property
    def endpoints(self) -> Endpoints:
        """Keeps endpoints; raises Invalid for a service without a home."""
        from ipfs_accel_cli.services.infer.endpoints.service import Endpoints

        if self._home is None:
            raise Invalid("endpoints are kept in a home folder, and this service has none")
        return Endpoints(self._home[2])

    def _elsewhere(self, reference: str, task: str) -> Loadable:
        return self.endpoints.loadable(reference, task)

"""What the hardware commands return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

State = Literal["present", "absent", "unknown"]


class Cpu(Result):
    """The processor; a field is null where the system does not tell."""

    columns = ("model", "physical_cores", "logical_cores", "usable_cores", "instructions", "load_1m")
    essence = "model"

    state: State
    reason: str = Field(default="", description="What could not be learned, and why.")
    model: str | None = None
    physical_cores: int | None = None
    logical_cores: int | None = None
    allowed_cores: int | None = Field(default=None, description="Cores that the affinity mask allows to this process.")
    quota_cores: float | None = Field(
        default=None, description="Cores' worth of time that a container limit allows, if any."
    )
    usable_cores: float | None = Field(default=None, description="The lower of allowed_cores and quota_cores.")
    instructions: list[str] | None = Field(
        default=None, description="Instruction sets that speed up inference or hashing."
    )
    l1d_bytes: int | None = Field(default=None, description="First-level data cache of one core.")
    l2_bytes: int | None = Field(default=None, description="Second-level cache of one core.")
    l3_bytes: int | None = Field(default=None, description="Third-level cache, shared by cores.")
    load_1m: float | None = Field(default=None, description="Runnable processes, mean of the last minute.")
    load_5m: float | None = None
    load_15m: float | None = None


class Memory(Result):
    """The memory; a field is null where there is no such limit or the system does not tell."""

    columns = ("total_bytes", "usable_bytes", "available_bytes", "limit_bytes", "swap_total_bytes")
    essence = "usable_bytes"

    state: State
    reason: str = Field(default="", description="What could not be learned, and why.")
    total_bytes: int | None = Field(default=None, description="Memory of the machine.")
    usable_bytes: int | None = Field(default=None, description="The lower of total_bytes and limit_bytes.")
    available_bytes: int | None = Field(default=None, description="What a process may still take without swapping.")
    limit_bytes: int | None = Field(default=None, description="Container limit, if any.")
    limit_used_bytes: int | None = Field(
        default=None, description="In use of that limit, without droppable page cache."
    )
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None


class Accelerator(Result):
    """One device, or one kind of device that is absent or unknown."""

    columns = ("kind", "state", "name", "memory_total_bytes", "memory_free_bytes", "reason")
    essence = "kind"

    kind: str = Field(description="The probe that was asked, such as cuda or mps.")
    state: State
    reason: str = Field(default="", description="Why it is absent or unknown.")
    index: int | None = Field(default=None, description="Which of its kind, from 0.")
    name: str | None = None
    memory_total_bytes: int | None = None
    memory_free_bytes: int | None = None
    compute_capability: str | None = Field(default=None, description="CUDA compute capability, such as 8.9.")
    driver: str | None = Field(default=None, description="Version of the driver.")


class Machine(Result):
    """What this machine is and what of it this process may use."""

    columns = ("system", "release", "architecture", "python", "cpu", "memory", "accelerators", "home_free_bytes")
    essence = "architecture"

    system: str = Field(description="Operating system, such as Linux or Darwin.")
    release: str = Field(description="Version of the operating system's kernel.")
    architecture: str = Field(description="Instruction set, such as x86_64 or arm64.")
    python: str = Field(description="Version of the Python that runs this.")
    cpu: Cpu
    memory: Memory
    accelerators: list[Accelerator]
    home_free_bytes: int | None = Field(description="Free disk space where the home folder is or will be.")

"""What the hardware commands return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

State = Literal["present", "absent", "unknown"]
BandwidthOrigin = Literal["vendor", "measured"]

_BANDWIDTH = "Bytes a second that it can read at best; null until measured, a vendor's figure for a named machine."
_ORIGIN = "Whether the bandwidth is a vendor's figure or was measured."


class NumaNode(Result):
    """A part of the memory and the cores near to it; one without cores is memory alone."""

    essence = "node"

    node: int
    cores: int
    memory_total_bytes: int


class Cpu(Result):
    """The processor; a field is null where the system does not tell."""

    columns = ("model", "physical_cores", "logical_cores", "usable_cores", "instructions", "load_1m", "reason")
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
    numa: list[NumaNode] | None = Field(default=None, description="Parts of the memory, by nearness to cores.")
    load_1m: float | None = Field(default=None, description="Runnable processes, mean of the last minute.")
    load_5m: float | None = None
    load_15m: float | None = None


class Memory(Result):
    """The memory; a field is null where there is no such limit or the system does not tell."""

    columns = (
        "total_bytes",
        "usable_bytes",
        "available_bytes",
        "used",
        "limit_bytes",
        "swap_total_bytes",
        "bandwidth",
        "reason",
    )
    essence = "usable_bytes"
    bars = ("used",)

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
    bandwidth_bytes_s: int | None = Field(default=None, description=_BANDWIDTH)
    bandwidth_origin: BandwidthOrigin | None = Field(default=None, description=_ORIGIN)

    @property
    def used(self) -> float | None:
        """The share of the usable memory that is taken."""
        return share_used(self.usable_bytes, self.available_bytes)

    @property
    def bandwidth(self) -> str:
        """How fast it is read, and where the figure comes from."""
        return _bandwidth(self.bandwidth_bytes_s, self.bandwidth_origin)


class Disk(Result):
    """A file system that the home folder, or a folder in it, lies on."""

    columns = ("name", "place", "file_system", "total_bytes", "free_bytes", "used", "rotational", "read_only", "reason")
    essence = "name"
    bars = ("used",)

    state: State
    reason: str = Field(default="", description="What could not be learned, and why.")
    name: str | None = Field(default=None, description="The device, or what stands for it on a network.")
    place: str | None = Field(default=None, description="Where it is mounted.")
    file_system: str | None = Field(default=None, description="Its type, such as ext4 or nfs.")
    total_bytes: int | None = None
    free_bytes: int | None = Field(default=None, description="What this user may still write.")
    rotational: bool | None = Field(default=None, description="Whether it is a turning disk; null where nobody tells.")
    read_only: bool | None = None

    @property
    def used(self) -> float | None:
        """The share that is taken."""
        return share_used(self.total_bytes, self.free_bytes)


class Network(Result):
    """A network interface; addresses are left out."""

    columns = ("name", "kind", "up", "speed_bits_s", "mtu", "families", "reason")
    essence = "name"

    state: State
    reason: str = Field(default="", description="What could not be learned, and why.")
    name: str | None = None
    up: bool | None = None
    kind: Literal["loopback", "wired", "wireless", "virtual"] | None = None
    speed_bits_s: int | None = Field(
        default=None, description="Speed of the link; null where the driver does not tell."
    )
    mtu: int | None = Field(default=None, description="Largest packet, in bytes.")
    families: list[str] = Field(default_factory=list, description="Whether it has addresses of ipv4 and of ipv6.")


class Runtime(Result):
    """A library that runs models, and the devices that it sees by itself."""

    columns = ("name", "state", "version", "computes_on", "reason")
    essence = "name"

    name: str
    state: State
    reason: str = Field(default="", description="Why it is absent or unknown.")
    version: str | None = None
    package: str | None = Field(default=None, description="Its name in the package index.")
    computes_on: list[str] | None = Field(
        default=None, description="Devices that it can use; null as long as it was not asked."
    )


class Slice(Result):
    """A part of a device that computes by itself (MIG)."""

    name: str | None = None
    memory_total_bytes: int | None = None
    memory_free_bytes: int | None = None


class Accelerator(Result):
    """One device, or one kind of device that is absent or unknown."""

    columns = (
        "kind",
        "index",
        "state",
        "name",
        "memory_total_bytes",
        "bandwidth",
        "compute_capability",
        "used",
        "busy_share",
        "reason",
    )
    essence = "kind"
    bars = ("used", "busy_share")

    kind: str = Field(description="The probe that was asked, such as cuda or mps.")
    state: State
    reason: str = Field(default="", description="Why it is absent or unknown, or of limited use.")
    index: int | None = Field(default=None, description="Which of its kind, from 0.")
    name: str | None = None
    memory_total_bytes: int | None = None
    memory_free_bytes: int | None = None
    shares_memory: bool = Field(default=False, description="Whether its memory is the machine's main memory.")
    bandwidth_bytes_s: int | None = Field(default=None, description=_BANDWIDTH)
    bandwidth_origin: BandwidthOrigin | None = Field(default=None, description=_ORIGIN)
    compute_capability: str | None = Field(default=None, description="CUDA compute capability, such as 8.9.")
    architecture: str | None = Field(default=None, description="AMD's name of the instruction set, such as gfx942.")
    driver: str | None = Field(default=None, description="Version of the driver.")
    backend: str | None = Field(default=None, description="What WebGPU reaches it through, such as Vulkan.")
    software: bool = Field(default=False, description="Whether it only imitates a device on the processor.")
    busy_share: float | None = Field(default=None, description="Share of the last moment in which it computed, 0 to 1.")
    processes: int | None = Field(default=None, description="How many processes compute on it.")
    mig: bool | None = Field(default=None, description="Whether it is cut into slices, which then alone can compute.")
    slices: list[Slice] = Field(default_factory=list, description="The slices of a device that is cut.")

    @property
    def used(self) -> float | None:
        """The share of its memory that is taken."""
        return share_used(self.memory_total_bytes, self.memory_free_bytes)

    @property
    def bandwidth(self) -> str:
        """How fast its memory is read, and where the figure comes from."""
        return _bandwidth(self.bandwidth_bytes_s, self.bandwidth_origin)


class Machine(Result):
    """What this machine is and what of it this process may use."""

    columns = (
        *("system", "release", "architecture", "python", "cpu", "memory", "accelerators", "disks", "networks"),
        *("runtimes", "libraries", "torch_build"),
    )
    essence = "architecture"

    system: str = Field(description="Operating system, such as Linux or Darwin.")
    release: str = Field(description="Version of the operating system's kernel.")
    architecture: str = Field(description="Instruction set, such as x86_64 or arm64.")
    python: str = Field(description="Version of the Python that runs this.")
    cpu: Cpu
    memory: Memory
    accelerators: list[Accelerator]
    disks: list[Disk] = Field(default_factory=list, description="What the home folder lies on.")
    networks: list[Network] = Field(default_factory=list)
    runtimes: list[Runtime] = Field(default_factory=list, description="Libraries that see devices by themselves.")
    libraries: dict[str, str] = Field(
        default_factory=dict, description="Versions of the libraries that matter, by their names in the package index."
    )
    torch_build: str | None = Field(
        default=None, description="What the installed torch was built for: cpu, or cuda, hip or xpu with a version."
    )
    home_free_bytes: int | None = Field(description="Free disk space where the home folder is or will be.")


def _bandwidth(rate: int | None, origin: BandwidthOrigin | None) -> str:
    return "" if rate is None else f"{rate / 1e9:.4g} GB/s" + (f" ({origin})" if origin else "")


def share_used(total: int | None, free: int | None) -> float | None:
    """Return the share that is taken, 0 to 1; None when it cannot be told."""
    return 1 - min(free, total) / total if total and free is not None else None

"""Commands of the group `hw` that say what fits: fit, recommend, plan, require."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.fit.requiring import Wanted
from ipfs_accel_cli.services.hw.fit.results import Fitted, Planned, Recommendation, Required

MachineOption = Annotated[
    str | None, Option(help="A name of `hw machine ls`, or a FILE.json that `hw info --json` wrote; this one without.")
]
ContextOption = Annotated[
    int | None, Option(min=1, max=1 << 24, help="Tokens of context, read and written; at most 2048 without.")
]
BatchOption = Annotated[int, Option(min=1, max=1 << 16, help="Sequences at a time.")]
ModelArgument = Annotated[
    str, Argument(help="A registered name, a file or folder, an http(s):// URL of a file, or hf://ORG/NAME.")
]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(fit)
    app.command()(recommend)
    app.command()(plan)
    app.command()(require)


@effects(WRITE, network=True)
def fit(
    model: ModelArgument,
    context: ContextOption = None,
    batch: BatchOption = 1,
    dtype: Annotated[str | None, Option(help="Weights in this dtype or quantisation; as stored without.")] = None,
    kv_dtype: Annotated[str | None, Option(help="Keys and values in this dtype; that of the weights without.")] = None,
    budget: Annotated[str | None, Option(help="Memory to fit into, such as 8GiB, instead of what is free.")] = None,
    machine: MachineOption = None,
    device: Annotated[str | None, Option(help="A device of the machine, such as cpu or cuda:0.")] = None,
    measure: Annotated[bool, Option(help="Load and run it here, and keep the measured figures.")] = False,
) -> Fitted:
    """Say whether a model fits, from its headers alone: weights, cache, activations, speed, largest context.

    Nothing but headers is read, also of a model elsewhere. Ends with exit status 8 when it does not fit; the whole
    answer then is in the problem's `context.fit`.

    Examples:
        ipfs-accel hw fit ./model --context 4096 --batch 4
        ipfs-accel hw fit hf://org/name --budget 8GiB --dtype q4_k
        ipfs-accel hw fit ./model --measure
    """
    return node().fits.fit(
        model,
        context=context,
        batch=batch,
        dtype=dtype,
        kv_dtype=kv_dtype,
        budget=budget,
        machine=machine,
        device=device,
        measure=measure,
    )


@effects(READ)
def recommend(
    task: Annotated[str, Option(help="What it shall do, such as embed or generate.")],
    modality: Annotated[str | None, Option(help="text, image, audio or multimodal.")] = None,
    quantisation: Annotated[str | None, Option(help="Prefer this dtype or quantisation.")] = None,
    max_memory: Annotated[str | None, Option(help="Use at most so much memory, such as 4GiB.")] = None,
    min_speed: Annotated[float | None, Option(min=0, help="Tokens a second at least.")] = None,
    machine: MachineOption = None,
) -> Recommendation:
    """Rank the models for a task, registered and catalogued, by how well this machine runs them, with reasons.

    Examples:
        ipfs-accel hw recommend --task embed
        ipfs-accel hw recommend --task generate --max-memory 4GiB
    """
    return node().fits.recommend(
        task,
        modality=modality,
        quantisation=quantisation,
        max_memory=max_memory,
        min_speed=min_speed,
        machine=machine,
    )


@effects(READ, network=True)
def plan(
    model: ModelArgument,
    target_tps: Annotated[float | None, Option(min=0, help="Tokens a second that are wanted.")] = None,
    context: ContextOption = None,
    batch: BatchOption = 1,
    machine: Annotated[
        list[str] | None,
        Option(help="Only this machine, a name or a FILE.json; give it again. All known ones without."),
    ] = None,
) -> Planned:
    """Say what hardware a model needs, and which known machines have it (`hw machine ls`), the smallest first.

    Examples:
        ipfs-accel hw plan ./model --target-tps 20 --context 8192
        ipfs-accel hw plan ./model --machine rtx-4090 --machine l4
    """
    return node().fits.plan(model, target_tps=target_tps, context=context, batch=batch, machines=machine or ())


@effects(READ)
def require(
    memory: Annotated[str | None, Option(help="Main memory, such as 8GiB.")] = None,
    gpu_memory: Annotated[str | None, Option(help="Memory of one accelerator.")] = None,
    cores: Annotated[float | None, Option(min=0, help="Cores that this process may use.")] = None,
    disk: Annotated[str | None, Option(help="Free space where the home folder is.")] = None,
    instructions: Annotated[list[str] | None, Option(help="An instruction set, such as avx2; give it again.")] = None,
    gpu: Annotated[str | None, Option(help="A kind of accelerator, such as cuda, or any.")] = None,
    machine: MachineOption = None,
) -> Required:
    """Check the machine against requirements; exit status 8 when one is unmet, with the figure found for each.

    Examples:
        ipfs-accel hw require --memory 8GiB --cores 2 --instructions avx2
    """
    wanted = Wanted(memory, gpu_memory, disk, cores, tuple(instructions or ()), gpu)
    return node().fits.require(wanted, machine=machine)

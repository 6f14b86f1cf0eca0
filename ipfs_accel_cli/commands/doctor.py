"""The command `doctor`: is this installation sound, and what does an error code mean."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.doctor.results import Diagnosis, Explanation

app = Typer(help="Check this installation, or explain an error code.")


class Report(Result):
    """What the doctor says: a diagnosis, or the explanation that was asked for."""

    diagnosis: Diagnosis | None = None
    explanation: Explanation | None = None


@app.command()
@effects(READ, network=True, featured=True)
def doctor(
    explain: Annotated[
        str | None,
        Option(metavar="CODE", help="Explain an error code, such as verification-failed, instead of checking."),
    ] = None,
    round_trip: Annotated[
        bool,
        Option("--round-trip", help="Also put something small at every backend, read it back and delete it there."),
    ] = False,
) -> Report:
    """Check this installation and its state, and say what to do about what is wrong.

    Examples:
        ipfs-accel doctor
        ipfs-accel doctor --explain verification-failed
        ipfs-accel doctor --round-trip
    """
    service = node().doctor
    if explain is not None:
        return Report(explanation=service.explain(explain))
    return Report(diagnosis=service.run(thorough=round_trip))

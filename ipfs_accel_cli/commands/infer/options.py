"""Options that the commands of `infer` share."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

Model = Annotated[
    str | None, Option("--model", "-m", help="Name of a model that is here; else the default for the task.")
]
Engine = Annotated[str | None, Option(help="Run it with this engine, such as torch; else the one that fits best.")]
Device = Annotated[str | None, Option(help="Run it here: cpu, cuda, cuda:0, mps; else where it fits best.")]
Texts = Annotated[
    list[str] | None,
    Argument(metavar="TEXT", help="Texts; without any, lines of --file or of standard input."),
]
Batch = Annotated[int | None, Option(help="Texts that go through the model at once; 32 unless told.")]
StatsToError = Annotated[bool, Option("--stats", help="Say on standard error what the run took.")]

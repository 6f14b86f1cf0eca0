"""Options that the commands of `infer` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

Model = Annotated[
    str | None, Option("--model", "-m", help="Name of a model that is here; else the default for the task.")
]
Adapters = Annotated[
    list[str] | None,
    Option("--adapter", help="Add this LoRA adapter, NAME or NAME:SCALE; several add up."),
]
Compile = Annotated[bool, Option("--compile", help="Compile the model first: slow to begin, then faster.")]
Engine = Annotated[str | None, Option(help="Run it with this engine, such as torch; else the one that fits best.")]
Device = Annotated[str | None, Option(help="Run it here: cpu, cuda, cuda:0, mps; else where it fits best.")]
Texts = Annotated[
    list[str] | None,
    Argument(metavar="TEXT", help="Texts; without any, lines of --file or of standard input."),
]
Batch = Annotated[int | None, Option(help="Texts that go through the model at once; 32 unless told.")]
StatsToError = Annotated[bool, Option("--stats", help="Say on standard error what the run took.")]
MaxTokens = Annotated[int, Option(help="Stop after this many new tokens.")]
Temperature = Annotated[float, Option(help="0 takes the likeliest token each time; higher is freer.")]
TopP = Annotated[float, Option(help="Draw from the likeliest tokens that together have this probability.")]
TopK = Annotated[int, Option(help="Draw from this many of the likeliest tokens; 0 is all.")]
Seed = Annotated[int | None, Option(help="Begin chance with this number, to get the same text again.")]
Stop = Annotated[list[str] | None, Option(help="End before this text; may be given several times.")]
Stats = Annotated[bool, Option("--stats", help="Add what the run took to the result.")]
Schema = Annotated[
    str | None, Option("--schema", metavar="FILE", help="Write only JSON that is valid under this JSON Schema.")
]
Shots = Annotated[int | None, Option(metavar="N", help="Show this many examples before the input; 4 unless told.")]
Examples = Annotated[Path | None, Option(metavar="FILE", help="JSON lines of examples: input and output.")]
ShotsBy = Annotated[Literal["similar", "first"], Option(help="Take the examples most like the input, or the first.")]
PromptName = Annotated[str | None, Option("--prompt", metavar="NAME", help="Fill in this kept prompt template.")]
Var = Annotated[list[str] | None, Option(metavar="NAME=VALUE", help="A variable of the template; several times.")]

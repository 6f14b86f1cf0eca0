"""How the parts of the reference are put into words; every rendering says the same."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Answer, Command, Failure, Parameter

PRECEDENCE = (
    "A flag wins, then the variable, then `ipfs-accel.toml` in the working folder, then the user's `config.toml` "
    "(`ipfs-accel config path`), then the default."
)
CODES = "Codes and exit statuses never change once released. `ipfs-accel doctor --explain CODE` explains one."


def spans(text: str) -> Iterator[tuple[bool, str]]:
    """Split a text at its backticks; yield whether each part is code, and the part."""
    for index, part in enumerate(text.split("`")):
        if part:
            yield index % 2 == 1, part


def spellings(parameter: Parameter) -> list[str]:
    """Return how a parameter is typed: one form for an argument, every flag of an option."""
    if parameter.kind == "argument":
        return [parameter.placeholder + ("..." if parameter.repeatable else "")]
    flags = sorted(parameter.flags, key=lambda flag: flag.startswith("--"))
    flags[-1] = f"{flags[-1]} {parameter.placeholder}".rstrip()
    return [*flags, *parameter.off_flags]


def kind(parameter: Parameter) -> str:
    """Return a parameter's type with its bounds, and whether it may be given again."""
    text = "one of " + ", ".join(f"`{choice}`" for choice in parameter.choices) if parameter.choices else parameter.type
    low, high = parameter.minimum, parameter.maximum
    if low is not None or high is not None:
        text += (
            f", {low} to {high}"
            if None not in (low, high)
            else f", {low} or more"
            if high is None
            else f", up to {high}"
        )
    return f"{text}; repeatable" if parameter.repeatable else text


def default(parameter: Parameter) -> str:
    """Return what holds when a parameter is left out; empty where its meaning says that."""
    if parameter.required:
        return "required"
    return "" if parameter.default in (None, False, "") else f"`{parameter.default}`"


def effect(command: Command) -> str:
    """Return what a command does to the state, and who may call it."""
    parts = [f"Effect: {command.effect}"]
    parts += ["may use the network"] if command.network else []
    parts += [] if command.idempotent else ["twice is not the same as once"]
    parts += ["`--detach` makes it a job"] if command.detach else []
    if command.tool is None:
        parts.append("for the shell only")
    else:
        parts.append(f"MCP tool `{command.tool}`" + (" of the default toolset" if command.featured else ""))
    return "; ".join(parts) + "."


def answer(found: Answer) -> str:
    """Return what a command answers, and in which forms."""
    if found.kind == "nothing":
        return "Answers nothing."
    if found.kind == "bytes":
        return (
            f"Writes the bytes to standard output as they are; `--json` gives them as `{found.name}`: {found.meaning}"
        )
    shape = "Answers" if found.kind == "object" else "Answers a stream of"
    forms = "" if found.kind == "object" else " `--format jsonl` prints one a line, `--json` all of them under `items`."
    return f"{shape} `{found.name}`: {found.meaning}{forms} `--quiet` prints `{found.essence}`."


def ending(failure: Failure) -> str:
    """Return how a command ends with an error, in the shell and over HTTP."""
    retry = "; the same command may succeed a little later" if failure.retryable else ""
    return f"“{failure.title}”: exit status {failure.exit_status}, HTTP {failure.http_status}{retry}."


def stated(value: str | int | float | bool) -> str:
    """Return a setting's value as it is written in a settings file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def choices(found: list[str]) -> str:
    """Return the sentence that lists the only values of a setting; empty when any is allowed."""
    return f" One of {', '.join(f'`{choice}`' for choice in found)}." if found else ""

"""What the reference says, whatever it is rendered as; the JSON form is these models, dumped."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_FILE = "reference.schema.json"


class Entry(BaseModel):
    """Base of every part: immutable, and no field that was not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)


class Parameter(Entry):
    """Something a command takes."""

    name: str = Field(description="Its name as an argument of the MCP tool.")
    kind: Literal["argument", "option"]
    flags: list[str] = Field(description="How an option is typed; empty for an argument.")
    off_flags: list[str] = Field(description="How an option is turned off; empty where leaving it out does that.")
    placeholder: str = Field(description="What stands for the value; empty for an option that takes none.")
    type: str = Field(description="text, path, whole number, number or flag.")
    choices: list[str] = Field(description="The only values allowed; empty when any value of the type is.")
    minimum: int | float | None
    maximum: int | float | None
    repeatable: bool
    required: bool
    default: str | int | float | bool | None = Field(description="Null when leaving it out means something of its own.")
    meaning: str


class AnswerField(Entry):
    """A field of a command's JSON."""

    path: str = Field(description="Where it is, as jq writes it without the first dot; `[]` is each part of a list.")
    type: str = Field(description="In words: text, whole number, number, true or false, object, list of ….")
    nullable: bool
    meaning: str = Field(description="Empty where the name says it all.")


class Answer(Entry):
    """What a command answers."""

    kind: Literal["object", "stream", "bytes", "nothing"] = Field(
        description=(
            "object: --json prints it. stream: --format jsonl prints one a line, --json all under `items`. "
            "bytes: standard output gets them as they are, --json prints them in an object. nothing: no answer."
        )
    )
    name: str = Field(description="The name of the model in Python; empty for nothing.")
    meaning: str
    essence: str = Field(description="The field that --quiet prints; empty where it prints the bytes, or nothing.")
    fields: list[AnswerField] = Field(description="Of the object, of each item, or of the bytes' JSON form.")


class Command(Entry):
    """One command."""

    path: list[str]
    usage: str
    summary: str = Field(description="The first line of its help.")
    description: str = Field(description="The rest of its help, with empty lines between paragraphs.")
    effect: Literal["read", "write", "delete"] = Field(description="The strongest thing it does to the state.")
    network: bool = Field(description="It may open a connection.")
    idempotent: bool = Field(description="Twice is the same as once.")
    detach: bool = Field(description="It takes --detach, and is a job then.")
    tool: str | None = Field(description="Its name as an MCP tool; null when it is for the shell only.")
    featured: bool = Field(description="It is in the default MCP toolset.")
    parameters: list[Parameter]
    answer: Answer
    examples: list[str]

    @property
    def name(self) -> str:
        """Its words after the program's name."""
        return " ".join(self.path)

    @property
    def anchor(self) -> str:
        """The fragment of its section, in Markdown and in HTML alike."""
        return "-".join(self.path)


class Group(Entry):
    """Commands that belong together, and share the first word."""

    name: str
    summary: str
    panel: str = Field(description="The heading that it stands under in the root help.")
    commands: list[Command]


class Failure(Entry):
    """An error code; it never changes once released."""

    code: str
    title: str
    exit_status: int
    http_status: int
    retryable: bool = Field(description="The same command may succeed a little later.")
    meaning: str
    remedy: str


class ExitStatus(Entry):
    """A number that the command line ends with; it never changes its meaning."""

    status: int
    meaning: str
    codes: list[str] = Field(description="The error codes that end with it.")


class SettingEntry(Entry):
    """A setting."""

    name: str
    variable: str
    default: str | int | float | bool
    choices: list[str]
    meaning: str


class Variable(Entry):
    """An environment variable that is no setting."""

    name: str
    meaning: str


class StateFile(Entry):
    """A file or folder that is read or kept."""

    path: str
    meaning: str


class Reference(Entry):
    """The command line of one version: all that may be typed, and all that may come back."""

    schema_file: str = Field(
        default=SCHEMA_FILE, alias="$schema", description="The JSON schema of this file, beside it."
    )
    program: str
    version: str
    summary: str
    groups: list[Group]
    options: list[Parameter] = Field(
        description="What every command takes, before or after its name; --version stands alone."
    )
    statuses: list[ExitStatus]
    failures: list[Failure]
    settings: list[SettingEntry]
    variables: list[Variable]
    files: list[StateFile]

"""The whole list of commands, missing and extra alike, and what each must state."""

from __future__ import annotations

import inspect

import pytest

from ipfs_accel_cli.app import app
from ipfs_accel_cli.surfaces.cli.command import split_examples
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands

COMMANDS = """
hw info | hw engines | hw report | hw top | hw fit | hw recommend | hw plan | hw require
hw machine ls | hw machine show | hw machine save | hw machine rm
hw bench cpu | hw bench memory | hw bench disk | hw bench content | hw bench network | hw bench accelerator
hw bench all | hw bench ls | hw bench show | hw bench compare | hw tune
model catalogue | model pull | model add | model ls | model show | model rm | model verify | model tag | model gc
model export
model push | model versions | model alias | model rollback | model diff | model dedup
model lineage | model card
model status | model ps | model inspect | model scan | model repair
model import | model quantize
model sign | model attest | model verify-attest | model trust | model meta | model prune
model deploy new | model deploy ls | model deploy show | model deploy render | model deploy diff | model deploy rm
model eval | model perf | model compare
infer image classify | infer image embed | infer image detect | infer image segment | infer image ocr
infer image process | infer image generate | infer multimodal caption | infer multimodal ask | infer multimodal embed
infer embed | infer classify | infer generate | infer chat | infer calibrate | infer batch
infer rerank | infer zero-shot | infer fill-mask | infer tokens | infer answer | infer summarize | infer translate
infer prompt add | infer prompt ls | infer prompt show | infer prompt render | infer prompt test | infer prompt rm
infer pipeline run | infer pipeline check | infer pipeline graph
infer bench run | infer bench ls | infer bench show | infer bench compare
infer audio transcribe | infer audio speak | infer audio detect | infer audio classify | infer audio process
infer endpoint add | infer endpoint ls | infer endpoint show | infer endpoint test | infer endpoint rm
peer id
store put | store get | store cat | store ls | store stat | store verify | store rm | store gc | store import
store export | store where | store cid of | store cid inspect | store cid convert
store dag get | store dag put | store dag resolve | store dag stat | store dag diff | store dag import
store dag export | store block get | store block put | store block stat | store block rm
store pin add | store pin ls | store pin rm
store copy | store fetch | store scrub | store repair | store heal
store backend add | store backend ls | store backend show | store backend test | store backend sweep
store backend rm | store cache ls | store cache clear
store probe | store cost | store route plan | store route log
store price ls | store price set | store price rm | store price region
store path put | store path ls | store path snapshot | store path rm
store key new | store key ls | store key rm | store key export | store key import
store name publish | store name resolve | store name ls | store name inspect | store name verify
store name export | store name import
store stats | store swarm peers | store swarm addrs | store swarm connect | store swarm disconnect
store dht find-providers | store dht provide | store repo gc | store repo verify | store swarm ping
store dht find-peer | store dht get | store dht put
store files ls | store files stat | store files mkdir | store files cp | store files rm
store files read | store files write | store files mv
store rewrap | store identity new | store identity ls | store identity rm | store identity export
store identity import
store sync | store meta get | store meta set | store meta ls | store meta diff | store meta sync
job ls | job show | job wait | job logs | job cancel | job pause | job resume | job retry | job work | job prune
migrate plan | migrate copy | migrate move | migrate sync | migrate check | migrate run | migrate rescue
migrate status | migrate history | migrate report | migrate write-report | migrate schedule ls | migrate schedule run
migrate schedule unit
migrate policy add | migrate policy ls | migrate policy show | migrate policy test | migrate policy enable
migrate policy disable | migrate policy run | migrate policy rm
monitor events
search query | search ask | search adapters | search similar | search duplicates | search recommend
search index add | search index rm | search index ls | search index stat | search index verify
search index rebuild | search index embed | search tag add | search tag rm | search tag ls
search tag suggest | search saved add | search saved ls | search saved show | search saved run | search saved rm
config show | config get | config set | config path
doctor | serve-mcp
mcp ls | mcp call | mcp read | mcp prompt
"""


def ids(command: Found) -> str:
    return " ".join(command.path)


def test_the_commands_are_exactly_these() -> None:
    listed = {name.strip() for line in COMMANDS.splitlines() for name in line.split("|") if name.strip()}
    assert {ids(command) for command in commands(app)} == listed


@pytest.mark.parametrize("command", commands(app), ids=ids)
def test_a_command_says_in_a_sentence_what_it_does_and_shows_examples(command: Found) -> None:
    first = command.help.splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")
    _, examples = split_examples(inspect.getdoc(command.function) or "")
    assert examples
    assert all("ipfs-accel" in example for example in examples)


@pytest.mark.parametrize("command", commands(app), ids=ids)
def test_only_what_makes_sense_there_is_offered_to_assistants(command: Found) -> None:
    shell_only = command.path[0] in ("mcp", "serve-mcp") or command.path in (
        *(("config", "set"), ("hw", "top"), ("job", "work")),
        ("migrate", "schedule", "run"),
        ("migrate", "schedule", "unit"),
        *(("model", "sign"), ("model", "attest"), ("model", "trust")),
        *(("infer", "endpoint", "add"), ("infer", "endpoint", "rm")),
        *(("store", group, verb) for group in ("key", "identity") for verb in ("new", "rm", "export", "import")),
        *(("store", "name", "publish"), ("store", "rewrap")),
        *(("store", "swarm", "connect"), ("store", "swarm", "disconnect"), ("store", "repo", "gc")),
        *(("store", "backend", "add"), ("store", "backend", "rm")),
        *(("store", "price", verb) for verb in ("set", "rm", "region")),
    )
    assert command.effects.exposed is not shell_only


@pytest.mark.parametrize("command", commands(app), ids=ids)
def test_help_of_every_command_is_printed(command: Found, capsys: pytest.CaptureFixture[str]) -> None:
    from ipfs_accel_cli.surfaces.cli.main import run

    assert run([*command.path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert command.help.splitlines()[0].split(",")[0][:40] in shown
    assert "--json" in shown
    assert "Examples:" in shown


@pytest.mark.parametrize("command", commands(app), ids=ids)
def test_what_can_write_a_file_of_the_callers_is_no_reading_command(command: Found) -> None:
    writes = {"output", "force", "annotate", "spectrogram"} & set(inspect.signature(command.function).parameters)
    assert not writes or command.effects.effect != "read", writes

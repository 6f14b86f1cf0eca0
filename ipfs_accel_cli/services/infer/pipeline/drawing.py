"""A pipeline as a graph in text: Mermaid or Graphviz's DOT. Pure."""

from __future__ import annotations

import json
from typing import Literal

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.pipeline.spec import INPUTS, Spec, references

Language = Literal["mermaid", "dot"]


def drawn(spec: Spec, language: Language) -> str:
    """Return the graph: inputs, steps with what they run, outputs, and what flows between them.

    Raises Invalid for a reference to an input or a step that is not there.
    """
    nodes = [(f"in_{name}", f"{name}\n{kind}", "input") for name, kind in spec.inputs.items()]
    nodes += [(f"step_{step.name}", f"{step.name}\n{step.run}", "step") for step in spec.steps]
    nodes += [(f"out_{name}", name, "output") for name in spec.outputs]
    known = {name for name, _, _ in nodes}
    edges = []
    ends = [(f"step_{step.name}", value) for step in spec.steps for value in step.arguments.values()]
    for end, value in [*ends, *((f"out_{name}", value) for name, value in spec.outputs.items())]:
        for one in references(value):
            start = f"in_{'.'.join(one.path)}" if one.source == INPUTS else f"step_{one.source}"
            if start not in known:
                raise Invalid(f"{one} is neither an input nor a step", suggestion="ipfs-accel infer pipeline check")
            label = "" if one.source == INPUTS else ".".join(one.path)
            edges.append((start, end, label))
    edges = list(dict.fromkeys(edges))
    return _mermaid(nodes, edges) if language == "mermaid" else _dot(spec.name, nodes, edges)


def _mermaid(nodes: list[tuple[str, str, str]], edges: list[tuple[str, str, str]]) -> str:
    shapes = {"input": ("([", "])"), "step": ("[", "]"), "output": ("([", "])")}
    ids = {name: f"n{number}" for number, (name, _, _) in enumerate(nodes)}
    lines = ["flowchart LR"]
    for name, label, kind in nodes:
        left, right = shapes[kind]
        lines.append(f'    {ids[name]}{left}"{_safe(label)}"{right}')
    for start, end, label in edges:
        arrow = f'-- "{_safe(label)}" -->' if label else "-->"
        lines.append(f"    {ids[start]} {arrow} {ids[end]}")
    return "\n".join(lines)


def _dot(title: str, nodes: list[tuple[str, str, str]], edges: list[tuple[str, str, str]]) -> str:
    lines = [f"digraph {json.dumps(title)} {{", "    rankdir=LR;"]
    for name, label, kind in nodes:
        lines.append(
            f"    {json.dumps(name)} [label={json.dumps(label)}, shape={'box' if kind == 'step' else 'ellipse'}];"
        )
    for start, end, label in edges:
        lines.append(f"    {json.dumps(start)} -> {json.dumps(end)} [label={json.dumps(label)}];")
    return "\n".join([*lines, "}"])


def _safe(label: str) -> str:
    return label.replace('"', "#quot;").replace("\n", "<br/>")

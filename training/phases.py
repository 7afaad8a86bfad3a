"""Systems grouped by phase, so that errors can be told for crystal, liquid and amorphous apart as in the literature."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from typing import Any

from nvnmd.training.evaluation import Evaluated, errors
from nvnmd.training.system import FramesError

# Words of folder and file names; the first group with a word in the last part of the name that has any wins.
WORDS = {
    "liquid": ("liquid", "melt", "molten"),
    "amorphous": ("amorphous", "glass", "glassy"),
    "crystal": ("crystal", "crystalline", "rocksalt", "trigonal", "rhombohedral", "hexagonal", "cubic"),
}
OTHER = "other"


def phase_of(name: str) -> str:
    """Phase that a system's name speaks of, the last folder first: `gete/melt-quench/crystal-300K` is a crystal."""
    for part in reversed(re.split(r"[/\\]", name.lower())):
        words = set(re.findall(r"[a-z]+", part))
        for phase, known in WORDS.items():
            if words & set(known):
                return phase
    return OTHER


def parse_groups(texts: Sequence[str]) -> dict[str, list[str]]:
    """`NAME=PATTERN` texts as patterns by group; a group may be named more than once.

    Raises:
        FramesError: a text of another form.
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        name, equals, pattern = text.partition("=")
        if not (name and equals and pattern):
            raise FramesError(f"--group {text!r}: give NAME=PATTERN, for instance liquid='*/melt-*'")
        groups.setdefault(name, []).append(pattern)
    return groups


def by_phase(evaluated: Sequence[Evaluated], groups: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """Errors of each phase and part (train, held out, new) as JSON values: phase -> part -> keys of `Errors`.

    Args:
        evaluated: systems with predictions.
        groups: shell-style patterns of system names by group; a system belongs to the first that fits, and to the phase
            that its name speaks of where none does.
    """
    found: dict[str, dict[str, list[Evaluated]]] = {}
    for e in evaluated:
        named = (g for g, patterns in (groups or {}).items() if any(fnmatch(e.system.name, p) for p in patterns))
        group = next(named, None) or phase_of(e.system.name)
        found.setdefault(group, {}).setdefault(e.part, []).append(e)
    return {
        group: {part: asdict(errors(members)) for part, members in parts.items()}
        for group, parts in sorted(found.items(), key=lambda item: (item[0] == OTHER, item[0]))
    }

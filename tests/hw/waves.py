"""Reads the waveforms that the stream bench writes."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np


def signals(path: Path, names: Iterable[str], step: int = 10) -> dict[str, np.ndarray]:
    """Value of signals in every cycle, before its clock edge: int64 [cycles]. A name is a path from the top module."""
    wanted, scope, by_code = set(names), list[str](), dict[str, list[str]]()
    values, found = dict.fromkeys(wanted, 0), {name: list[int]() for name in wanted}
    time = -1
    with path.open() as file:
        for line in file:
            match line.split():
                case ["$scope", _, name, _]:
                    scope.append(name)
                case ["$upscope", _]:
                    scope.pop()
                case ["$var", _, _, code, name, *_]:
                    full = ".".join([*scope[2:], name])
                    by_code.setdefault(code, []).append(full)
                case [word] if word.startswith("#"):
                    # What was settled in the first half of a cycle stays until its edge, half a step later.
                    while time >= 0 and time < int(word[1:]):
                        if time % step == 0:
                            for name in wanted:
                                found[name].append(values[name])
                        time += step // 2
                    time = int(word[1:])
                case [word] if word[0] in "01":
                    for name in by_code.get(word[1:], ()):
                        values[name] = int(word[0])
                case [word, code] if word[0] == "b":
                    for name in by_code.get(code, ()):
                        values[name] = int(word[1:], 2)
    missing = wanted - {name for group in by_code.values() for name in group}
    assert not missing, f"{path} has no {', '.join(sorted(missing))}"
    return {name: np.array(words) for name, words in found.items()}

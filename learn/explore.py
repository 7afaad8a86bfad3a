"""One round's look around: every item's structures, by the model of the round."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvnmd.learn.builders import BUILDERS, build
from nvnmd.learn.items import Item
from nvnmd.learn.md import Frame, relax, run_plan, visited

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Explorer:
    """Builds and runs the items of a round.

    Attributes:
        items: to look at; model: file of the integer model; elements: of its types, in order.
        folder: of the runs; seed: of the round.
    """

    items: Sequence[Item]
    model: Path
    elements: tuple[str, ...]
    folder: Path
    seed: int

    def run(self, tell: Tell = lambda text: None) -> list[dict[str, Any]]:
        """Do all runs of molecular dynamics, or go on with them; what became of each.

        Raises:
            Interrupted: after Ctrl-C.
        """
        outcomes = []
        for item in self.items:
            if BUILDERS[item.build].kind != "md":
                continue
            for number, plan in enumerate(self._built(item), 1):
                name = f"{item.name}-{number}"
                tell(f"explore: {name}, {len(plan.start)} atoms")
                outcome = run_plan(plan, self.model, self.elements, self.folder / name)
                outcomes.append({"item": item.name, "run": number} | outcome)
        return outcomes

    def frames(self, item: Item) -> list[Frame]:
        """All structures of an item, after `run`."""
        kind, made = BUILDERS[item.build].kind, self._built(item)
        if kind == "structures":
            groups = [[Frame(atoms, {})] for atoms in made]
        elif kind == "relax":
            groups = [relax(atoms, self.model) for atoms in made]
        else:
            names = [f"{item.name}-{number}" for number in range(1, len(made) + 1)]
            groups = [visited(self.folder / name, plan, self.elements) for name, plan in zip(names, made, strict=True)]
        return [
            Frame(frame.atoms, {"item": item.name, "run": number, **frame.origin})
            for number, group in enumerate(groups, 1)
            for frame in group
        ]

    def _built(self, item: Item) -> list[Any]:
        return build(item.build, item.count, item_seed(self.seed, item), **item.options)


def item_seed(seed: int, item: Item) -> int:
    """Seed of an item: two items of one builder give other structures."""
    return (seed * 1_000_003 + zlib.crc32(item.name.encode())) % 2**31

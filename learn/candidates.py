"""From the frames of a round to those that are labeled: score, compare, choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.learn.descriptors import StructureVectors
from nvnmd.learn.explore import Explorer
from nvnmd.learn.items import Item
from nvnmd.learn.md import Frame
from nvnmd.learn.select import select_frames, spread_evenly
from nvnmd.learn.settings import SelectPart
from nvnmd.learn.uncertainty import Uncertainty
from nvnmd.training.neighbors import GeometryError
from nvnmd.training.system import System

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
TEST_FRAMES = 10


@dataclass(frozen=True)
class Chosen:
    """A frame to label; `test`: only to test on; `score`: largest uncertainty of its atoms."""

    item: str
    test: bool
    atoms: Atoms
    score: float
    origin: dict[str, Any]


def plain_system(atoms: Atoms, type_map: Sequence[str], name: str = "frame") -> System:
    """A structure as a system without labels (zeros), for models to predict."""
    periodic, positions = bool(atoms.pbc.all()), atoms.positions[None]
    return System(
        name=name,
        type_map=tuple(type_map),
        types=np.array([type_map.index(symbol) for symbol in atoms.get_chemical_symbols()], dtype=np.int64),
        cells=(atoms.cell.array if periodic else np.zeros((3, 3)))[None],
        positions=positions,
        energies=np.zeros(1),
        forces=np.zeros_like(positions),
        virials=None,
        periodic=periodic,
        label="none",
    )


def score_frames(
    frames: Sequence[Frame], type_map: Sequence[str], uncertainty: Uncertainty, vectors: StructureVectors
) -> tuple[Floats, Floats]:
    """Largest uncertainty of each frame, [n], and its vector, [n, d]; NaN and zeros for atoms on top of each other."""
    scores, found = np.full(len(frames), np.nan), {}
    for k, frame in enumerate(frames):
        system = plain_system(frame.atoms, type_map)
        try:
            scores[k], found[k] = float(uncertainty(system).max()), vectors(system)[0]
        except GeometryError:
            continue
    width = len(next(iter(found.values()))) if found else 0
    return scores, np.array([found.get(k, np.zeros(width)) for k in range(len(frames))]).reshape(len(frames), width)


def choose(
    explorer: Explorer,
    type_map: Sequence[str],
    uncertainty: Uncertainty,
    vectors: StructureVectors,
    known: Floats,
    settings: SelectPart,
) -> tuple[list[Chosen], dict[str, Any]]:
    """The frames of a round that are to be labeled, and a summary of all (JSON values).

    Items with a limit of their own come first; the others share `settings.most`. Test items are spread evenly over
    their frames, whatever the models say of them.
    """
    pooled: list[tuple[Item, Frame, float, Floats]] = []
    chosen: list[Chosen] = []
    counts = dict.fromkeys(("accurate", "candidate", "failed"), 0)
    every: list[float] = []
    for item in explorer.items:
        frames = explorer.frames(item)
        if item.test:
            chosen += _test_frames(item, frames, type_map, uncertainty)
            continue
        scores, points = score_frames(frames, type_map, uncertainty, vectors)
        every += scores[np.isfinite(scores)].tolist()
        rows = [(item, *row) for row in zip(frames, scores.tolist(), points, strict=True)]
        if item.select is None:
            pooled += rows
        else:
            known = _take(rows, item.select, known, settings, counts, chosen, 0)
    known = _take(pooled, settings.most, known, settings, counts, chosen, settings.least)
    values = np.array(every) if every else np.zeros(1)
    quantiles = {name: float(np.quantile(values, q)) for name, q in (("median", 0.5), ("p90", 0.9), ("max", 1.0))}
    summary: dict[str, Any] = {"measure": uncertainty.name, "unit": uncertainty.unit, "levels": list(settings.levels)}
    summary |= {"frames": len(every), **quantiles, **counts}
    return chosen, summary | {"chosen": sum(not c.test for c in chosen), "test": sum(c.test for c in chosen)}


def _take(
    rows: Sequence[tuple[Item, Frame, float, Floats]],
    most: int,
    known: Floats,
    settings: SelectPart,
    counts: dict[str, int],
    chosen: list[Chosen],
    least: int,
) -> Floats:
    """Add the chosen ones of some frames to `chosen` and what they are to `counts`; all vectors that are known now."""
    if not rows:
        return known
    scores, points = np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
    found = select_frames(scores, points, known, *settings.levels, most, least)
    for key in counts:
        counts[key] += getattr(found, key)
    for k in found.chosen:
        item, frame, score, _ = rows[k]
        chosen.append(Chosen(item.name, False, frame.atoms, score, frame.origin))
    new = points[found.chosen]
    return np.vstack([known, new]) if len(known) else new


def _test_frames(
    item: Item, frames: Sequence[Frame], type_map: Sequence[str], uncertainty: Uncertainty
) -> list[Chosen]:
    found = []
    for k in spread_evenly(len(frames), item.select or TEST_FRAMES):
        try:
            score = float(uncertainty(plain_system(frames[k].atoms, type_map)).max())
        except GeometryError:
            continue
        found.append(Chosen(item.name, True, frames[k].atoms, score, frames[k].origin))
    return found

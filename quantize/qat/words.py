"""Frames as neighbor words for the torch module: everything that training does not change, computed once per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from nvnmd.training.batch import Labels


@dataclass(frozen=True)
class WordBatch:
    """Neighbor words of one or more frames in rows of equal width, as real numbers in float64; padding is zero.

    Attributes:
        names: where each frame came from; atoms: atoms of each frame.
        types: [n_atoms]; frame_of_atom: [n_atoms].
        rows: [n_atoms, width] row of the feature table, from 1; row 0 is empty.
        gates: [n_atoms, width] row of the gate table, center * n_types + neighbor.
        t, t_coarse: [n_atoms, width] position in the segment; the same without its last ``feature_shift`` bits.
        x: [n_atoms, width, 3] Å.
        env: [n_atoms, width, 4], R.
        h, hp, sp: [n_atoms, width] angular value and slope, radial slope; slopes per segment.
        guard: [n_atoms] eV; guard_slope: [n_atoms, width] eV/Å².
        neighbors: [n_atoms, width] row of the neighbor atom.
        clipped: words of R that were clipped; too_close: neighbors below the start of the tables.
        labels: or None.
    """

    names: tuple[str, ...]
    atoms: tuple[int, ...]
    types: Tensor
    frame_of_atom: Tensor
    rows: Tensor
    gates: Tensor
    t: Tensor
    t_coarse: Tensor
    x: Tensor
    env: Tensor
    h: Tensor
    hp: Tensor
    sp: Tensor
    guard: Tensor
    guard_slope: Tensor
    neighbors: Tensor
    clipped: int
    too_close: int
    labels: Labels | None = None

    @property
    def n_frames(self) -> int:
        return len(self.atoms)

    @property
    def n_atoms(self) -> int:
        return len(self.types)

    def to(self, device: str | torch.device) -> WordBatch:
        """The same batch on another device."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in moved.items()}
        return replace(self, **moved)


PADDED = ("rows", "gates", "t", "t_coarse", "x", "env", "h", "hp", "sp", "guard_slope", "neighbors")


def collate_words(frames: Sequence[WordBatch]) -> WordBatch:
    """Join frames to one batch; a single frame is returned as it is."""
    if len(frames) == 1:
        return frames[0]
    width = max(frame.rows.shape[1] for frame in frames)
    starts = np.cumsum([0, *(frame.n_atoms for frame in frames)])

    def widen(values: Tensor) -> Tensor:
        table = values.new_zeros((values.shape[0], width, *values.shape[2:]))
        table[:, : values.shape[1]] = values
        return table

    moved = [replace(f, neighbors=f.neighbors + int(s)) for f, s in zip(frames, starts, strict=False)]
    sizes = torch.tensor([frame.n_atoms for frame in frames])
    labels = [frame.labels for frame in frames if frame.labels is not None]
    return WordBatch(
        names=tuple(name for frame in frames for name in frame.names),
        atoms=tuple(count for frame in frames for count in frame.atoms),
        types=torch.cat([frame.types for frame in frames]),
        frame_of_atom=torch.repeat_interleave(torch.arange(len(frames)), sizes),
        guard=torch.cat([frame.guard for frame in frames]),
        clipped=sum(frame.clipped for frame in frames),
        too_close=sum(frame.too_close for frame in frames),
        labels=_join(labels) if len(labels) == len(frames) else None,
        **{key: torch.cat([widen(getattr(frame, key)) for frame in moved]) for key in PADDED},
    )


def _join(labels: Sequence[Labels]) -> Labels:
    return Labels(
        energies=torch.cat([label.energies for label in labels]),
        forces=torch.cat([label.forces for label in labels], dim=1),
        virials=torch.cat([label.virials for label in labels]),
        has_virial=torch.cat([label.has_virial for label in labels]),
    )

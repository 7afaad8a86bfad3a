"""Neighbors of every atom of a batch and all that depends on the geometry alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROWS, UNIT, SLOPES, DISTANCE = slice(0, 4), slice(4, 7), slice(7, 10), 10
COLUMNS = 12  # the last one is free


@dataclass(frozen=True)
class Pairs:
    """Pairs center by center, and within a center by the neighbor's type.

    Attributes:
        offsets: [n_atoms * n_types + 1] int64; neighbors of type b of center i stand from i * n_types + b on.
        neighbors: [n_pairs] int32, the neighbor atom.
        reverse: [n_pairs] int32, the pair seen from its other end.
        geometry: [n_pairs, 12] environment row (scaled, 4), unit vector from center to neighbor (3), slopes (ds/dr over
            radial scale, (ds/dr - s/r) over angular, s/r over angular), distance in angstrom, and nothing.
        counts: pairs of each ordered pair of types, center * n_types + neighbor.
        width: most neighbors of an atom.
    """

    offsets: Tensor
    neighbors: Tensor
    reverse: Tensor
    geometry: Tensor
    counts: tuple[int, ...]
    width: int

    def to(self, device: torch.device | str | None, dtype: torch.dtype | None) -> Pairs:
        """The same pairs elsewhere; `dtype` is that of the geometry."""
        integers = (self.offsets.to(device), self.neighbors.to(device), self.reverse.to(device))
        return Pairs(*integers, self.geometry.to(device, dtype), self.counts, self.width)

    def nbytes(self) -> int:
        """Memory of the tensors."""
        return sum(value.nbytes for value in (self.offsets, self.neighbors, self.reverse, self.geometry))


def join(parts: list[Pairs], atoms: list[int]) -> Pairs:
    """Pairs of frames one behind the other; `atoms` are the numbers of atoms of the frames."""
    offsets, neighbors, reverse = [], [], []
    first_atom = first_pair = 0
    for part, n_atoms in zip(parts, atoms, strict=True):
        offsets.append(part.offsets[:-1] + first_pair)
        neighbors.append(part.neighbors + first_atom)
        reverse.append(part.reverse + first_pair)
        first_atom, first_pair = first_atom + n_atoms, first_pair + len(part.neighbors)
    return Pairs(
        offsets=torch.cat([*offsets, torch.tensor([first_pair])]),
        neighbors=torch.cat(neighbors),
        reverse=torch.cat(reverse),
        geometry=torch.cat([part.geometry for part in parts]),
        counts=tuple(sum(column) for column in zip(*(part.counts for part in parts), strict=True)),
        width=max(part.width for part in parts),
    )

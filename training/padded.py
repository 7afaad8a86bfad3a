"""The pairs of a batch as torch works on them best: packed by net, and padded to one row per center."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nvnmd.training.pairs import DISTANCE, ROWS, SLOPES, UNIT, Pairs


@dataclass(frozen=True)
class Padded:
    """Pairs stand twice: "packed" and "padded".

    Packed pairs are sorted by ordered pair of types; the embedding works on these. Padded ones stand in a table of one
    row per center; the contractions work on these. Padding places contribute zero.

    Attributes:
        counts: packed pairs of each ordered pair of types, center * n_types + neighbor.
        inputs: [n_pairs] packed, s over the radial scale of the center.
        places: [n_pairs] packed, the padded place.
        padded_rows: [n_atoms * width] packed pair of each padded place; any for padding.
        rows: [n_atoms, 4, width] the environment matrix, scaled.
        unit: [3, n_atoms, width]; slopes: [3, n_atoms, width], see `Pairs`; distances: [n_atoms, width] angstrom.
        neighbors: [n_atoms * width] the neighbor atom.
        reverse: [n_atoms * width] padded place of the pair seen from its other end.
    """

    counts: tuple[int, ...]
    inputs: Tensor
    places: Tensor
    padded_rows: Tensor
    rows: Tensor
    unit: Tensor
    slopes: Tensor
    distances: Tensor
    neighbors: Tensor
    reverse: Tensor

    @property
    def n_atoms(self) -> int:
        return self.rows.shape[0]

    @property
    def width(self) -> int:
        """Places per row: the largest number of neighbors."""
        return self.rows.shape[2]

    @classmethod
    def of(cls, pairs: Pairs, types: Tensor) -> Padded:
        """Lay out pairs; `types`: [n_atoms]."""
        n_atoms, width = len(types), pairs.width
        device, size = types.device, n_atoms * width
        n_types = (len(pairs.offsets) - 1) // max(1, n_atoms)
        starts = pairs.offsets[::n_types][:n_atoms]
        per_atom = torch.diff(pairs.offsets[::n_types])
        centers = torch.repeat_interleave(
            torch.arange(n_atoms, device=device), per_atom, output_size=len(pairs.neighbors)
        )
        flat = centers * width + torch.arange(len(centers), device=device) - starts[centers]
        neighbors = pairs.neighbors.long()
        packed = torch.argsort(types[centers] * n_types + types[neighbors], stable=True)
        places = flat[packed]
        table = pairs.geometry.new_zeros(size, pairs.geometry.shape[1])
        table[flat] = pairs.geometry
        columns = table.view(n_atoms, width, table.shape[1])
        own = torch.arange(size, device=device)
        return cls(
            counts=pairs.counts,
            inputs=pairs.geometry[packed, 0],
            places=places,
            padded_rows=torch.zeros_like(own).index_copy(0, places, own[: len(places)]),
            rows=columns[..., ROWS].transpose(1, 2).contiguous(),
            unit=columns[..., UNIT].permute(2, 0, 1).contiguous(),
            slopes=columns[..., SLOPES].permute(2, 0, 1).contiguous(),
            distances=columns[..., DISTANCE].contiguous(),
            neighbors=torch.zeros_like(own).index_copy(0, flat, neighbors),
            reverse=own.index_copy(0, flat, flat[pairs.reverse.long()]),
        )

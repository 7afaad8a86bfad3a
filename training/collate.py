"""Join prepared frames of any sizes to one batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nvnmd.training.batch import Batch, Labels


def collate(frames: Sequence[Batch]) -> Batch:
    """Join prepared frames (on the CPU) to one batch; a single frame is returned as it is."""
    if len(frames) == 1:
        return frames[0]
    width = max(frame.width for frame in frames)
    atom_ends = np.cumsum([frame.n_atoms for frame in frames]).tolist()
    starts = [0, *atom_ends[:-1]]
    order = _packed_order(frames)
    inputs = torch.cat([frame.inputs for frame in frames])[order]
    centers = torch.cat([frame.centers + start for frame, start in zip(frames, starts, strict=True)])[order]
    columns = torch.cat([frame.columns for frame in frames])[order]
    padded_rows = torch.zeros(atom_ends[-1] * width, dtype=torch.int64)
    padded_rows[centers * width + columns] = torch.arange(inputs.numel())
    neighbors = [f.neighbors.view(f.n_atoms, f.width) + start for f, start in zip(frames, starts, strict=True)]
    return Batch(
        names=tuple(name for frame in frames for name in frame.names),
        atoms=tuple(count for frame in frames for count in frame.atoms),
        order=torch.cat([frame.order for frame in frames]),
        frame_of_atom=torch.cat([torch.full((frame.n_atoms,), k) for k, frame in enumerate(frames)]),
        by_type=_atoms_by_type(frames, starts),
        type_counts=_sums([frame.type_counts for frame in frames]),
        pair_counts=_sums([frame.pair_counts for frame in frames]),
        inputs=inputs,
        centers=centers,
        columns=columns,
        padded_rows=padded_rows,
        rows=_widen([frame.rows for frame in frames], 0, width),
        unit=_widen([frame.unit for frame in frames], 1, width),
        slopes=_widen([frame.slopes for frame in frames], 1, width),
        distances=_widen([frame.distances for frame in frames], 0, width),
        neighbors=_widen(neighbors, 0, width).view(-1),
        reverse=torch.cat([_reverse(frame, start, width) for frame, start in zip(frames, starts, strict=True)]),
        guard_atomic=torch.cat([frame.guard_atomic for frame in frames]),
        guard_forces=torch.cat([frame.guard_forces for frame in frames], dim=1),
        guard_virials=torch.cat([frame.guard_virials for frame in frames]),
        labels=_join_labels([frame.labels for frame in frames]),
    )


def _sums(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*counts, strict=True))


def _packed_order(frames: Sequence[Batch]) -> Tensor:
    """Where each packed pair of the joint batch stands in the frames' packed pairs, one after the other."""
    ranges = np.cumsum([0, *(count for frame in frames for count in frame.pair_counts)])
    n_kinds = len(frames[0].pair_counts)
    pieces = [
        torch.arange(ranges[k * n_kinds + kind], ranges[k * n_kinds + kind + 1])
        for kind in range(n_kinds)
        for k in range(len(frames))
    ]
    return torch.cat(pieces)


def _atoms_by_type(frames: Sequence[Batch], starts: Sequence[int]) -> Tensor:
    """Atoms of the joint batch sorted by type; within a frame they are sorted already."""
    ends = [np.cumsum([start, *frame.type_counts]) for frame, start in zip(frames, starts, strict=True)]
    n_types = len(frames[0].type_counts)
    return torch.cat([torch.arange(end[kind], end[kind + 1]) for kind in range(n_types) for end in ends])


def _widen(values: Sequence[Tensor], atom_dim: int, width: int) -> Tensor:
    """Join along the atoms and pad the last dimension with zeros to `width`."""
    padded = [torch.nn.functional.pad(value, (0, width - value.shape[-1])) for value in values]
    return torch.cat(padded, dim=atom_dim)


def _reverse(frame: Batch, start: int, width: int) -> Tensor:
    """A frame's `reverse` for rows of another width that begin at row `start`; padding points to itself."""
    table = torch.arange(start * width, (start + frame.n_atoms) * width).view(frame.n_atoms, width)
    if frame.width:
        old = frame.reverse.view(frame.n_atoms, frame.width)
        table[:, : frame.width] = (old // frame.width + start) * width + old % frame.width
    return table.view(-1)


def _join_labels(labels: Sequence[Labels | None]) -> Labels | None:
    known = [label for label in labels if label is not None]
    if len(known) < len(labels):
        return None
    return Labels(
        energies=torch.cat([label.energies for label in known]),
        forces=torch.cat([label.forces for label in known], dim=1),
        virials=torch.cat([label.virials for label in known]),
        has_virial=torch.cat([label.has_virial for label in known]),
    )

"""Join prepared frames of any sizes to one batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nvnmd.training.batch import Batch, Labels
from nvnmd.training.pairs import join


def collate(frames: Sequence[Batch]) -> Batch:
    """Join prepared frames (on the CPU) to one batch; a single frame is returned as it is."""
    if len(frames) == 1:
        return frames[0]
    ends = np.cumsum([frame.n_atoms for frame in frames]).tolist()
    return Batch(
        names=tuple(name for frame in frames for name in frame.names),
        atoms=tuple(count for frame in frames for count in frame.atoms),
        order=torch.cat([frame.order for frame in frames]),
        frame_of_atom=torch.cat([torch.full((frame.n_atoms,), k) for k, frame in enumerate(frames)]),
        types=torch.cat([frame.types for frame in frames]),
        by_type=_atoms_by_type(frames, [0, *ends[:-1]]),
        type_counts=_sums([frame.type_counts for frame in frames]),
        pairs=join([frame.pairs for frame in frames], [frame.n_atoms for frame in frames]),
        guard_atomic=torch.cat([frame.guard_atomic for frame in frames]),
        guard_forces=torch.cat([frame.guard_forces for frame in frames], dim=1),
        guard_virials=torch.cat([frame.guard_virials for frame in frames]),
        labels=_join_labels([frame.labels for frame in frames]),
    )


def _sums(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*counts, strict=True))


def _atoms_by_type(frames: Sequence[Batch], starts: Sequence[int]) -> Tensor:
    """Atoms of the joint batch sorted by type; within a frame they are sorted already."""
    ends = [np.cumsum([start, *frame.type_counts]) for frame, start in zip(frames, starts, strict=True)]
    n_types = len(frames[0].type_counts)
    return torch.cat([torch.arange(end[kind], end[kind + 1]) for kind in range(n_types) for end in ends])


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

"""Labeled frames as neighbor words, for the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.quantize.qat.words import WordBatch, collate_words
from nvnmd.training.batch import Labels
from nvnmd.training.data import model_types
from nvnmd.training.system import System


class WordStore:
    """Prepared frames of several systems by one running index; stands in for ``training.data.FrameStore``.

    Args:
        integer: whose formats and fixed tables make the words.
        systems: in the order of the running index.
        shifts: [n_types] energy shifts in eV for each system; they are taken off its energies.
        cache_mb: memory for prepared frames; others are prepared each time.
    """

    references = None  # fine-tuning begins with one energy reference, see `quantize.energy_reference`

    def __init__(
        self,
        integer: IntegerModel,
        systems: Sequence[System],
        shifts: Sequence[NDArray[np.float64]],
        cache_mb: float = 2000.0,
    ) -> None:
        self.integer, self.systems, self._shifts = integer, list(systems), list(shifts)
        self._types = [model_types(system, integer.type_map) for system in systems]
        self._places = [(which, k) for which, system in enumerate(self.systems) for k in range(system.n_frames)]
        self._cache: dict[int, WordBatch] = {}
        self._free = int(cache_mb * 1e6)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def sizes(self) -> list[int]:
        """Frames of each system."""
        return [system.n_frames for system in self.systems]

    def batch(self, indices: Sequence[int]) -> WordBatch:
        """The frames of some running indices as one labeled batch.

        Raises:
            QuantizeError: a frame that the integer model cannot hold, by name.
        """
        return collate_words([self._frame(index) for index in indices])

    def _frame(self, index: int) -> WordBatch:
        if index in self._cache:
            return self._cache[index]
        which, k = self._places[index]
        system, types = self.systems[which], self._types[which]
        name = f"{system.name}, frame {k}"
        try:
            words = pack_frame(self.integer, system.positions[k], system.cells[k], types, system.periodic)
        except QuantizeError as error:
            raise QuantizeError(f"{name}: {error}") from None
        labels = Labels(
            energies=torch.tensor([float(system.energies[k] - self._shifts[which][types].sum())], dtype=torch.float64),
            forces=torch.from_numpy(np.ascontiguousarray(system.forces[k].T)),
            virials=torch.from_numpy(np.zeros((1, 3, 3)) if system.virials is None else system.virials[k][None].copy()),
            has_virial=torch.tensor([system.virials is not None]),
        )
        prepared = replace(prepare_words(self.integer, words, name), labels=labels)
        if prepared.too_close:
            start = (self.integer.u_min * 2.0**-self.integer.formats.u_frac) ** 0.5
            raise QuantizeError(
                f"{name}: atoms closer than {start:.2f} A, where the tables start; leave the frame out or lower "
                "table_start_A"
            )
        size = sum(t.nbytes for f in fields(prepared) if isinstance(t := getattr(prepared, f.name), Tensor))
        if size <= self._free:
            self._free -= size
            self._cache[index] = prepared
        return prepared

"""Energies, forces and virials of frames given as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nvnmd.host._core import Core, Error
from nvnmd.host.active_set import active_set_path
from nvnmd.host.card import CardCounts, CardOptions

LIST_MARGIN_A = 1e-2
"""Neighbors are searched a little beyond the cutoff; which of them belong to the model is decided in integers."""


@dataclass(frozen=True)
class RawResult:
    """Integers of one frame (docs/numerics.md, section 8).

    Attributes:
        energy: sum of ``atom_energy``.
        atom_energy: int64 [n_atoms], ``e_frac`` fraction bits.
        force: int64 [n_atoms, 3], ``f_frac``.
        virial: int64 [3, 3], ``w_frac``.
        atom_virial: int64 [n_atoms, 3, 3], ``w_frac``, assigned to the neighbor atom (centroid form); None unless asked
            for.
        clipped: words clipped per stage.
        too_close: neighbors below the start of the tables.
    """

    energy: int
    atom_energy: NDArray[np.int64]
    force: NDArray[np.int64]
    virial: NDArray[np.int64]
    atom_virial: NDArray[np.int64] | None
    clipped: dict[str, int]
    too_close: int


@dataclass(frozen=True)
class Result:
    """Energy, forces and virial of one frame.

    Attributes:
        energy: eV.
        atom_energies: [n_atoms], eV.
        forces: [n_atoms, 3], eV/Å.
        virial: [3, 3], eV, ``-dE/dstrain``; None unless asked for.
        atom_virials: [n_atoms, 3, 3], eV, centroid form; None unless asked for.
        clipped: words clipped per stage; a nonzero count means that the frame leaves the range the model was made for.
        raw: the integers; None unless asked for.
        types: [n_atoms], types of the atoms in the model's type map.
        gamma: [n_atoms], extrapolation grades: up to 1 inside the training data, above it the model extrapolates
            (docs/uncertainty.md); None unless asked for.
        hidden: int16 [n_atoms, width], activations of the last hidden layer; None unless asked for.
    """

    energy: float
    atom_energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    virial: NDArray[np.float64] | None
    atom_virials: NDArray[np.float64] | None
    clipped: dict[str, int]
    raw: RawResult | None
    types: NDArray[np.int64] | None = None
    gamma: NDArray[np.float64] | None = None
    hidden: NDArray[np.int16] | None = None


class Potential:
    """A model file, ready to run on the CPU or on a card.

    Args:
        path: model file (``*.nvnmd``).
        kernel: one of ``nvnmd.host.kernel_names()``, or ``auto`` for the fastest. All give the same bits.
        threads: CPU threads; None takes ``OMP_NUM_THREADS``, or all cores. The count changes no bit.
        skin_A: neighbors are searched this much beyond the cutoff, and again only when an atom has moved by half of it:
            for molecular dynamics. Å.
        card: run on this card; ``kernel`` is not used then, and ``threads`` pack and unpack.
        active_set: file that extrapolation grades refer to, read when the first are asked for; None: ``*.gamma`` beside
            the model (``nvnmd gamma`` writes it).

    Raises:
        Error: a bad model file, an unknown kernel, or a card that cannot be used; then ``error.fault`` says why.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        kernel: str = "auto",
        threads: int | None = None,
        skin_A: float = 0.0,
        card: CardOptions | None = None,
        active_set: str | PathLike[str] | None = None,
    ) -> None:
        from vesin import NeighborList

        if card is None:
            self._core = Core(fspath(path), kernel, threads or 0)
        else:
            self._core = Core(fspath(path), card.settings(threads or 0))
        self._search = NeighborList(
            cutoff=self.cutoff_A + LIST_MARGIN_A, full_list=True, skin=skin_A, n_threads=threads or 0
        )
        self._active_set: Path | None = active_set_path(path) if active_set is None else Path(active_set)
        self._lock = Lock()

    @property
    def type_map(self) -> tuple[str, ...]:
        """Element symbols; index = type."""
        return tuple(self._core.type_map)

    @property
    def cutoff_A(self) -> float:
        """Cutoff radius, Å."""
        return self._core.rcut_A

    @property
    def description(self) -> str:
        """Backend, kernel and threads, for logs."""
        return self._core.description

    @property
    def card_counts(self) -> CardCounts | None:
        """What has happened on the way to the card so far; None on the CPU."""
        counts = self._core.card_counts()
        return CardCounts(**counts) if counts else None

    def types_of(self, symbols: Sequence[str]) -> NDArray[np.int64]:
        """Return the type of every element symbol.

        Raises:
            Error: an element that the model does not know.
        """
        index = {symbol: number for number, symbol in enumerate(self.type_map)}
        unknown = sorted(set(symbols) - index.keys())
        if unknown:
            error = Error(f"the model has no element {', '.join(unknown)}; it knows {', '.join(self.type_map)}")
            error.code = "type_map"
            raise error
        return np.array([index[symbol] for symbol in symbols], np.int64)

    def compute(
        self,
        positions: ArrayLike,
        cell: ArrayLike,
        types: ArrayLike | Sequence[str],
        periodic: bool | Sequence[bool] = True,
        virial: bool = True,
        atom_virials: bool = False,
        raw: bool = False,
        gamma: bool = False,
        hidden: bool = False,
    ) -> Result:
        """Evaluate one frame.

        Args:
            positions: [n_atoms, 3], Å.
            cell: [3, 3], Å, rows are the cell vectors; may be smaller than the cutoff. Not used when not periodic.
            types: [n_atoms] types (integers) or element symbols.
            periodic: for all directions, or one flag per cell vector.
            virial, atom_virials, raw, gamma, hidden: what to return beside energies and forces.

        Raises:
            Error: positions that are not finite, a flat cell, unknown types, atoms too close, too many neighbors, or
                grades without an active set of this model; it has the attributes ``code``, ``atom`` and ``neighbor``.
        """
        position_array, cell_array = _array(positions, (-1, 3), "positions"), _array(cell, (3, 3), "cell")
        type_array = self._type_array(types, len(position_array))
        with self._lock:  # the pairs are views of the search, which the next call overwrites
            if gamma:
                self._load_active_set()
            center, neighbor, vectors = self._neighbors(position_array, cell_array, periodic)
            words = self._core.compute_vectors(
                type_array, center, neighbor, vectors, virial, atom_virials, gamma, hidden
            )
        found = {name: words.pop(name, None) for name in ("gamma", "hidden")}
        return replace(self._result(_raw(words), virial, raw), types=type_array, **found)

    def _load_active_set(self) -> None:
        """Read the active set once; a failure leaves it to be read the next time."""
        if self._active_set is not None:
            self._core.load_active_set(fspath(self._active_set))
            self._active_set = None

    def compute_words(
        self, types: ArrayLike, first: ArrayLike, neighbor: ArrayLike, displacement: ArrayLike
    ) -> RawResult:
        """Evaluate neighbor words: what the integer model computes, with nothing before or after it.

        Args:
            types: [n_atoms].
            first: [n_atoms + 1]; the neighbors of atom ``i`` are ``first[i]:first[i+1]``.
            neighbor: [pairs] atom indices.
            displacement: [pairs, 3] integers, ``dx_frac`` fraction bits, inside the cutoff.

        Raises:
            Error: arrays that disagree, or a word outside its range. Atoms that are too close are counted, not refused.
        """
        arrays = (np.ascontiguousarray(array, np.int64) for array in (types, first, neighbor, displacement))
        return _raw(self._core.compute_words(*arrays))

    def _type_array(self, types: ArrayLike | Sequence[str], count: int) -> NDArray[np.int64]:
        array = np.asarray(types)
        if array.shape != (count,):
            raise Error(f"{count} positions but types of shape {array.shape}; give one type or symbol per atom")
        if array.dtype.kind in "US":
            return self.types_of([str(symbol) for symbol in array])
        if count and array.dtype.kind not in "iu":
            raise Error(f"types must be integers or element symbols, not {array.dtype}")
        return np.ascontiguousarray(array, np.int64)

    def _neighbors(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], periodic: bool | Sequence[bool]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return center ``[pairs]``, neighbor ``[pairs]`` and vectors ``[pairs, 3]`` of a full neighbor list."""
        flags = [bool(flag) for flag in np.broadcast_to(periodic, 3)]
        box = _complete(cell, flags)
        if any(flags) and abs(np.linalg.det(box)) < 1e-9:
            raise Error(f"the cell {cell.tolist()} is flat in a periodic direction; give three independent vectors")
        if not len(positions):
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3))
        center, neighbor, vectors = self._search.compute(
            points=positions, box=box, periodic=flags, quantities="ijD", copy=False
        )
        return _signed(center), _signed(neighbor), np.ascontiguousarray(vectors)

    def _result(self, words: RawResult, virial: bool, raw: bool) -> Result:
        energy, force, strain = (2.0 ** -getattr(self._core, key) for key in ("e_frac", "f_frac", "w_frac"))
        return Result(
            energy=words.energy * energy,
            atom_energies=words.atom_energy * energy,
            forces=words.force * force,
            virial=words.virial * strain if virial else None,
            atom_virials=None if words.atom_virial is None else words.atom_virial * strain,
            clipped=words.clipped,
            raw=words if raw else None,
        )


def _raw(words: dict[str, Any]) -> RawResult:
    return RawResult(**{"atom_virial": None, **words})


def _signed(indices: NDArray[Any]) -> NDArray[np.int64]:
    """Return unsigned indices as signed ones, without a copy where the width allows it."""
    return indices.view(np.int64) if indices.itemsize == 8 else indices.astype(np.int64)


def _array(values: ArrayLike, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    array = np.ascontiguousarray(values, np.float64)
    if array.ndim != 2 or array.shape[1] != shape[1] or shape[0] not in (-1, array.shape[0]):
        raise Error(f"{name} has shape {array.shape}, not [{'n' if shape[0] < 0 else shape[0]}, {shape[1]}]")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise Error(f"{name}[{bad[0][0]}] is not a finite number: {array[bad[0][0]].tolist()}")
    return array


def _complete(cell: NDArray[np.float64], flags: list[bool]) -> NDArray[np.float64]:
    """Replace the vectors of directions that are not periodic by unit vectors across the others."""
    if all(flags):
        return cell
    box = cell.copy()
    box[np.logical_not(flags)] = 0.0
    # The right singular vectors beyond the rank span what the periodic vectors leave free.
    free = np.linalg.svd(box)[2][sum(flags) :]
    box[np.logical_not(flags)] = free
    return box

"""SOAP crystallinity: how alike an atom's surroundings are to those in reference crystals.

    k(i) = mean over reference atoms r of i's group of (p_i . p_r / |p_i| |p_r|)^zeta

with p the SOAP power spectrum; 1 in the reference itself (Xu et al., Adv. Mater. 34, 2109139 (2022); Zhou et al., Nat.
Electron. 6, 746 (2023), whose cutoff 5.5 A, sigma 0.5 A, n_max 12 and l_max 4 are the defaults). Ge and Sb count as one
group, because they share a sublattice at random in the rocksalt-like crystal. Needs dscribe, part of `nvnmd[pcm]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis.bonds import CATIONS
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.structures import CrystalForm, crystal
from nvnmd.pcm.trajectory import Snapshot

Floats = NDArray[np.float64]

# Stand-ins for the two groups: dscribe wants chemical symbols.
_CATION, _ANION = "Ge", "Te"
_BLOCK = 4_000


@dataclass(frozen=True)
class SoapSettings:
    """Hyperparameters of the descriptor; lengths in A. zeta: exponent of the kernel."""

    cutoff_A: float = 5.5
    sigma_A: float = 0.5
    n_max: int = 12
    l_max: int = 4
    zeta: int = 4
    groups: Mapping[str, str] = field(default_factory=dict)


def crystal_snapshot(name: str, form: CrystalForm = "rocksalt", seed: int = 0) -> Snapshot:
    """An ideal crystal of a material as a reference, at its own lattice constant, cations and vacancies at random."""
    # 3 * 4 * 5 cubic cells hold every composition on the line in whole numbers.
    built = crystal(name, form=form, repeats=(3, 4, 5) if form == "rocksalt" else (4, 3, 2), seed=seed)
    return Snapshot(built.positions, built.cell.array, np.array(built.get_chemical_symbols()))


class SoapCrystallinity:
    """k of every atom against reference crystals.

    references: crystals of the material, for instance several cells with random cations; up to `most` atoms of each
    group are drawn from them. Raises PcmError without dscribe, or without a reference.
    """

    def __init__(
        self, references: Iterable[Snapshot], settings: SoapSettings | None = None, most: int = 200, seed: int = 0
    ) -> None:
        self.settings = settings or SoapSettings()
        generator = np.random.default_rng(seed)
        found: dict[str, list[Floats]] = {}
        for reference in references:
            groups = self._groups(reference.symbols)
            for group in np.unique(groups):
                atoms = np.flatnonzero(groups == group)
                chosen = np.sort(generator.permutation(atoms)[:most])
                found.setdefault(str(group), []).append(self._spectra(reference, groups, chosen))
        if not found:
            raise PcmError("no reference crystal was given; SOAP crystallinity compares with at least one")
        self._references = {group: np.concatenate(parts) for group, parts in found.items()}

    def __call__(self, snapshot: Snapshot) -> Floats:
        """k of every atom [n]. Raises PcmError for an atom whose group the references lack."""
        groups = self._groups(snapshot.symbols)
        values = np.zeros(len(groups))
        for group in np.unique(groups):
            if group not in self._references:
                raise PcmError(f"the references have no atom of the kind of {group}; give crystals that do")
            atoms = np.flatnonzero(groups == group)
            for start in range(0, len(atoms), _BLOCK):
                block = atoms[start : start + _BLOCK]
                kernel = self._spectra(snapshot, groups, block) @ self._references[str(group)].T
                values[block] = (kernel**self.settings.zeta).mean(axis=1)
        return values

    def _groups(self, symbols: NDArray[np.str_]) -> NDArray[np.str_]:
        """Each atom's group as a chemical symbol [n]."""
        names, index = np.unique(symbols, return_inverse=True)
        own = self.settings.groups
        return np.array([own.get(str(n), _CATION if n in CATIONS else _ANION) for n in names])[index]

    def _spectra(self, snapshot: Snapshot, groups: NDArray[np.str_], atoms: NDArray[np.int64]) -> Floats:
        """Normalized power spectra [atoms, features]."""
        from ase import Atoms

        try:
            from dscribe.descriptors import SOAP
        except ImportError:
            raise PcmError("SOAP crystallinity needs dscribe; install it with: pip install 'nvnmd[pcm]'") from None
        chosen = self.settings
        species = sorted({_CATION, _ANION, *chosen.groups.values()})
        soap = SOAP(
            species=species, r_cut=chosen.cutoff_A, n_max=chosen.n_max, l_max=chosen.l_max, sigma=chosen.sigma_A,
            periodic=True, dtype="float64",
        )  # fmt: skip
        system = Atoms(groups.tolist(), positions=snapshot.positions, cell=snapshot.cell, pbc=True)
        system.wrap()
        spectra = np.atleast_2d(soap.create(system, centers=atoms.tolist()))
        return np.asarray(spectra / np.linalg.norm(spectra, axis=1, keepdims=True), dtype=np.float64)

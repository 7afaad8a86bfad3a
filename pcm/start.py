"""The cell a run starts from: a crystal, a random packing, a device or a file, with its regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.pulse import EV_PER_FJ, estimated_K
from nvnmd.pcm.regions import Region
from nvnmd.pcm.structures import (
    Device,
    confined,
    cross_point,
    crystal,
    material,
    mushroom,
    random_packing,
    read_structure,
    with_antisites,
)

if TYPE_CHECKING:
    from ase import Atoms

    from nvnmd.pcm.protocol import MdSettings


@dataclass(frozen=True)
class Prepared:
    """Atoms of a run; regions by name, those of a device and of the settings; frozen: names of what never moves."""

    atoms: Atoms
    regions: dict[str, Region]
    frozen: tuple[str, ...]

    def high_A(self, axis: str) -> float:
        """Where the moving part of the cell ends along an axis: the lowest face of a frozen box, or the cell's end."""
        number = "xyz".index(axis)
        ends = [float(self.atoms.cell.lengths()[number])]
        for name in self.frozen:
            low = getattr(self.regions[name], f"{axis}_A", (None, None))[0]
            ends += [low] if low is not None else []
        return min(ends)

    def inside(self, name: str) -> int:
        """Atoms in a region that may move."""
        return int((self.regions[name].contains(self.atoms.positions) & ~self.still()).sum())

    def still(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which atoms never move [n]."""
        frozen = np.zeros(len(self.atoms), dtype=bool)
        for name in self.frozen:
            frozen |= self.regions[name].contains(self.atoms.positions)
        return frozen


def prepare(settings: MdSettings) -> Prepared:
    """Build or read the atoms and collect the regions. Raises PcmError for a structure that cannot be built, a region
    that is not there, and a pulse that would evaporate what it heats."""
    device = _device(settings)
    atoms = device.atoms if device else _atoms(settings)
    if settings.antisites:
        chosen = material(settings.material)
        cation, anion = chosen.elements[0], chosen.elements[-1]
        pairs = round(settings.antisites * atoms.get_chemical_symbols().count(cation))
        atoms = with_antisites(atoms, pairs, cation, anion, settings.seed)
    atoms.wrap()
    regions = (device.regions if device else {}) | settings.regions
    prepared = Prepared(atoms, regions, tuple(dict.fromkeys([*(device.frozen if device else ()), *settings.frozen])))
    _check_regions(settings, prepared)
    for text, estimate in pulse_estimates(settings, prepared):
        if estimate > settings.max_pulse_K:
            raise PcmError(
                f"{text} would reach about {estimate:,.0f} K if no heat left it, and evaporate; lower the energy, heat "
                f"more atoms, or raise max_pulse_K ({settings.max_pulse_K:g}) if you mean it"
            )
    return prepared


def pulse_estimates(settings: MdSettings, prepared: Prepared) -> list[tuple[str, float]]:
    """For each heated stage, what is heated most in words, and the temperature in K it is estimated to reach."""
    found = []
    moving = int((~prepared.still()).sum())
    for stage, planned in zip(settings.stages, settings.plan(), strict=True):
        if stage.heat is None:
            continue
        energy_eV, start_K = stage.heat.energy_fJ * EV_PER_FJ, planned.start_K or 300.0
        if stage.heat.region is not None:
            atoms = prepared.inside(stage.heat.region)
            text = f"stage {stage.name!r}: {stage.heat.energy_fJ:g} fJ in {atoms} atoms of region {stage.heat.region!r}"
            if not atoms:
                raise PcmError(f"{text} has nothing to heat; move the region into the cell")
            found.append((text, estimated_K(start_K, energy_eV, atoms)))
        elif stage.heat.gradient is not None:
            gradient = stage.heat.gradient
            shares = gradient.shares(gradient.high_A or prepared.high_A(gradient.axis))
            most = max(share for _, _, share in shares)
            text = f"stage {stage.name!r}: the hottest of {gradient.slabs} slabs of {stage.heat.energy_fJ:g} fJ"
            found.append((text, estimated_K(start_K, energy_eV * most, moving / gradient.slabs)))
    return found


def _atoms(settings: MdSettings) -> Atoms:
    if settings.start == "file":
        if settings.start_file is None:
            raise PcmError("start: file needs start_file, the path of a structure")
        return read_structure(Path(settings.start_file), settings.type_elements())
    chosen = material(settings.material)
    if settings.start == "random":
        return random_packing(chosen.name, settings.atoms, settings.density_per_A3, seed=settings.seed)
    if settings.start not in ("rocksalt", "rhombohedral", "trigonal", "a7"):
        raise PcmError(f"start {settings.start!r} is no crystal form")
    atoms = None if settings.repeats else settings.atoms
    return crystal(chosen.name, atoms, settings.start, settings.density_per_A3, settings.repeats, settings.seed)


def _device(settings: MdSettings) -> Device | None:
    builders: dict[str, Callable[..., Device]] = {
        "cross-point": cross_point,
        "mushroom": mushroom,
        "confined": confined,
    }
    if settings.start not in builders:
        return None
    sizes = settings.device.model_dump(exclude_none=True) if settings.device else {}
    if settings.repeats:
        sizes["repeats"] = settings.repeats
    try:
        return builders[settings.start](settings.material, seed=settings.seed, **sizes)
    except TypeError as error:
        raise PcmError(f"device settings {', '.join(sizes)} do not fit a {settings.start} cell ({error})") from None


def _check_regions(settings: MdSettings, prepared: Prepared) -> None:
    """Every region that is named must be there, and what a stage moves must be something."""
    named = dict.fromkeys(prepared.frozen, "frozen")
    for stage in settings.stages:
        named |= dict.fromkeys((*stage.frozen, *stage.thaw), f"stage {stage.name!r}")
        if stage.heat and stage.heat.region:
            named[stage.heat.region] = f"heat of stage {stage.name!r}"
    for name, where in named.items():
        if name not in prepared.regions:
            known = ", ".join(prepared.regions) or "none"
            raise PcmError(f"{where} names the region {name!r}, which is not there; regions: {known}")

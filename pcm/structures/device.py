"""Cells of memory devices: cross-point, mushroom and confined, with the atoms that stay fixed.

Sizes and protocols are those of Zhou et al., Nat. Electron. 6, 746 (2023), and Zhou et al. (2025), note 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.regions import Box, Cylinder, Region
from nvnmd.pcm.structures.cells import CrystalForm
from nvnmd.pcm.structures.crystal import Repeats, crystal
from nvnmd.pcm.structures.packing import pack_box

if TYPE_CHECKING:
    from ase import Atoms

CROSSPOINT_REPEATS: Repeats = (47, 27, 10)
"""Cells a x sqrt(3) a x c of trigonal GeSb2Te4: 20 x 20 x 40 nm^3, 30 septuple layers, 532,980 atoms."""
MUSHROOM_REPEATS: Repeats = (32, 5, 20)
"""Rocksalt-like cells of about 20 x 3 x 12 nm^3: 22,400 atoms of GeSb2Te4."""
LARGE_MUSHROOM_REPEATS: Repeats = (166, 9, 76)
"""Rocksalt-like cells of 100 x 5 x 46 nm^3, barrier included: 794,808 atoms of GeSb2Te4."""
PACKING_A = 2.4
"""Shortest distance in the disordered barrier, as in random packings."""


@dataclass(frozen=True)
class Device:
    """A device cell: atoms; regions by name; frozen: names of the regions whose atoms never move."""

    atoms: Atoms
    regions: dict[str, Region]
    frozen: tuple[str, ...]


def cross_point(
    name: str = "GeSb2Te4",
    repeats: Repeats = CROSSPOINT_REPEATS,
    form: CrystalForm = "trigonal",
    barrier_A: float = 8.0,
    seed: int = 0,
) -> Device:
    """A bit of a cross-point array: layers along z, with a disordered heat barrier of `barrier_A` fixed on top.

    The barrier keeps atoms and heat from going around the periodic face. It is a random packing with as many atoms of
    each element as the crystal had there; the protocols can melt and quench it before it is fixed.
    """
    atoms = crystal(name, repeats=repeats, form=form, seed=seed)
    return _with_barrier(atoms, barrier_A, seed)


def mushroom(
    name: str = "GeSb2Te4",
    repeats: Repeats = MUSHROOM_REPEATS,
    heater_A: float = 35.0,
    fixed_A: float = 12.1,
    seed: int = 0,
) -> Device:
    """The middle slab of a mushroom cell: rocksalt-like, heated in a half-cylinder along y at the bottom of x and z.

    heater_A: radius of the half-cylinder; fixed_A: thickness of the fixed layers at the top (12.1 A hold four layers).
    Raises PcmError where the heater does not fit.
    """
    atoms = crystal(name, repeats=repeats, form="rocksalt", seed=seed)
    lx, _, lz = atoms.cell.lengths()
    if 2 * heater_A > lx or heater_A > lz - fixed_A:
        raise PcmError(f"a heater of radius {heater_A:g} A does not fit into {lx:.0f} x {lz:.0f} A; take a smaller one")
    heater = Cylinder(axis="y", center_A=(round(lx / 2, 3), 0.0), radius_A=heater_A)
    barrier = Box(z_A=(round(lz - fixed_A, 3), None))
    return Device(atoms, {"heater": heater, "barrier": barrier}, ("barrier",))


def confined(
    name: str = "GeSb2Te4", repeats: Repeats = (16, 16, 20), wall_A: float = 8.0, sides: str = "xyz", seed: int = 0
) -> Device:
    """A cell between walls: the atoms within `wall_A` of the lower face of each axis in `sides` stay fixed.

    Through the periodic faces such a layer is the wall on both sides. Raises PcmError for walls that leave no room.
    """
    atoms = crystal(name, repeats=repeats, form="rocksalt", seed=seed)
    lengths = dict(zip("xyz", atoms.cell.lengths(), strict=True))
    if not sides or set(sides) - set("xyz"):
        raise PcmError(f"walls across {sides!r} are not known; name axes, as in 'xy'")
    thin = [axis for axis in sides if lengths[axis] < 3 * wall_A]
    if thin:
        raise PcmError(f"walls of {wall_A:g} A leave no room along {', '.join(thin)}; make the cell larger")
    walls: dict[str, Region] = {f"wall_{axis}": Box.model_validate({f"{axis}_A": (None, wall_A)}) for axis in sides}
    return Device(atoms, walls, tuple(walls))


def _with_barrier(atoms: Atoms, thickness_A: float, seed: int) -> Device:
    """Fill the top of the cell with a random packing of the atoms that are there."""
    lx, ly, lz = atoms.cell.lengths()
    if not 0 < thickness_A < lz / 3:
        raise PcmError(f"a barrier of {thickness_A:g} A does not fit on a cell {lz:.0f} A high")
    low = lz - thickness_A
    filled = atoms.copy()
    filled.wrap()
    # Heights above the barrier's lower face, around the periodic one: the crystal's bottom stands on the barrier's top.
    height = (filled.positions[:, 2] - low + PACKING_A) % lz - PACKING_A
    top = np.flatnonzero((height > 0) & (height <= thickness_A))
    near = np.flatnonzero((height <= 0) | ((height > thickness_A) & (height < thickness_A + PACKING_A)))
    border = np.column_stack([filled.positions[near, :2], height[near]])
    generator = np.random.default_rng(seed)
    packed = pack_box(len(top), (lx, ly, thickness_A), PACKING_A, generator, border)
    filled.positions[top] = generator.permutation(packed) + np.array([0, 0, low])
    return Device(filled, {"barrier": Box(z_A=(round(low, 3), None))}, ("barrier",))

"""The materials that protocols know: elements, composition, densities and lattices."""

from __future__ import annotations

from dataclasses import dataclass

from nvnmd.pcm.errors import PcmError


@dataclass(frozen=True)
class Material:
    """What a protocol has to know of a material.

    elements: chemical symbols in the order of the LAMMPS atom types; counts: atoms per formula unit;
    density_per_A3: number density of the amorphous phase, atoms/A^3; cubic_edge_A: of the rocksalt-like cell of eight
    sites, None without one; melting_K: of the crystal, from experiment.
    """

    name: str
    elements: tuple[str, ...]
    counts: tuple[int, ...]
    density_per_A3: float
    cubic_edge_A: float | None
    melting_K: float

    @property
    def cation_counts(self) -> dict[str, int]:
        """Cations per formula unit; the last element of a compound is its anion."""
        return dict(zip(self.elements[:-1], self.counts[:-1], strict=True))

    @property
    def vacancies(self) -> int:
        """Empty cation sites per formula unit of the rocksalt-like crystal, which has as many cation as anion sites."""
        return self.counts[-1] - sum(self.counts[:-1])


# Densities are where a melt-quench at constant volume is usually done; give your own to match an experiment. GeTe: the
# 216-atom cell of edge 18.58 A of published melt-quench trajectories. Ge2Sb2Te5: 5.87 g/cm^3, and 6.2 g/cm^3 for Sb.
# The others are 6 to 8 % below their rocksalt-like crystals, whose edges are near those of Matsunaga and Yamada, Phys.
# Rev. B 69, 104111 (2004).
MATERIALS: dict[str, Material] = {
    "Sb": Material("Sb", ("Sb",), (1,), 0.0307, None, 904),
    "GeTe": Material("GeTe", ("Ge", "Te"), (1, 1), 0.0337, 6.01, 998),
    "Sb2Te3": Material("Sb2Te3", ("Sb", "Te"), (2, 3), 0.0290, 6.07, 891),
    "GeSb2Te4": Material("GeSb2Te4", ("Ge", "Sb", "Te"), (1, 2, 4), 0.0299, 6.04, 888),
    "Ge2Sb2Te5": Material("Ge2Sb2Te5", ("Ge", "Sb", "Te"), (2, 2, 5), 0.0309, 6.02, 903),
}


def material(name: str) -> Material:
    """Look a material up; raises PcmError with the known names otherwise."""
    if name not in MATERIALS:
        raise PcmError(f"material {name!r} is not known; known materials: {', '.join(sorted(MATERIALS))}")
    return MATERIALS[name]

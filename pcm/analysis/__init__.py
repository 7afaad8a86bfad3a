"""Structure analysis of trajectories: each function takes frames one at a time and says its units."""

from nvnmd.pcm.analysis.altbc import Altbc, altbc
from nvnmd.pcm.analysis.angles import AngleDistribution, TetrahedralOrder, angle_distribution, tetrahedral_order
from nvnmd.pcm.analysis.bonds import BondStatistics, bond_statistics, pair_cutoffs
from nvnmd.pcm.analysis.compare import curve_difference, mean_difference
from nvnmd.pcm.analysis.coordination import Coordination, coordination_numbers, first_shell
from nvnmd.pcm.analysis.density import DensityCurve, density_against_temperature
from nvnmd.pcm.analysis.fields import (
    FieldMap,
    Profile,
    atom_temperatures,
    density_profile,
    field_map,
    profile,
)
from nvnmd.pcm.analysis.fluctuations import Fluctuations, fluctuations, size_exponent
from nvnmd.pcm.analysis.interface import Growth, growth
from nvnmd.pcm.analysis.motion import Diffusion, Displacement, displacement
from nvnmd.pcm.analysis.order import CrystalOrder, bond_vectors, crystal_order, crystallinity
from nvnmd.pcm.analysis.rdf import PartialRdf, partial_rdf
from nvnmd.pcm.analysis.rings import RingStatistics, ring_statistics
from nvnmd.pcm.analysis.scattering import StructureFactor, structure_factor
from nvnmd.pcm.analysis.soap import SoapCrystallinity, SoapSettings, crystal_snapshot
from nvnmd.pcm.analysis.viscosity import Viscosity, viscosity
from nvnmd.pcm.analysis.voids import Voids, find_voids

__all__ = [
    "Altbc",
    "AngleDistribution",
    "BondStatistics",
    "Coordination",
    "CrystalOrder",
    "DensityCurve",
    "Diffusion",
    "Displacement",
    "FieldMap",
    "Fluctuations",
    "Growth",
    "PartialRdf",
    "Profile",
    "RingStatistics",
    "SoapCrystallinity",
    "SoapSettings",
    "StructureFactor",
    "TetrahedralOrder",
    "Viscosity",
    "Voids",
    "altbc",
    "angle_distribution",
    "atom_temperatures",
    "bond_statistics",
    "bond_vectors",
    "coordination_numbers",
    "crystal_order",
    "crystal_snapshot",
    "crystallinity",
    "curve_difference",
    "density_against_temperature",
    "density_profile",
    "displacement",
    "field_map",
    "find_voids",
    "first_shell",
    "fluctuations",
    "growth",
    "mean_difference",
    "pair_cutoffs",
    "partial_rdf",
    "profile",
    "ring_statistics",
    "size_exponent",
    "structure_factor",
    "tetrahedral_order",
    "viscosity",
]

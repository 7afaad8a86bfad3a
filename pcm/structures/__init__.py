"""Starting structures: crystals, random packings and device cells, as `ase.Atoms` in periodic cells, lengths in A."""

from nvnmd.pcm.structures.cells import CrystalForm
from nvnmd.pcm.structures.crystal import crystal, with_antisites
from nvnmd.pcm.structures.datafile import read_structure, write_data
from nvnmd.pcm.structures.device import Device, confined, cross_point, mushroom
from nvnmd.pcm.structures.materials import MATERIALS, Material, material
from nvnmd.pcm.structures.packing import random_packing

__all__ = [
    "MATERIALS",
    "CrystalForm",
    "Device",
    "Material",
    "confined",
    "cross_point",
    "crystal",
    "material",
    "mushroom",
    "random_packing",
    "read_structure",
    "with_antisites",
    "write_data",
]

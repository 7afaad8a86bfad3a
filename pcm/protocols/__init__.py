"""Protocols by name: readable settings that become complete LAMMPS runs."""

from nvnmd.pcm.protocols.base import Protocol
from nvnmd.pcm.protocols.device import Reset
from nvnmd.pcm.protocols.glass import Crystallize, Cycle, Heating, Interface, MeltQuench, SetPulses, Viscosity

PROTOCOLS: dict[str, type[Protocol]] = {
    "melt-quench": MeltQuench,
    "heat": Heating,
    "crystallize": Crystallize,
    "set-pulses": SetPulses,
    "reset": Reset,
    "cycle": Cycle,
    "interface": Interface,
    "viscosity": Viscosity,
}

__all__ = [
    "PROTOCOLS",
    "Crystallize",
    "Cycle",
    "Heating",
    "Interface",
    "MeltQuench",
    "Protocol",
    "Reset",
    "SetPulses",
    "Viscosity",
]

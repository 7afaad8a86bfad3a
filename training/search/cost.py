"""What a network costs a card: multiply-accumulates of an atom, and bits of weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nvnmd.training.neighbors import find_pairs
from nvnmd.training.system import System


@dataclass(frozen=True)
class Network:
    """What is searched: everything that the arithmetic of a network depends on.

    Attributes:
        form: "se_e2_a" or "se_atten" (the strip form, with a gate for each pair of types).
        rcut: cutoff, angstrom.
        m1, m2: channels of the embedding and of the axis.
        widths: hidden layers of the fitting net.
        weight_bits: of a weight of the fitting net.
    """

    form: str
    rcut: float
    m1: int
    m2: int
    widths: tuple[int, ...]
    weight_bits: int = 16

    def __str__(self) -> str:
        gate = " gated" if self.form == "se_atten" else ""
        return f"{self.m1}x{self.m2} {'-'.join(map(str, self.widths))} {self.weight_bits} bit, {self.rcut:g} A{gate}"


LETTER = Network("se_e2_a", 6.0, 32, 4, (128, 128, 128))


@dataclass(frozen=True)
class Cost:
    """Cost of a network.

    Attributes:
        fitting: multiply-accumulates of the fitting net, forward, per atom.
        descriptor: of D = X X^T, per atom.
        contraction: of r^2, R and X = sum R G over the neighbors, per atom.
        tables: of the quadratic tables of G, s and h and of the gates, over the neighbors, per atom.
        weight_bits: weights and biases of the fitting net of one element, times the bits of a weight.
    """

    fitting: int
    descriptor: int
    contraction: float
    tables: float
    weight_bits: int

    @property
    def macs(self) -> float:
        """Multiply-accumulates of an atom, forward, all stages."""
        return self.fitting + self.descriptor + self.contraction + self.tables


def fitting_macs(network: Network) -> int:
    """Multiply-accumulates of the fitting net of one atom, forward; the letter's network: 49,280.

    A layer takes inputs times outputs; the input is the descriptor, M1 times M2 words, the last output the energy.
    Biases and tanh are not counted. The backward pass costs as many again.
    """
    return sum(a * b for a, b in itertools.pairwise((network.m1 * network.m2, *network.widths, 1)))


def cost(network: Network, neighbors: float) -> Cost:
    """Count one forward evaluation of an atom in the integer model (docs/numerics.md, sections 2 to 6).

    The embedding net is tabulated, so that the widths of its hidden layers cost nothing. Per neighbor: r^2 takes 3
    products and R_x, R_y, R_z take 3; each channel of G and each of s and h is a parabola of 2 products, and one more
    for the gate of the strip form; X takes 4 M1. Per atom: D takes 4 M1 M2, and the fitting net `fitting_macs`.

    Args:
        network: sizes.
        neighbors: mean number within the cutoff.
    """
    per_channel = 3 if network.form == "se_atten" else 2
    parameters = fitting_macs(network) + sum(network.widths) + 1
    return Cost(
        fitting=fitting_macs(network),
        descriptor=4 * network.m1 * network.m2,
        contraction=neighbors * (6 + 4 * network.m1),
        tables=neighbors * (4 + per_channel * network.m1),
        weight_bits=parameters * network.weight_bits,
    )


def mean_neighbors(systems: Sequence[System], rcut: float, most_frames: int = 20) -> float:
    """Neighbors of an atom within rcut (angstrom), averaged over evenly spaced frames of all systems."""
    frames = [(system, k) for system in systems for k in range(system.n_frames)]
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(most_frames, len(frames))).astype(int))
    pairs = atoms = 0
    for system, k in (frames[index] for index in chosen):
        found = find_pairs(system.positions[k], system.cells[k], rcut, system.periodic, f"{system.name}, frame {k}")
        pairs, atoms = pairs + found.centers.size, atoms + system.n_atoms
    return pairs / atoms

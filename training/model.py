"""The float model: a deep potential (DeepPot-SE) whose forces and virial are written out by the chain rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nvnmd.training import descriptor as contract
from nvnmd.training import native
from nvnmd.training.batch import Batch, Cutoffs
from nvnmd.training.embedding import EmbeddingNets
from nvnmd.training.errors import NvnmdError
from nvnmd.training.fitting import FittingNets, Slices
from nvnmd.training.guard import Guard

Form = Literal["se_e2_a", "se_atten"]
FIXED = ("radial_scale", "angular_scale", "energy_shifts")


class ModelError(NvnmdError, ValueError):
    """Numbers that do not make up a model."""


@dataclass(frozen=True)
class ModelShape:
    """Everything that fixes the sizes of a model.

    Attributes:
        type_map: element of each type.
        form: "se_e2_a", one embedding net per ordered pair of types; "se_atten", one net with a gate per pair.
        rcut: angstrom; rcut_smth: angstrom, where the switch starts.
        sel: places per neighbor type (se_e2_a) or in all (se_atten); their sum is N, the fixed normalization.
        neuron: widths of the embedding net; the last is M1.
        axis_neuron: M2.
        fitting_neuron: widths of the hidden layers of the fitting net.
        type_one_side: one embedding net per neighbor type only (se_e2_a).
    """

    type_map: tuple[str, ...]
    form: Form = "se_e2_a"
    rcut: float = 6.0
    rcut_smth: float = 0.5
    sel: tuple[int, ...] = (64,)
    neuron: tuple[int, ...] = (8, 16, 32)
    axis_neuron: int = 4
    fitting_neuron: tuple[int, ...] = (128, 128, 128)
    type_one_side: bool = False

    @property
    def n_types(self) -> int:
        return len(self.type_map)

    @property
    def n_neighbors(self) -> int:
        """N of the normalization 1/N."""
        return sum(self.sel)

    @property
    def nets(self) -> tuple[int, ...]:
        """Which embedding net each ordered pair of types uses, by center * n_types + neighbor."""
        pairs = range(self.n_types**2)
        if self.form == "se_atten":
            return tuple(0 for _ in pairs)
        return tuple(pair % self.n_types if self.type_one_side else pair for pair in pairs)

    @property
    def n_nets(self) -> int:
        """How many embedding nets there are."""
        if self.form == "se_atten":
            return 1
        return self.n_types if self.type_one_side else self.n_types**2


@dataclass(frozen=True)
class Prediction:
    """What a model says of a batch; energies are without the energy shifts, which training keeps in float64 apart.

    Attributes:
        energies: [n_frames] eV.
        forces: [3, n_atoms] eV/angstrom, atoms in the batch's order.
        virials: [n_frames, 3, 3] eV, -dE/d(strain), or None when not asked for.
        atomic: [n_atoms] eV.
    """

    energies: Tensor
    forces: Tensor
    virials: Tensor | None
    atomic: Tensor


class DeepPot(nn.Module):
    """The potential E = sum_i F_a(D_i) + e_a + guard.

    Attributes:
        shape: sizes and cutoffs.
        embedding: the embedding nets, `shape.n_nets` of them.
        gate: [n_types^2, M1], t_ab of G = N(s) (1 + t_ab) by center * n_types + neighbor; None in the se_e2_a form.
        fitting: the fitting nets, one per type.
        radial_scale, angular_scale: [n_types] float64, 1/angstrom, fixed from the data before training; frames
            prepared under other scales are not valid.
        energy_shifts: [n_types] float64, e_a in eV.
        guard: the short-range guard, or `Guard.off`.
    """

    radial_scale: NDArray[np.float64]
    angular_scale: NDArray[np.float64]
    energy_shifts: NDArray[np.float64]

    def __init__(self, shape: ModelShape, guard: Guard | None = None, seed: int | None = None) -> None:
        super().__init__()
        self.shape = shape
        self.guard = Guard.off(shape.n_types) if guard is None else guard
        generator = torch.Generator()
        generator.manual_seed(torch.seed() if seed is None else seed)
        channels = shape.neuron[-1]
        self.embedding = EmbeddingNets(shape.n_nets, shape.neuron, generator)
        self.gate: nn.Parameter | None = None
        if shape.form == "se_atten":
            self.gate = nn.Parameter(0.5 * torch.randn(shape.n_types**2, channels, generator=generator))
        self.fitting = FittingNets(shape.n_types, channels * shape.axis_neuron, shape.fitting_neuron, generator)
        self.radial_scale, self.angular_scale = np.ones(shape.n_types), np.ones(shape.n_types)
        self.energy_shifts = np.zeros(shape.n_types)

    def cutoffs(self) -> Cutoffs:
        """What `prepare_frame` needs to know of this model."""
        return Cutoffs(self.shape.rcut, self.shape.rcut_smth, self.radial_scale, self.angular_scale, self.guard)

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """Copies of every number that training or the data decided, by the names of `model_file`."""
        values = {name: value.detach().cpu().numpy().copy() for name, value in self.state_dict().items()}
        return values | {name: getattr(self, name).copy() for name in FIXED}

    @classmethod
    def from_arrays(cls, shape: ModelShape, guard: Guard | None, arrays: Mapping[str, NDArray[np.floating]]) -> DeepPot:
        """A model from plain arrays, the inverse of `arrays`; parameters take the dtype of fitting.biases.0.

        Raises:
            ModelError: an array is missing, unknown or of a wrong size.
        """
        model = cls(shape, guard, seed=0)
        model.set_arrays(arrays)
        return model

    def set_arrays(self, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        """Take over every number of another model of the same shape; see `from_arrays`."""
        expected = {name: value.shape for name, value in self.arrays().items()}
        for name in sorted(expected.keys() | arrays.keys()):
            found = arrays[name].shape if name in arrays else None
            if found != expected.get(name):
                raise ModelError(f"array {name!r} of the model has shape {found}, expected {expected.get(name)}")
        parameters = {name: torch.from_numpy(arrays[name].copy()) for name in self.state_dict()}
        self.to(parameters["fitting.biases.0"].dtype).load_state_dict(parameters)
        for name in FIXED:
            setattr(self, name, np.array(arrays[name], dtype=np.float64))

    @torch.no_grad()
    def add_energies(self, by: NDArray[np.float64]) -> None:
        """Add [n_types] eV to the energy of each element's atoms, in the output biases."""
        biases = self.fitting.biases[-1]
        biases += torch.as_tensor(by, dtype=biases.dtype, device=biases.device)[:, None]

    def forward(self, batch: Batch, virial: bool = True) -> Prediction:
        """Energies, forces and virials of a batch, in the dtype of the parameters."""
        compiled = native.runs_here(batch.guard_atomic)
        return self.prediction(*(self._compiled if compiled else self._plain)(batch, virial), batch)

    def prediction(self, atomic: Tensor, forces: Tensor, virials: Tensor | None, batch: Batch) -> Prediction:
        """What the networks say of a batch, with the guard."""
        atomic = atomic + batch.guard_atomic
        return Prediction(
            energies=atomic.new_zeros(batch.n_frames).index_add(0, batch.frame_of_atom, atomic),
            forces=forces + batch.guard_forces,
            virials=None if virials is None else virials + batch.guard_virials,
            atomic=atomic,
        )

    def _plain(self, batch: Batch, virial: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """By torch alone: any device, any precision."""
        pairs = batch.padded
        value, derivative = self.embedding(pairs, self.shape.nets, self.gate)
        energy, grad_x = self._energy(torch.bmm(pairs.rows, value), batch)
        by_row, by_input = (torch.bmm(grad_x, g.transpose(1, 2)) for g in (value, derivative))
        pair = contract.pair_gradients(by_row, by_input, pairs)
        forces = contract.atomic_forces(pair, pairs)
        return energy, forces, contract.virials(pair, pairs, batch.frame_of_atom, batch.n_frames) if virial else None

    def _compiled(self, batch: Batch, virial: bool) -> tuple[Tensor, Tensor, Tensor | None]:
        """The same by the compiled form, in FP32 on a CPU; `compiled_step` trains it without autograd."""
        energy, forces, virials = native.potential(self, batch, virial)
        return energy, forces.t(), virials.view(-1, 3, 3) if virial else None

    def _energy(self, x: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Atomic energies [n_atoms] and their gradient with respect to `x` = sum_j R_j G_j, [n_atoms, 4, M1]."""
        x = x / self.shape.n_neighbors
        energy, grad = self.fit(contract.descriptor(x, self.shape.axis_neuron), batch)
        return energy, contract.descriptor_gradient(x, grad, self.shape.axis_neuron) / self.shape.n_neighbors

    def fit(self, descriptor: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Atomic energies [n_atoms] and their gradient [n_atoms, M1 * M2], atoms in the batch's order."""
        slices = _slices(batch.type_counts)
        if batch.by_type is None:
            return self.fitting(descriptor, slices)  # type: ignore[no-any-return]
        energy, grad = self.fitting(descriptor.index_select(0, batch.by_type), slices)
        back = torch.argsort(batch.by_type)
        return energy.index_select(0, back), grad.index_select(0, back)


def _slices(counts: Sequence[int]) -> Slices:
    """(type, first row, last row + 1) of the types that occur."""
    ends = np.cumsum(counts).tolist()
    return [(kind, end - n, end) for kind, (n, end) in enumerate(zip(counts, ends, strict=True)) if n]

"""Where the error of quantization comes from: single stages in real arithmetic, against the float model."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.quantize.choose import CompileOptions, TableNodes, sample_tables
from nvnmd.quantize.from_float import float_spec
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import FrameWords, pack_frame
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.quantize.qat.stages import ALL, STAGES, Stages
from nvnmd.training.data import model_types
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.system import System


@dataclass(frozen=True)
class _Frame:
    rounded: FrameWords
    exact: FrameWords
    forces: NDArray[np.float64]
    energy: float


def stage_errors(model: DeepPot, integer: IntegerModel, systems: Sequence[System]) -> list[dict[str, Any]]:
    """Measure what rounding costs, stage by stage.

    Args:
        model: the float model, the reference here (evaluated in float64).
        integer: its integer model; only its formats and fixed tables are used.
        systems: frames to measure on; every frame is used, so pass few.

    Returns:
        Records {stage, mode, force_rmse_meV_A, energy_rmse_meV_atom, energy_mean_meV_atom}. ``mode`` is "only" (this
        stage rounds, the others are real), or "all but" (this stage is real, the others round); stage "all" is the
        integer model, stage "tables" without any rounding leaves the error of the parabolas alone.
    """
    reference = copy.deepcopy(model).double()
    nodes = sample_tables(float_spec(model), options_of(integer))
    frames = [frame for system in systems for frame in _frames(reference, integer, system)]
    cases = [("all", "only", ALL), ("tables", "only", frozenset[str]())]
    cases += [(stage, "only", frozenset({stage})) for stage in STAGES if stage != "gate" or integer.gate is not None]
    cases += [(stage, "all but", ALL - {stage}) for stage in STAGES if stage != "gate" or integer.gate is not None]
    pot = IntegerPot.from_float(model, integer)
    return [{"stage": name, "mode": mode} | _compare(pot, frames, on, nodes) for name, mode, on in cases]


def options_of(integer: IntegerModel) -> CompileOptions:
    """Compiler options that sample tables at the nodes of an integer model."""
    f = integer.formats
    return CompileOptions(
        table_start_A=(integer.u_min * 2.0**-f.u_frac) ** 0.5, u_frac=f.u_frac, weight_bits=f.weight_bits
    )


def _frames(reference: DeepPot, integer: IntegerModel, system: System) -> list[_Frame]:
    types = model_types(system, integer.type_map)
    predicted = predict(reference, system)
    shift = float(reference.energy_shifts[types].sum())
    frames = []
    for k in range(system.n_frames):
        arguments = integer, system.positions[k], system.cells[k], types, system.periodic
        rounded, exact = pack_frame(*arguments), pack_frame(*arguments, exact=True)
        frames.append(_Frame(rounded, exact, predicted.forces[k], float(predicted.energies[k]) - shift))
    return frames


def _compare(pot: IntegerPot, frames: Sequence[_Frame], on: Stages, nodes: TableNodes) -> dict[str, float]:
    pot.set_stages(on)
    squares, energies, components = 0.0, [], 0
    for frame in frames:
        words = frame.rounded if "positions" in on else frame.exact
        with torch.no_grad():
            out = pot(prepare_words(pot.integer, words, "frame", on, nodes), virial=False)
        squares += float(np.square(out.forces.numpy().T - frame.forces).sum())
        components += frame.forces.size
        energies.append((float(out.energies) - frame.energy) / len(frame.forces))
    return {
        "force_rmse_meV_A": 1e3 * (squares / components) ** 0.5,
        "energy_rmse_meV_atom": 1e3 * float(np.sqrt(np.mean(np.square(energies)))),
        "energy_mean_meV_atom": 1e3 * float(np.mean(energies)),
    }

"""atom_pipeline against the reference: forces, energy and counters of whole atoms, many of them in flight."""

from dataclasses import replace
from typing import Any

import pytest
from force_cases import clipping as clipping_forces
from pipeline_cases import beats_of, check, module, random_mix, writes
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.pipeline import constants
from nvnmd.fpga.verilate import StreamRun
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import crystal, liquid, random_model

pytestmark = pytest.mark.hw
BUILDS: dict[str, dict[str, int]] = {
    "one lane": {"LANES": 1, "NET_LANES": 2, "COLUMNS": 1, "ATOMS": 8, "WAIT": 256},
    "three lanes": {"LANES": 3, "NET_LANES": 3, "COLUMNS": 2, "ATOMS": 16, "WAIT": 128},
    "little room": {"LANES": 3, "NET_LANES": 3, "COLUMNS": 2, "ATOMS": 2, "WAIT": 16},
}


def play(model: IntegerModel, atoms: list[AtomInput], build: dict[str, int], **traffic: Any) -> StreamRun:
    """Run atoms through the pipeline."""
    beats = [beat for atom in atoms for beat in beats_of(model, atom, build["LANES"])[0]]
    config = writes(model, build["NET_LANES"])
    return module(model, **build).run(beats, len(beats), statics=constants(model), config=config, **traffic)


def clipping(model: IntegerModel) -> IntegerModel:
    """The same model in units so small that words of every stage clip but H, which the network's own test covers."""
    f = model.formats
    finer = replace(
        f,
        env_frac=f.env_frac + 4,
        x_frac=f.x_frac + 2,
        d_frac=f.d_frac + 3,
        act_frac=(f.act_frac[0] + 3, *f.act_frac[1:]),
        y_frac=f.y_frac + 3,
        grad_frac=(f.grad_frac[0] + 2, *f.grad_frac[1:]),
    )
    return clipping_forces(replace(model, formats=finer))


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("gated", [False, True], ids=["pairs", "strip"])
@pytest.mark.parametrize("build", BUILDS)
def test_random_atoms(build: str, gated: bool, traffic: dict[str, Any]) -> None:
    model = small_model(gated=gated)
    atoms = random_mix(model.n_types, most=40)
    clipped = check(model, atoms, play(model, atoms, BUILDS[build], **traffic), BUILDS[build]["LANES"])
    assert clipped["too close"] > 0


def test_one_type_and_no_guard() -> None:
    model = random_model(4, m1=4, m2=2, neuron=(8, 8), guard=False, type_map=("Sb",))
    assert model.n_guard == 0
    atoms = random_mix(1, most=20)
    check(model, atoms, play(model, atoms, BUILDS["three lanes"], idle=0.1, stall=0.1), 3)


@pytest.mark.parametrize("structure", [crystal, liquid])
@pytest.mark.parametrize("build", ["one lane", "three lanes"])
def test_atoms_of_a_structure(build: str, structure: Any) -> None:
    model = small_model()
    atoms = structure(model)
    check(model, atoms, play(model, atoms, BUILDS[build], idle=0.05, stall=0.1), BUILDS[build]["LANES"])


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_every_counter(traffic: dict[str, Any]) -> None:
    model = clipping(small_model())
    atoms = random_mix(model.n_types, most=40)
    clipped = check(model, atoms, play(model, atoms, BUILDS["three lanes"], **traffic), 3)
    assert min(clipped[stage] for stage in ("R", "X", "D", "GRAD", "Y", "A", "B", "V", "P", "F")) > 0, clipped


@pytest.mark.parametrize("build", ["one lane", "three lanes"])
def test_rate(build: str) -> None:
    """Without stalls an atom leaves as often as the slowest stage allows."""
    model, sized = small_model(), BUILDS[build]
    atoms = crystal(model)
    run = play(model, atoms, sized)
    last = [cycle for beat, cycle in zip(run.beats, run.left, strict=True) if beat["m_last"]]
    neighbors = [len(beats_of(model, atom, sized["LANES"])[0]) for atom in atoms]
    assert run.entered == list(range(sum(neighbors))), "the neighbors, here the slowest, never wait"
    assert last[-1] - last[0] == sum(neighbors[1:])


@pytest.mark.slow
@pytest.mark.parametrize("gated", [False, True], ids=["pairs", "strip"])
def test_the_sizes_of_the_letter(gated: bool) -> None:
    model = random_model(3, gated=gated)
    build = {"LANES": 1, "NET_LANES": 3, "COLUMNS": 1, "ATOMS": 16, "WAIT": 1024}
    atoms = [*random_mix(model.n_types, most=60), *crystal(model), *liquid(model)]
    check(model, atoms, play(model, atoms, build), 1)
    check(model, atoms[:40], play(model, atoms[:40], build, idle=0.1, stall=0.3, seed=4), 1)

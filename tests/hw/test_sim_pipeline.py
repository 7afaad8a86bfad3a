"""nvnmd.sim equals the verilated RTL in the cycle at which every beat enters and leaves."""

from typing import Any

import numpy as np
import pytest
from pipeline_cases import module
from rtl_cases import small_model

from nvnmd.fpga.pipeline import constants, sizes
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.testing import random_model
from nvnmd.sim import PLACES, PipelineSizes, simulate

pytestmark = pytest.mark.hw
BUILDS: dict[str, dict[str, int]] = {
    "one lane": {"LANES": 1, "NET_LANES": 2, "COLUMNS": 1, "ATOMS": 8, "WAIT": 256},
    "three lanes": {"LANES": 3, "NET_LANES": 3, "COLUMNS": 2, "ATOMS": 16, "WAIT": 128},
    "little room": {"LANES": 3, "NET_LANES": 3, "COLUMNS": 2, "ATOMS": 2, "WAIT": 16},
    "uneven": {"LANES": 1, "NET_LANES": 3, "COLUMNS": 5, "ATOMS": 4, "WAIT": 32},
}
SEEDS = range(10)


def model_of(build: str) -> IntegerModel:
    if build != "uneven":
        return small_model()
    return random_model(5, m1=5, m2=2, neuron=(7, 7, 7), skip=False, type_map=("Ge", "Sb", "Te"))


def sizes_of(model: IntegerModel, build: dict[str, int]) -> PipelineSizes:
    words = sizes(model) | build
    names = ("m1", "m2", "layers", "width", "lanes", "net_lanes", "columns", "atoms", "wait")
    return PipelineSizes(**{name: words[name.upper()] for name in names}, skip=bool(words["SKIP"]))


def lengths(seed: int) -> Any:
    """Beats of atoms: short ones, long ones, or both in turn; at most what the smallest store holds."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, rng.choice([2, 5, 17], size=40), size=40)


def stream(beats: Any) -> list[dict[str, int]]:
    """Beats without meaning: the timing of the pipeline does not depend on words."""
    ends = np.concatenate([np.arange(n) == n - 1 for n in beats]).astype(int).tolist()
    return [{"s_last": end, "s_none": 0, "s_center": 0, "s_type": 0, "s_dx": 0} for end in ends]


@pytest.mark.parametrize("traffic", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3), (0.05, 0.9)], ids=str)
@pytest.mark.parametrize("build", BUILDS)
def test_every_cycle(build: str, traffic: tuple[float, float]) -> None:
    model, (idle, stall) = model_of(build), traffic
    rtl, sized = module(model, **BUILDS[build]), sizes_of(model, BUILDS[build])
    for seed in SEEDS:
        beats = lengths(seed)
        words = stream(beats)
        run = rtl.run(words, len(words), statics=constants(model), seed=seed, idle=idle, stall=stall)
        trace = simulate(sized, beats, seed=seed, idle=idle, stall=stall, keep_beats=True)
        assert trace.entered.tolist() == run.entered, seed
        assert trace.left.tolist() == run.left, seed
        ends = np.flatnonzero([word["s_last"] for word in words])
        assert trace.atoms[:, PLACES.index("neighbors in")].tolist() == np.array(run.entered)[ends].tolist()
        assert trace.atoms[:, PLACES.index("forces out")].tolist() == np.array(run.left)[ends].tolist()

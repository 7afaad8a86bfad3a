"""The named configurations at full size: every byte, and the predicted rate."""

import numpy as np
import pytest
from card_cases import answer, loaded, play

from nvnmd.fpga.load import encode_load
from nvnmd.fpga.plan import named, predict
from nvnmd.fpga.stream import encode_atom
from nvnmd.quantize.testing import crystal, liquid, random_model

pytestmark = [pytest.mark.hw, pytest.mark.slow]


@pytest.mark.parametrize("name", ["letter", "fast"])
def test_bytes_and_rate(name: str) -> None:
    card = named(name)
    model = random_model(3, neuron=(card.width,) * card.layers)
    load, atoms = encode_load(model, card), [*crystal(model)[:40], *liquid(model)[:40]]
    first = len(load) + 1
    packets = [encode_atom(atom, first + n) for n, atom in enumerate(atoms)]
    wanted = [*loaded(load), *(answer(model, atom, first + n) for n, atom in enumerate(atoms))]
    run = play(card, [b"".join([*load, *packets])], wanted, most_cycles=3_000_000)
    ends = [cycle for beat, cycle in zip(run.beats, run.left, strict=True) if beat["m_last"]]
    steps = np.diff(ends[len(load) :])
    # The first atoms fill the pipeline; afterwards the slowest stage sets the pace of every atom.
    neighbors = [len(atom.neighbor_type) for atom in atoms]
    slowest = [predict(card, n).cycles for n in neighbors]
    assert steps[20:].mean() <= np.mean(slowest[21:]) * 1.02
    print(name, "cycles an atom:", steps[20:].mean(), "neighbors:", np.mean(neighbors[21:]))

"""Configurations: what is chosen for a rate, what does not fit, and the bars of the named ones."""

from dataclasses import replace

import pytest

from nvnmd.fpga.configuration import configuration_for
from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.plan import named, plan, predict
from nvnmd.fpga.resources import LETTER, VU9P
from nvnmd.fpga.stream import PACKET_BYTES
from nvnmd.quantize.testing import random_model

MODEL = random_model(0, m1=4, m2=2, neuron=(8, 8))


def test_letter_meets_its_rate_within_the_published_multipliers() -> None:
    found = predict(named("letter"))
    assert found.cycles <= 59
    assert found.cycles / 222e6 <= 2.7e-7
    assert sum(found.dsp.values()) <= LETTER.dsp
    assert sum(found.dsp.values()) <= 0.75 * VU9P.dsp


def test_fast_meets_its_rate() -> None:
    found, lanes = predict(named("fast")), named("fast").neighbor_lanes
    assert found.cycles <= 16
    assert found.cycles / 250e6 <= 6.4e-8
    assert lanes >= 3
    assert sum(found.dsp.values()) <= 0.75 * VU9P.dsp


@pytest.mark.parametrize("target", [4, 8, 16, 40])
def test_the_plan_reaches_its_target_with_the_fewest_lanes(target: int) -> None:
    sizes = configuration_for(MODEL)
    chosen = plan(sizes, target, neighbors=12)
    assert predict(chosen, 12).cycles <= target
    for name in ("fitting_lanes", "neighbor_lanes"):
        if getattr(chosen, name) > 1:
            fewer = replace(
                chosen, **{name: getattr(chosen, name) - 1 if name == "fitting_lanes" else chosen.neighbor_lanes // 2}
            )
            assert predict(fewer, 12).cycles > target


def test_a_target_out_of_reach() -> None:
    with pytest.raises(FpgaError, match=r"no number of neighbor_lanes .* every 4 cycles"):
        plan(configuration_for(MODEL), 4, neighbors=29)


def test_models_that_do_not_fit() -> None:
    card = configuration_for(MODEL)
    card.check(MODEL)
    replace(card, types=5, segments=card.segments + 9, guard_tables=9).check(MODEL)
    with pytest.raises(FpgaError, match=r"built for width = 8, the model has 6"):
        card.check(random_model(0, m1=4, m2=2, neuron=(6, 6)))
    with pytest.raises(FpgaError, match=r"types = 2, the model needs 3"):
        card.check(random_model(0, m1=4, m2=2, neuron=(8, 8), type_map=("Ge", "Sb", "Te")))
    with pytest.raises(FpgaError, match=r"the card is built for skip = 1, the model has 0"):
        encode_load(random_model(0, m1=4, m2=2, neuron=(8, 8), skip=False), card)


def test_a_load_fits_the_card_it_is_made_for() -> None:
    card = configuration_for(MODEL, fitting_lanes=3)
    packets = encode_load(MODEL, card)
    assert all(len(packet) % PACKET_BYTES == 0 for packet in packets)
    assert all(int.from_bytes(packet[4:6], "little") <= card.max_body for packet in packets)
    assert len({replace(card, fitting_lanes=n).identity for n in range(1, 9)}) == 8


def test_sizes_that_cannot_be_built() -> None:
    for field in ({"neighbor_lanes": 3}, {"columns": 3}, {"types": 32}):
        with pytest.raises(FpgaError):
            configuration_for(MODEL, **field)
    with pytest.raises(FpgaError, match="no configuration 'slow'"):
        named("slow")

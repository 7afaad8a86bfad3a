"""Protocols become runs with the published temperatures, times, energies and sizes."""

import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import PairLines, lammps_input
from nvnmd.pcm.protocols import PROTOCOLS, Heating, Interface, MeltQuench, Reset, SetPulses
from nvnmd.pcm.pulse import Gradient, estimated_K
from nvnmd.pcm.settings import read_protocol, write_settings
from nvnmd.pcm.start import prepare, pulse_estimates
from nvnmd.pcm.structures import material

PAIR = PairLines("zero 6.0", ("* *",))


def plan(run):
    return [(s.name, s.start_K, s.end_K, (s.last_step - s.first_step) * run.timestep_fs / 1000) for s in run.plan()]


def test_melt_quench_of_gst_gap():
    (run,) = MeltQuench(material="GeSb2Te4", scheme="gst-gap", liquid_ps=10).runs().values()
    stages = plan(run)
    assert stages[0] == ("melt", 3000, 3000, 20)
    assert stages[1][1:3] == (3000, 888)
    assert_allclose(stages[1][3], (3000 - 888) / 100, atol=0.01)
    assert stages[2][3] + stages[3][3] == 30
    assert stages[4][1:3] == (888, 300)
    assert_allclose(stages[4][3], (888 - 300) / 25, atol=0.01)


def test_quench_rates_make_a_series():
    runs = MeltQuench(rates_K_per_ps=(5, 25, 100)).runs()
    assert list(runs) == ["5K_per_ps", "25K_per_ps", "100K_per_ps"]
    lengths = [next(s for s in plan(run) if s[0] == "quench")[3] for run in runs.values()]
    assert_allclose(lengths, [180, 36, 9])


def test_heating_series_over_sizes_and_ensembles():
    assert [len(prepare(run).atoms) for run in Heating(sizes=(216, 1728)).runs().values()] == [216, 1728]
    assert Heating(ensemble="npt").runs()["216_atoms"].barostat is not None
    assert Heating(ensemble="nve").runs()["216_atoms"].stages[-1].ensemble == "nve"


def test_pulse_train_has_its_pulses():
    (run,) = SetPulses(material="GeSb2Te4", pulses=3, pulse_K=650).runs().values()
    assert [s[0] for s in plan(run)][2:] == ["set_1", "rest_1", "set_2", "rest_2", "set_3", "rest_3"]
    assert [s[2] for s in plan(run)][2:4] == [650, 300]
    assert run.stages[0].frozen == ("seed",)
    assert run.stages[2].frozen == ()


def test_interface_melts_one_half_and_keeps_the_area():
    runs = Interface(material="GeTe", temperatures_K=(800, 900), repeats=(3, 3, 6)).runs()
    assert list(runs) == ["800K", "900K"]
    prepared = prepare(runs["800K"])
    assert 0.4 < prepared.regions["crystal"].contains(prepared.atoms.positions).mean() <= 0.6
    assert runs["900K"].stages[2].barostat.axes == "z"


def test_published_pulses_pass_and_a_thousandfold_one_does_not():
    (mushroom,) = Reset().runs().values()
    prepared = prepare(mushroom)
    assert len(prepared.atoms) == 22_400
    ((text, kelvin),) = pulse_estimates(mushroom, prepared)
    assert "heater" in text
    # 0.264 fJ, 1650 eV, in the half-cylinder of 35 A.
    assert_allclose(kelvin, 300 + 0.264 * 6241.509 / (3 * 8.617e-5 * prepared.inside("heater")), rtol=1e-3)
    (hot,) = Reset(energy_fJ=264).runs().values()
    with pytest.raises(PcmError, match=r"about [\d,]+ K if no heat left it, and evaporate"):
        prepare(hot)


def test_cross_point_of_the_published_size_is_heated_by_a_gradient():
    (run,) = Reset(device="cross-point").runs().values()
    (small,) = Reset(device="cross-point", repeats=(6, 4, 2), energy_fJ=64 * 48 / 12690).runs().values()
    prepared = prepare(small)
    assert run.stages[3].heat.energy_fJ == 64
    text = lammps_input(small, PAIR, ("Ge", "Sb", "Te"), prepared)
    assert text.count(" heat 5 ") == 40
    assert "group moving_0 subtract all still_0" in text
    assert prepared.frozen == ("barrier",)
    with pytest.raises(ValueError, match="energy_fJ must be given"):
        Reset(repeats=(8, 5, 8))


def test_shares_of_a_gradient():
    shares = Gradient(slabs=4).shares(40.0)
    assert_allclose([share for _, _, share in shares], [7 / 16, 5 / 16, 3 / 16, 1 / 16])
    assert [ends[:2] for ends in shares] == [(0, 10), (10, 20), (20, 30), (30, 40)]
    even = Gradient(slabs=5, end_over_start=1.0).shares(40.0)
    assert_allclose([share for _, _, share in even], 0.2)
    assert_allclose(estimated_K(300, 3 * 8.617333262e-5 * 700 * 50, 50), 1000)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_makes_complete_inputs(name):
    for run in PROTOCOLS[name]().runs().values():
        small = run.model_copy(update={"atoms": 64, "max_pulse_K": 1e9})
        if run.start == "cross-point":
            continue
        prepared = prepare(small)
        text = lammps_input(small, PAIR, material(small.material).elements, prepared)
        assert all(f"label {stage.name}_done" in text for stage in small.stages)


def test_settings_files_of_protocols(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(write_settings(SetPulses(pulses=4)))
    assert read_protocol("set-pulses", path).pulses == 4
    assert read_protocol("set-pulses", path, pulses=7).pulses == 7
    path.write_text("pulse: 3")
    with pytest.raises(PcmError, match="did you mean 'pulses'"):
        read_protocol("set-pulses", path)
    with pytest.raises(PcmError, match="known: melt-quench"):
        read_protocol("reset-pulses", None)

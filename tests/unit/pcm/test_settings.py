"""Run settings: defaults, the plan of steps, and errors that name the key."""

from itertools import pairwise

import pytest

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import PairLines, lammps_input, nvnmd_pair
from nvnmd.pcm.settings import read_settings, write_settings


def test_plan_follows_times_and_rates():
    settings = read_settings(None, timestep_fs=2.0)
    plan = settings.plan()
    quench = next(stage for stage in plan if stage.name == "quench")
    assert (quench.start_K, quench.end_K) == (1200, 300)
    assert (quench.last_step - quench.first_step) * 0.002 == pytest.approx(900 / 25)
    assert all(a.last_step == b.first_step for a, b in pairwise(plan))
    assert [stage.sample for stage in plan if stage.sample] == ["liquid", "amorphous"]


def test_written_settings_read_back_the_same(tmp_path):
    settings = read_settings(None, atoms=1000, barostat={"pressure_bar": 5})
    (tmp_path / "md.yaml").write_text(write_settings(settings))
    assert read_settings(tmp_path / "md.yaml") == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("atom: 3", "unknown key 'atom'; did you mean 'atoms'"),
        ("thermostat: {damping: 3}", "unknown key 'thermostat.damping'; did you mean 'damping_ps'"),
        ("stages: [{name: a, temperature: 3, time_ps: 1}]", "'stages.0.temperature'; did you mean 'temperature_K'"),
        ("atoms: -3", "atoms: Input should be greater than 0"),
        ("material: GeTf", "known: Ge2Sb2Te5, GeSb2Te4, GeTe"),
        ("stages: [{name: a, temperature_K: 300}]", "either time_ps or rate_K_per_ps"),
        ("stages: [{name: a, temperature_K: 300, time_ps: 1, ramp: true}]", "nothing to ramp from"),
        ("[1, 2]", "settings are a mapping"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_bad_settings_name_file_and_key(tmp_path, text, message):
    path = tmp_path / "md.yaml"
    path.write_text(text)
    with pytest.raises(PcmError) as raised:
        read_settings(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "fix ensemble all nvt temp 1200 300 0.1"),
        ({"barostat": {}}, "fix ensemble all npt temp 1200 300 0.1 iso 0 0 1"),
        ({"thermostat": {"style": "langevin"}}, "fix bath all langevin 1200 300 0.1"),
        ({"thermostat": {"style": "csvr"}}, "fix bath all temp/csvr 1200 300 0.1"),
    ],
)
def test_input_has_the_ensemble_asked_for(changes, line):
    text = lammps_input(read_settings(None, **changes), nvnmd_pair("model.nvnmd", ("Ge", "Te")), ("Ge", "Te"))
    assert line in text
    assert "pair_style nvnmd model.nvnmd backend cpu\npair_coeff * * Ge Te\n" in text


def test_a_large_cell_may_have_more_clipped_words():
    elements = ("Ge", "Te")
    text = lammps_input(read_settings(None, max_clipped=7), nvnmd_pair("model.nvnmd", elements), elements)
    assert "variable too_many_clipped equal c_clipped[1]/ceil(atoms/10000)" in text
    assert "v_too_many_clipped > 7 error hard" in text


def test_grades_are_logged_and_guarded_where_there_is_an_active_set():
    settings, elements = read_settings(None, max_gamma=20, output={"thermo_every": 10}), ("Ge", "Te")
    text = lammps_input(settings, nvnmd_pair("model.nvnmd", elements, grades=True), elements)
    assert "fix grades all pair 10 nvnmd gamma 1" in text
    assert "colname c_clipped[13] largest_gamma" in text
    assert (
        "variable too_far_outside equal c_clipped[13]\nfix too_far_outside all halt 10 v_too_far_outside > 20" in text
    )
    with pytest.raises(PcmError, match="max_gamma needs the model's active set"):
        lammps_input(settings, nvnmd_pair("model.nvnmd", elements), elements)
    assert "gamma" not in lammps_input(read_settings(None), nvnmd_pair("model.nvnmd", elements), elements)


def test_only_the_pair_lines_depend_on_the_potential():
    settings, elements = read_settings(None), ("Ge", "Te")
    ours = nvnmd_pair("model.nvnmd", elements)
    other = PairLines("lj/cut 6", ("* * 0.1 2.8",), ours.counters)
    texts = [lammps_input(settings, pair, elements).splitlines() for pair in (ours, other)]
    differing = [a.split()[0] for a, b in zip(*texts, strict=True) if a != b]
    assert differing == ["pair_style", "pair_coeff", "compute"]

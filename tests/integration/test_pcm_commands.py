"""`nvnmd pcm` from the command line, with a Lennard-Jones pair in place of the potential."""

import sys

import numpy as np
import pytest

from nvnmd.cli import main
from nvnmd.pcm.lammps_input import PairLines

LJ = PairLines("lj/smooth/linear 6.0", ("* * 0.25 2.7",))


@pytest.fixture
def nvnmd(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nvnmd.pcm.runner.nvnmd_pair", lambda model, elements: LJ)
    monkeypatch.setattr("nvnmd.pcm.runner.POLL_S", 0.02)
    (tmp_path / "m.nvnmd").write_bytes(b"stands in for a model")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["nvnmd", "pcm", *words])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.mark.slow
def test_melt_quench_ends_in_a_report_with_its_measures(nvnmd, tmp_path):
    stages = tmp_path / "p.yaml"
    stages.write_text(
        "material: GeTe\natoms: 216\nstages:\n- {name: melt, temperature_K: 900, time_ps: 0.2}\n"
        "- {name: glass, temperature_K: 300, time_ps: 1.0, sample: amorphous, dump_every_ps: 0.04, check_voids: true}\n"
    )
    code, _, err = nvnmd("run", str(stages), "-m", "m.nvnmd", "-o", "mq")
    assert (code, err.count("nvnmd:")) == (0, 0), err
    page = (tmp_path / "mq/report.html").read_text()
    assert "ALTBC" in page
    assert "wrong_share" in page
    assert "Guard against voids" in page
    rdf = np.genfromtxt(tmp_path / "mq/analysis/glass-rdf.csv", delimiter=",", names=True)
    assert rdf.dtype.names[0] == "r_A"
    assert (tmp_path / "mq/analysis/glass.json").exists()


@pytest.mark.slow
def test_reset_of_a_small_mushroom_shows_maps_and_a_film(nvnmd, tmp_path):
    sets = ("repeats=[8, 3, 6]", "energy_fJ=0.01", "pulse_ps=0.2", "dissipation_ps=0.2", "warm_ps=0.1", "frames=3",
            "sizes={heater_A: 12, fixed_A: 6.5}")  # fmt: skip
    words = [word for text in sets for word in ("--set", text)]
    code, _, err = nvnmd("reset", "-m", "m.nvnmd", "-o", "reset", *words)
    assert code == 0, err
    page = (tmp_path / "reset/report.html").read_text()
    assert "temperature maps over time" in page
    assert "data:image/gif;base64" in page
    assert (tmp_path / "reset/film-order.gif").stat().st_size > 1000


def test_a_series_writes_its_inputs(nvnmd, tmp_path):
    code, out, _ = nvnmd("heat", "--inputs-only", "--set", "sizes=[64, 216]", "-o", "series")
    assert code == 0
    assert (tmp_path / "series/64_atoms/in.lmp").exists()
    assert "216 atoms" in out
    code, out, _ = nvnmd("set-pulses", "--set", "pulses=2", "--dry-run")
    assert "set_2: 600 -> 600 K, 100 ps" in out


def test_build_writes_device_cells(nvnmd, tmp_path):
    code, out, _ = nvnmd(
        "build", "a.data", "--material", "GeSb2Te4", "--form", "cross-point", "--repeats", "5", "3", "1"
    )
    assert code == 0
    assert "630 atoms" in out
    assert "(fixed)" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("reset", "--set", "energy_fJ=5000", "-m", "m.nvnmd"), "evaporate"),
        (("melt-quench", "--material", "GeTf", "-m", "m.nvnmd"), "known"),
        (("melt-quench", "--set", "rates_K=3"), "did you mean 'rates_K_per_ps'"),
        (("melt-quench", "--set", "rates"), "KEY=VALUE"),
        (("melt-quench", "--material", "Sb2Te3"), "--model"),
        (("build", "a.data", "--material", "Ge2Sb2Te5", "--repeats", "3", "3", "3"), "divide by 5"),
        (("analyze", "nowhere"), "there is no run"),
        (("report", "."), "there is no run"),
        (("film", "no.lammpstrj"), "no such trajectory"),
    ],
)
def test_bad_input_is_one_sentence(nvnmd, words, message):
    code, _, err = nvnmd(*words)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err


def test_a_temperature_film_needs_velocities(nvnmd, tmp_path, lattice_dump):
    code, _, err = nvnmd("film", str(lattice_dump), "--color", "temperature")
    assert code == 2
    assert "has no velocities" in err


@pytest.fixture
def lattice_dump(tmp_path):
    path = tmp_path / "a.lammpstrj"
    rows = "".join(f"{k} 1 Ge {3 * k}.0 1.0 1.0\n" for k in range(4))
    bounds = "0 12.0\n0 12.0\n0 12.0\n"
    path.write_text(f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n4\nITEM: BOX BOUNDS pp pp pp\n{bounds}"
                    f"ITEM: ATOMS id type element xu yu zu\n{rows}")  # fmt: skip
    return path

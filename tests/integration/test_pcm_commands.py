"""`nvnmd pcm` from the command line, with a Lennard-Jones pair in place of the potential."""

import io
import json
import re
import sys

import numpy as np
import pytest

from nvnmd.cli import main
from nvnmd.pcm.lammps_input import PairLines
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

LJ = PairLines("lj/smooth/linear 6.0", ("* * 0.25 2.7",))


@pytest.fixture
def nvnmd(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nvnmd.pcm.runner.nvnmd_pair", lambda model, elements, grades: LJ)
    monkeypatch.setattr("nvnmd.pcm.runner.POLL_S", 0.02)
    monkeypatch.delenv("NVNMD_MODELS", raising=False)
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
        (("build", "a.data", "--material", "Ge2Sb2Te5", "--repeats", "3", "3", "3"), "divide by 5"),
        (("analyze", "nowhere"), "there is no run"),
        (("report", "."), "there is no run"),
        (("film", "no.lammpstrj"), "no such trajectory"),
        (("run", "swapped.yaml", "-m", "m.nvnmd"), "mass 127.6 (that of Te), but stands for Ge in the order Ge Te"),
        (("run", "other.yaml", "-m", "m.nvnmd"), "has Si, which the material does not"),
        (("report", ".", "-r", "none-adf.csv"), "no such reference"),
    ],
)
def test_bad_input_is_one_sentence(nvnmd, structures, words, message):
    code, _, err = nvnmd(*words)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err


@pytest.fixture
def structures(tmp_path):
    """A data file whose types are in the wrong order, one with another element, and settings that start from them."""
    stage = "stages: [{name: hold, temperature_K: 300, time_ps: 0.02}]"
    masses = {"swapped": ("127.6", "72.63"), "other": ("72.63", "127.6")}
    for name, (first, second) in masses.items():
        start = f"{name}.data" if name == "swapped" else "other.xyz"
        (tmp_path / f"{name}.yaml").write_text(f"start: file\nstart_file: {start}\n{stage}\n")
        head = "swapped\n\n2 atoms\n2 atom types\n\n0 9 xlo xhi\n0 9 ylo yhi\n0 9 zlo zhi\n\n"
        rows = f"Masses\n\n1 {first}\n2 {second}\n\nAtoms # atomic\n\n1 1 0 0 0\n2 2 3 0 0\n"
        (tmp_path / f"{name}.data").write_text(head + rows)
    (tmp_path / "other.xyz").write_text('2\nLattice="9 0 0 0 9 0 0 0 9"\nSi 0 0 0\nTe 3 0 0\n')
    return tmp_path


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["n", "y"])
def test_a_pulse_that_would_evaporate_is_asked_about(nvnmd, tmp_path, monkeypatch, answer):
    monkeypatch.setattr(sys, "stdin", _Terminal(f"{answer}\n"))
    sets = ("repeats=[8, 3, 6]", "energy_fJ=5", "pulse_ps=0.1", "sizes={heater_A: 12, fixed_A: 6.5}")
    words = [word for text in sets for word in ("--set", text)]
    code, out, err = nvnmd("reset", "-m", "m.nvnmd", "--inputs-only", "-o", "hot", *words)
    found = re.search(r"would reach about ([\d,]+) K if no heat left it. Run it\?", " ".join((out + err).split()))
    assert int(found.group(1).replace(",", "")) > 8000
    assert (code == 0) == (answer == "y")
    assert (tmp_path / "hot/in.lmp").exists() == (answer == "y")


def test_ovito_that_is_missing_is_named(nvnmd, lattice_dump, monkeypatch):
    monkeypatch.setitem(sys.modules, "ovito.data", None)
    code, _, err = nvnmd("film", str(lattice_dump), "--color", "element", "--renderer", "ovito")
    assert code == 2
    assert "pip install 'nvnmd[viz]'" in " ".join(err.split())


def test_the_shipped_model_is_found_and_listed(nvnmd, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    save_model(random_model(neuron=(8, 8)), folder / "tiny.nvnmd")
    card = "summary: a stand-in\ndata: none\ngood_for: [tests]\nnot_for: [physics]\n"
    (folder / "tiny.yaml").write_text(f"materials: [GeTe]\n{card}")
    monkeypatch.setenv("NVNMD_MODELS", str(folder))
    code, out, _ = nvnmd("models")
    assert code == 0
    assert "tiny: GeTe; a stand-in" in out
    settings = tmp_path / "short.yaml"
    settings.write_text("atoms: 64\nstages: [{name: hold, temperature_K: 300, time_ps: 0.02}]\n")
    code, out, err = nvnmd("run", str(settings), "--no-report")
    assert code == 0, err
    assert json.loads((tmp_path / "pcm/md.json").read_text())["model"]["file"] == "tiny.nvnmd"


def test_the_clock_ends_a_run_with_its_report(nvnmd, tmp_path):
    words = ("melt-quench", "--atoms", "512", "-m", "m.nvnmd", "--minutes", "0.0001", "--files", "kept")
    code, out, err = nvnmd(*words)
    assert code == 0, err
    assert "the same command goes on from here" in out
    assert (tmp_path / "melt-quench/report.html").exists()
    assert "## Molecular dynamics" in (tmp_path / "kept/README.md").read_text()
    before = json.loads((tmp_path / "melt-quench/md.json").read_text())["step"]
    code, _, err = nvnmd("melt-quench", "--atoms", "512", "-m", "m.nvnmd", "--minutes", "0.0001", "--no-report")
    assert code == 0, err
    after = json.loads((tmp_path / "melt-quench/md.json").read_text())
    assert after["step"] > before
    begun, gone_on = (session["first_step"] for session in after["sessions"])
    assert begun == 0
    assert gone_on > 0


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

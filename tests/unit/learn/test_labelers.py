"""Teachers by name, units, time limits, and CP2K."""

import os
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from pydantic import ValidationError
from toys import BOHR_A, HARTREE_EV, HERE, importable, structure

from nvnmd.learn.errors import LabelError, LearnError, QueueError
from nvnmd.learn.labelers import LabelSettings, make_labeler
from nvnmd.learn.labelers.calculator import make_calculator
from nvnmd.learn.labelers.cp2k import cp2k_input, kpoints

STORED = HERE / "data" / "cp2k.out"


def stored_structure() -> Atoms:
    """What the stored output is of."""
    rows = [line.split() for line in STORED.read_text().splitlines() if line.split()[1:2] in (["1"], ["2"])]
    rows = [row for row in rows if len(row) == 9]
    positions = [[float(x) for x in row[4:7]] for row in rows]
    return Atoms([row[2] for row in rows], positions=positions, cell=[6.0] * 3, pbc=True)


def fake_cp2k(folder: Path, change: str = "", code: int = 0) -> str:
    """A program that prints the stored output of CP2K 2023.1, changed by an expression in `text`."""
    script = folder / "cp2k.fake"
    script.write_text(
        f"#!{sys.executable}\nimport sys, time\nassert sys.argv[1:] == ['-i', 'cp2k.inp']\n"
        f"text = open({str(STORED)!r}).read()\n{change}\nsys.stdout.write(text)\nsys.exit({code})\n"
    )
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("using", "said"),
    [
        (
            "nothing_here:Teacher",
            "package nothing_here is not installed; install it with: pip install nothing_here",
        ),
        ("nep:nowhere.txt", "nep:nowhere.txt: there is no such file"),
        ("nep:", "say which model"),
        ("ase.calculators.emt:EMTT", "ase.calculators.emt has no EMTT"),
        ("mystery", "'mystery' labels nothing here"),
    ],
)
def test_what_cannot_label_says_so_in_a_sentence(using: str, said: str) -> None:
    with pytest.raises(LearnError, match=said):
        make_labeler(LabelSettings(using=using))


def test_a_teacher_that_is_not_installed_names_its_package(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "model").write_text("x")
    for name, module, package in (
        ("nep", "calorine", "calorine"),
        ("nequix", "nequix", "nequix"),
        ("sevennet", "sevenn", "sevenn"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(LearnError, match=f"package {package} is not installed; .*pip install {package}"):
            make_calculator(f"{name}:{tmp_path / 'model'}")


@pytest.mark.parametrize(
    ("name", "module", "factory", "argument"),
    [
        ("nep", "calorine.calculators", "CPUNEP", "model_filename"),
        ("sevennet", "sevenn.calculator", "SevenNetCalculator", "model"),
    ],
)
def test_known_teachers_are_called_with_their_model(tmp_path, monkeypatch, name, module, factory, argument) -> None:
    given = {}
    stub = types.ModuleType(module)
    setattr(stub, factory, lambda **arguments: given.update(arguments))
    monkeypatch.setitem(sys.modules, module.split(".")[0], types.ModuleType(module.split(".")[0]))
    monkeypatch.setitem(sys.modules, module, stub)
    (tmp_path / "model").write_text("x")
    model = "7net-l3i5" if name == "sevennet" else str(tmp_path / "model")
    make_calculator(f"{name}:{model}", {"device": "cpu"})
    assert given == {argument: model, "device": "cpu"}


def test_nequix_gets_graphs_of_few_sizes_and_no_kernels(tmp_path, monkeypatch) -> None:
    made = {}

    class Stub:
        def __init__(self, **arguments: object) -> None:
            made.update(arguments)

    stub = types.ModuleType("nequix.calculator")
    stub.NequixCalculator = Stub
    monkeypatch.setitem(sys.modules, "nequix", types.ModuleType("nequix"))
    monkeypatch.setitem(sys.modules, "nequix.calculator", stub)
    padding = types.ModuleType("jraph")
    padding.pad_with_graphs = lambda graph, n_node, n_edge, n_graph: (n_node, n_edge)
    monkeypatch.setitem(sys.modules, "jraph", padding)
    monkeypatch.delitem(sys.modules, "nvnmd.learn.labelers.nequix", raising=False)
    (tmp_path / "model.nqx").write_text("x")
    calculator = make_calculator(f"nequix:{tmp_path / 'model.nqx'}", {"capacity_multiplier": 1.2})
    assert made == {"model_path": str(tmp_path / "model.nqx"), "use_kernel": False, "capacity_multiplier": 1.2}
    labeler = make_labeler(LabelSettings(using=f"nequix:{tmp_path / 'model.nqx'}"))
    assert labeler._origin["code"] == "nequix"
    graphs = [types.SimpleNamespace(n_node=[1 + edges // 40], n_edge=[edges]) for edges in range(4000)]
    sizes = [calculator._pad_graph_jax(graph, True) for graph in graphs]
    assert all(edges <= size < max(257, 1.42 * edges) for edges, (_, size) in enumerate(sizes))
    assert sorted({size for _, size in sizes}) == [256, 363, 512, 725, 1024, 1449, 2048, 2897, 4096]
    assert all(edges // 40 + 1 < size < edges // 40 + 42 for edges, (size, _) in enumerate(sizes))
    assert sorted({size for size, _ in sizes}) == [40, 72, 104, 136]
    monkeypatch.delitem(sys.modules, "nvnmd.learn.labelers.nequix")


def test_any_calculator_by_its_path_in_either_form() -> None:
    assert isinstance(make_calculator("ase.calculators.emt:EMT"), EMT)
    assert isinstance(make_calculator("ase.calculators.emt.EMT"), EMT)


def test_the_mark_says_teacher_unless_the_code_is_dft() -> None:
    assert make_labeler(LabelSettings(using="ase.calculators.emt:EMT")).label == "teacher:ase.calculators.emt:EMT"
    assert make_labeler(LabelSettings(using="ase.calculators.emt:EMT", name="emt")).label == "teacher:emt"
    dft = make_labeler(LabelSettings(using="ase.calculators.emt:EMT", dft=True, reference="pbe"))
    assert (dft.label, dft.reference) == ("dft", "pbe")


@pytest.mark.parametrize(
    ("energy", "force", "guess"),
    [
        (1 / HARTREE_EV, BOHR_A / HARTREE_EV, "energies in hartree and forces in hartree/bohr"),
        (1 / HARTREE_EV, 1.0, "energies in hartree"),
        (1.0, BOHR_A / HARTREE_EV, "forces in hartree/bohr"),
        (23.060548, 1.0, "energies in kcal/mol"),
        (1.0, 23.060548, "forces in kcal/mol/A"),
        (1.0, -1.0, "no derivative"),
    ],
)
def test_units_that_do_not_belong_together_stop_the_queue(tmp_path, monkeypatch, energy, force, guess) -> None:
    options = {"energy": energy, "force": force}
    settings = LabelSettings(using=importable(monkeypatch), options=options)
    with pytest.raises(QueueError, match=guess):
        make_labeler(settings).run(structure(), tmp_path)
    free = settings.model_copy(update={"check_units": False})
    assert make_labeler(free).run(structure(), tmp_path).energy != 0.0


def test_a_label_that_takes_too_long_fails(tmp_path: Path, monkeypatch) -> None:
    settings = LabelSettings(using=importable(monkeypatch), options={"wait_s": 5.0}, max_minutes=0.003)
    with pytest.raises(LabelError, match="took longer than max_minutes"):
        make_labeler(settings).run(structure(), tmp_path)


def test_cp2k_labels_are_those_of_its_output(tmp_path: Path) -> None:
    labeler = make_labeler(LabelSettings(using="cp2k", command=fake_cp2k(tmp_path)))
    work = tmp_path / "work"
    work.mkdir()
    labels = labeler.run(stored_structure(), work)
    assert labels.energy == pytest.approx(-48.481021552277319 * HARTREE_EV, abs=1e-4)
    assert labels.forces[0, 1] == pytest.approx(-0.00588314 * HARTREE_EV / BOHR_A, abs=1e-6)
    assert labels.virial is not None
    assert labels.virial[0, 0] == pytest.approx(1.27164190919e-01 / 160.21766208 * 216.0)
    record = labels.record
    assert (record["code"], record["version"], record["teacher"], record["scf_steps"]) == ("cp2k", "2023.1", False, 9)
    text = (work / "cp2k.inp").read_text()
    assert "@" not in text.replace("@SET", "")
    assert "Ge 0.017279 0.041081 0.016522" in text
    assert "MONKHORST-PACK 5 5 5" in text
    assert (labeler.label, labeler.reference[:5]) == ("dft", "cp2k ")


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (
            "text = text.replace('run converged in     9 steps', 'run NOT converged')",
            0,
            "the SCF did not converge",
        ),
        ("text = text[:text.index('SCF run converged')]", 1, "CP2K ended with exit code 1"),
        ("text = text.split('PROGRAM ENDED')[0]", 9, "exit code 9"),
        ("text = ' * [ABORT]  basis set not found *\\n'", 1, "exit code 1: basis set not found"),
        ("text = text.replace(' 6.000 ', ' 7.000 ').replace('=     6.000000', '=     7.000000')", 0, "another cell"),
    ],
)
def test_a_bad_run_of_cp2k_fails_with_its_reason(tmp_path: Path, change: str, code: int, reason: str) -> None:
    labeler = make_labeler(LabelSettings(using="cp2k", command=fake_cp2k(tmp_path, change, code)))
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(LabelError, match=reason):
        labeler.run(stored_structure(), work)


def test_cp2k_that_never_ends_is_ended(tmp_path: Path) -> None:
    command = fake_cp2k(tmp_path, "time.sleep(60)")
    labeler = make_labeler(LabelSettings(using="cp2k", command=command, max_minutes=0.005))
    with pytest.raises(LabelError, match="longer than max_minutes"):
        labeler.run(stored_structure(), tmp_path)


def test_cp2k_on_a_full_disk_stops_the_queue(tmp_path: Path) -> None:
    command = fake_cp2k(tmp_path, "text = 'forrtl: No space left on device'", 1)
    with pytest.raises(QueueError, match="no space left on the disk"):
        make_labeler(LabelSettings(using="cp2k", command=command)).run(stored_structure(), tmp_path)


def test_cp2k_that_is_missing_or_misled_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(LearnError, match=r"cp2k\.nowhere is not installed; install it with: apt install cp2k"):
        make_labeler(LabelSettings(using="cp2k", command="cp2k.nowhere"))
    template = tmp_path / "template.inp"
    template.write_text("&CELL\n@CELL@\n&END\n")
    command = fake_cp2k(tmp_path)
    with pytest.raises(LearnError, match="holds @COORD@"):
        make_labeler(LabelSettings(using="cp2k", command=command, template=str(template)))
    gold = Atoms("Au", cell=[6.0] * 3, pbc=True)
    with pytest.raises(QueueError, match=r"known for Au; name them in label\.kinds"):
        cp2k_input("@KINDS@", gold, LabelSettings(using="cp2k"))
    kinds = {"Au": {"basis": "MINE", "potential": "GTH-PBE-q11"}}
    text = cp2k_input("@KINDS@", gold, LabelSettings.model_validate({"using": "cp2k", "kinds": kinds}))
    assert text.split() == ["&KIND", "Au", "BASIS_SET", "MINE", "POTENTIAL", "GTH-PBE-q11", "&END"]


def test_kpoints_follow_the_cell() -> None:
    assert kpoints(Atoms(cell=[12.4] * 3, pbc=True), 0.26) == (2, 2, 2)
    assert kpoints(Atoms(cell=[6.0, 12.0, 40.0], pbc=True), 0.26) == (5, 3, 1)
    assert kpoints(Atoms(cell=[[6, 0, 0], [3, 5.2, 0], [0, 0, 25]], pbc=True), 0.26) == (5, 5, 1)


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="CP2K takes a template"):
        LabelSettings(using="cp2k", name="x")
    with pytest.raises(ValidationError, match="did you mean 'workers'"):
        LabelSettings.model_validate({"using": "cp2k", "worker": 2})


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cp2k.psmp") is None, reason="CP2K is not installed (apt install cp2k)")
def test_cp2k_itself(tmp_path: Path) -> None:
    """The structure of the stored output, by the program that is installed."""
    labels = make_labeler(LabelSettings(using="cp2k", kpoint_spacing=0.53)).run(stored_structure(), tmp_path)
    assert labels.energy == pytest.approx(-48.481021552277319 * HARTREE_EV, abs=0.05)
    assert labels.forces.shape == (8, 3)
    assert np.abs(labels.forces.sum(axis=0)).max() < 0.01
    assert labels.virial is not None
    assert labels.record["version"] != "unknown"


def test_nep_itself(tmp_path: Path) -> None:
    """With a model of one's own; the project ships none."""
    path = os.environ.get("NVNMD_NEP")
    if path is None or not Path(path).is_file():
        pytest.skip("set NVNMD_NEP to the file of a NEP potential of GeTe to run this")
    pytest.importorskip("calorine")
    labels = make_labeler(LabelSettings(using=f"nep:{path}", name="NEP")).run(structure(), tmp_path)
    assert np.isfinite(labels.forces).all()
    assert len(labels.record["model_sha256"]) == 64

"""Every format gives back the frames that were written; bad files are refused by name."""

from dataclasses import replace
from pathlib import Path

import dpdata
import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.frames import FramesError, load_systems

ROOT = Path(__file__).parents[3]
CP2K = ROOT / "tests/data/frames/cp2k_liquid.out"


def assert_same(found, expected, tolerance=1e-12):
    assert found.symbols == expected.symbols
    for key in ("cells", "positions", "energies", "forces", "virials"):
        a, b = getattr(found, key), getattr(expected, key)
        assert (a is None) == (b is None), key
        if b is not None:
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance, err_msg=key)
            assert a.dtype == np.float64
    assert found.periodic == expected.periodic


def distances(system):
    difference = system.positions[:, :, None] - system.positions[:, None]
    return np.linalg.norm(difference, axis=-1)


@pytest.mark.parametrize("sets", [1, 2])
@pytest.mark.parametrize("virial", [True, False])
def test_deepmd_npy(tmp_path, sets, virial):
    system = w.small_system(virial=virial)
    (found,) = load_systems(w.write_npy(system, tmp_path / "a", sets))
    assert_same(found, system)
    assert found.name == "a"


def test_deepmd_npy_without_cell(tmp_path):
    system = w.small_system(virial=False, periodic=False)
    (found,) = load_systems(w.write_npy(system, tmp_path / "a"))
    assert_same(found, system)


def test_deepmd_raw(tmp_path):
    system = w.small_system()
    assert_same(load_systems(w.write_raw(system, tmp_path / "a"))[0], system)


def test_deepmd_mixed(tmp_path):
    """Frames of two compositions in one folder come back as two systems with the elements dpdata was given."""
    one, two = w.small_system(seed=1), w.small_system(seed=2, types=np.array([1, 1, 1, 0, 0, 0]))
    parts = [
        dpdata.LabeledSystem(str(w.write_npy(s, tmp_path / n)), fmt="deepmd/npy")
        for n, s in zip("ab", (one, two), strict=True)
    ]
    mixed = dpdata.MultiSystems(*parts, type_map=["Te", "Ge"])
    mixed.to_deepmd_npy_mixed(str(tmp_path / "mixed"))
    found = load_systems(tmp_path / "mixed")
    assert sorted(s.formula for s in found) == ["Te3Ge3", "Te4Ge2"]
    expected = {s.symbols.count("Ge"): s for s in (one, two)}
    for system in found:
        same = expected[system.symbols.count("Ge")]
        np.testing.assert_allclose(system.energies, same.energies, atol=1e-5)
        np.testing.assert_allclose(np.sort(distances(system).ravel()), np.sort(distances(same).ravel()), atol=1e-5)
        np.testing.assert_allclose(
            np.linalg.norm(system.forces, axis=2).sum(), np.linalg.norm(same.forces, axis=2).sum(), rtol=1e-5
        )


@pytest.mark.parametrize("stress", [True, False])
def test_extxyz(tmp_path, stress):
    system = w.small_system()
    (found,) = load_systems(w.write_extxyz(system, tmp_path / "a.extxyz", stress))
    assert_same(found, system, 1e-7)


def test_extxyz_groups_by_atoms_and_kind(tmp_path):
    one, two = w.small_system(3), w.small_system(2, types=np.array([0, 0, 0, 0, 1, 1]))
    text = ""
    for k, (system, kind) in enumerate([(one, "liquid"), (two, "liquid"), (one, "crystal"), (one, "liquid")]):
        text += w.write_extxyz(system, tmp_path / f"{k}.part", config_type=kind).read_text()
    (tmp_path / "all.xyz").write_text(text)
    found = load_systems(tmp_path / "all.xyz")
    assert {s.name: s.n_frames for s in found} == {
        "all/liquid/Ge2Te4": 6,
        "all/liquid/Ge4Te2": 2,
        "all/crystal/Ge2Te4": 3,
    }


def test_extxyz_stress_that_contradicts_virial(tmp_path):
    system = w.small_system(1)
    path = w.write_extxyz(system, tmp_path / "a.xyz", stress=True, virial=-system.virials[0])
    with pytest.raises(FramesError, match=r"a\.xyz, frame 0: virial and stress disagree"):
        load_systems(path)


@pytest.mark.parametrize("missing", ["energy", "forces"])
def test_extxyz_without_labels(tmp_path, missing):
    path = tmp_path / "a.xyz"
    text = w.write_extxyz(w.small_system(1), path).read_text()
    key = {"energy": "energy=", "forces": "forces:"}[missing]
    path.write_text(text + text.replace(key, "other" + key[-1]))
    with pytest.raises(FramesError, match=rf"a\.xyz, frame 1: has no {missing}"):
        load_systems(path)


def test_vasp_outcar(tmp_path):
    """dpdata turns frames to a lower triangular cell; this cell is one already."""
    system = w.small_system()
    (found,) = load_systems(w.write_outcar(system, tmp_path / "OUTCAR"))
    assert_same(found, system, 2e-7)


def test_vasp_outcar_leaves_out_unconverged_frames(tmp_path, caplog):
    system = w.small_system()
    (found,) = load_systems(w.write_outcar(system, tmp_path / "OUTCAR.2", unconverged=(1,)))
    assert_same(found, system.select([0, 2, 3]), 2e-7)
    assert "OUTCAR.2" in caplog.text
    assert "unconverged: [2]" in caplog.text


def test_vasp_outcar_with_no_converged_frame(tmp_path):
    path = w.write_outcar(w.small_system(1), tmp_path / "OUTCAR", unconverged=(0,))
    with pytest.raises(FramesError, match="OUTCAR"):
        load_systems(path)


def test_vasprun(tmp_path):
    system = w.small_system()
    assert_same(load_systems(w.write_vasprun(system, tmp_path / "vasprun.xml"))[0], system, 1e-6)


def test_truncated_vasprun(tmp_path):
    path = w.write_vasprun(w.small_system(), tmp_path / "vasprun.xml")
    path.write_text(path.read_text()[:900])
    with pytest.raises(FramesError, match=r"vasprun\.xml: dpdata cannot read it as vasp/xml"):
        load_systems(path)


def test_cp2k_gives_back_the_shipped_frame():
    """The shipped labels were parsed by another program from the same run; the cell has all its decimals."""
    (found,) = load_systems(CP2K)
    shipped = load_systems(ROOT / "data/gete-cp2k/liquid")[0]
    frame = shipped.select([int(np.abs(shipped.energies - found.energies[0]).argmin())])
    assert found.virials is not None
    np.testing.assert_allclose(found.cells, frame.cells, atol=1e-6)
    np.testing.assert_allclose(found.positions, frame.positions, atol=1e-6)
    np.testing.assert_allclose(found.energies, frame.energies, atol=1e-7)
    np.testing.assert_allclose(found.forces, frame.forces, atol=1e-9)
    np.testing.assert_allclose(found.virials, frame.virials, atol=1e-5)


def test_cp2k_tilted_cell_keeps_six_decimals(tmp_path):
    """Vectors are printed with three decimals, lengths and angles with six."""
    cell = np.array([[22.3456784, 0.0, 0.0], [-3.2104567, 21.8765432, 0.0], [0.4567894, 1.2345678, 23.1234561]])
    lengths = np.linalg.norm(cell, axis=1)
    lines = CP2K.read_text().split("\n")
    at = next(i for i, line in enumerate(lines) if "CELL| Vector a" in line)
    for k, letter in enumerate("abc"):
        vector = " ".join(f"{x:9.3f}" for x in cell[k])
        lines[at + k] = f" CELL| Vector {letter} [angstrom]:   {vector}   |{letter}| = {lengths[k]:12.6f}"
        i, j = [x for x in range(3) if x != k]
        angle = np.degrees(np.arccos(cell[i] @ cell[j] / lengths[i] / lengths[j]))
        lines[at + 3 + k] = (
            f" CELL| Angle ({'abc'[i]},{'abc'[j]}), {('alpha', 'beta ', 'gamma')[k]} [degree]: {angle:12.6f}"
        )
    path = tmp_path / "run.out"
    path.write_text("\n".join(lines))
    (found,) = load_systems(path)
    lengths_found = np.linalg.norm(found.cells[0], axis=1)
    np.testing.assert_allclose(lengths_found, lengths, atol=1e-6)
    np.testing.assert_allclose(found.cells[0], cell, atol=5e-4)
    np.testing.assert_allclose(found.cells[0] @ found.cells[0].T, cell @ cell.T, atol=2e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SCF run converged", "SCF run NOT converged", "did not converge"),
        ("PROGRAM ENDED AT", "", "cut off"),
        ("ATOMIC FORCES in", "", "prints no forces"),
        ("ENERGY| Total FORCE_EVAL", "ENERGY| Total FORCE_EVAL 1\n ENERGY| Total FORCE_EVAL", "holds 2 energies"),
    ],
)
def test_cp2k_unusable_runs(tmp_path, old, new, message):
    path = tmp_path / "run.out"
    path.write_text(CP2K.read_text().replace(old, new))
    with pytest.raises(FramesError, match=rf"run\.out.*{message}"):
        load_systems(path)


def test_cp2k_without_stress_says_so(tmp_path, caplog):
    path = tmp_path / "run.out"
    path.write_text(CP2K.read_text().split(" STRESS|")[0] + " PROGRAM ENDED AT\n")
    (found,) = load_systems(path)
    assert found.virials is None
    assert "has no virial" in caplog.text


def test_cp2k_stress_in_bar(tmp_path):
    """CP2K 2024 prints bar where 2023 prints GPa."""
    path = tmp_path / "run.out"
    path.write_text(CP2K.read_text().replace("tensor [GPa]", "tensor [bar]"))
    np.testing.assert_allclose(load_systems(path)[0].virials * 1e4, load_systems(CP2K)[0].virials)


def test_folder_names_and_type_map(tmp_path):
    for name in ("b", "a"):
        w.write_npy(w.small_system(), tmp_path / "data" / name)
    found = load_systems(tmp_path / "data", ["Sb", "Te", "Ge"])
    assert [s.name for s in found] == ["data/a", "data/b"]
    assert found[0].type_map == ("Sb", "Te", "Ge")
    assert found[0].types.tolist() == [2, 2, 1, 1, 1, 1]


def test_deepmd_folders_hide_copies_beside_them(tmp_path):
    w.write_npy(w.small_system(), tmp_path / "a")
    w.write_extxyz(w.small_system(), tmp_path / "copy.xyz")
    assert [s.n_frames for s in load_systems(tmp_path)] == [4]


def test_same_source_named_twice_is_read_once(tmp_path, monkeypatch):
    w.write_npy(w.small_system(), tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert len(load_systems([tmp_path, "a", "*"])) == 1


def test_equal_names_are_made_distinct(tmp_path):
    paths = [w.write_npy(w.small_system(seed=k), tmp_path / part / "a") for k, part in enumerate("xy")]
    assert [s.name for s in load_systems(paths)] == ["a#1", "a#2"]


def test_type_map_by_order_of_appearance(tmp_path):
    w.write_npy(w.small_system(type_map=("Sb", "Te")), tmp_path / "a")
    w.write_npy(w.small_system(type_map=("Ge", "Sb")), tmp_path / "b")
    assert load_systems(tmp_path)[1].type_map == ("Sb", "Te", "Ge")


def test_labels_of_a_teacher_are_marked_and_apart(tmp_path):
    w.write_npy(w.small_system(), tmp_path / "dft")
    (w.write_npy(w.small_system(), tmp_path / "soft") / "label.raw").write_text("teacher:nep\n")
    dft, soft = load_systems(tmp_path)
    assert (dft.label, soft.label) == ("dft", "teacher:nep")
    assert dft.dataset != soft.dataset


def test_datasets_by_parent_folder_or_reference(tmp_path):
    for name in ("one/a", "one/b", "two/a", "three/a"):
        w.write_npy(w.small_system(), tmp_path / name)
    for name in ("two", "three/a"):
        (tmp_path / name / "reference.raw").write_text("PBE\n")
    a, b, three, two = load_systems(tmp_path)
    assert a.dataset == b.dataset == str(tmp_path / "one")
    assert two.dataset == three.dataset == "PBE"


def test_runs_of_one_code_are_one_dataset(tmp_path):
    """One frame a file: shifts by file would leave nothing to learn of energies."""
    for k in range(3):
        (tmp_path / str(k)).mkdir()
        w.write_outcar(w.small_system(1, seed=k), tmp_path / str(k) / "OUTCAR")
    w.write_vasprun(w.small_system(1, seed=4), tmp_path / "0" / "vasprun.xml")
    w.write_extxyz(w.small_system(1, seed=5), tmp_path / "other.xyz")
    (tmp_path / "2/reference.raw").write_text("SCAN")
    datasets = {s.name.removeprefix(tmp_path.name + "/"): s.dataset for s in load_systems(tmp_path)}
    assert datasets["0/OUTCAR"] == datasets["0/vasprun.xml"] == datasets["1/OUTCAR"] == "vasp runs"
    assert datasets["2/OUTCAR"] == "SCAN"
    assert datasets["other"] == str(tmp_path / "other.xyz")


def test_type_map_that_lacks_an_element(tmp_path):
    path = w.write_npy(w.small_system(), tmp_path / "a")
    with pytest.raises(FramesError, match="a: has Te, which the type map Ge Sb lacks"):
        load_systems(path, ["Ge", "Sb"])


def test_folder_without_element_names(tmp_path):
    system = w.small_system()
    path = w.write_npy(system, tmp_path / "a")
    (path / "type_map.raw").unlink()
    with pytest.raises(FramesError, match=r"no type_map\.raw"):
        load_systems(path)
    assert load_systems(path, ["Ge", "Te"])[0].symbols == system.symbols
    with pytest.raises(FramesError, match=r"type\.raw: type 1 is outside the type map Ge"):
        load_systems(path, ["Ge"])


@pytest.mark.parametrize("name", ["coord", "box", "energy", "force"])
def test_missing_array(tmp_path, name):
    path = w.write_npy(w.small_system(), tmp_path / "a")
    (path / f"set.000/{name}.npy").unlink()
    with pytest.raises(FramesError, match=rf"set\.000/{name}\.npy: is missing"):
        load_systems(path)


def test_array_of_wrong_size(tmp_path):
    path = w.write_npy(w.small_system(), tmp_path / "a")
    force = np.load(path / "set.000/force.npy")
    np.save(path / "set.000/force.npy", force[:, :-3])
    with pytest.raises(FramesError, match=r"force\.npy: holds 60 numbers, not 4 frames x 18"):
        load_systems(path)


def test_truncated_array(tmp_path):
    path = w.write_npy(w.small_system(), tmp_path / "a")
    array = path / "set.000/coord.npy"
    array.write_bytes(array.read_bytes()[:-20])
    with pytest.raises(FramesError, match=r"coord\.npy: is damaged or truncated"):
        load_systems(path)


def test_virial_in_some_sets_only(tmp_path):
    path = w.write_npy(w.small_system(), tmp_path / "a", sets=2)
    (path / "set.001/virial.npy").unlink()
    with pytest.raises(FramesError, match=r"set\.001: virial\.npy is missing"):
        load_systems(path)


def test_nothing_there(tmp_path):
    with pytest.raises(FramesError, match="no such file"):
        load_systems(tmp_path / "nowhere")
    with pytest.raises(FramesError, match="no frames in it"):
        load_systems(tmp_path)
    with pytest.raises(FramesError, match="no data was named"):
        load_systems([])
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FramesError, match=r"notes\.txt: not a format"):
        load_systems(tmp_path / "notes.txt")


def test_garbage_in_every_format(tmp_path):
    for name in ("a.xyz", "OUTCAR", "vasprun.xml", "b.out"):
        path = tmp_path / name
        path.write_text("CP2K| garbage\n" * 5)
        with pytest.raises(FramesError, match=name):
            load_systems(path)


def test_shipped_data_loads_and_shares_a_reference():
    systems = load_systems([ROOT / "data" / name for name in ("gete-cp2k", "sb-cp2k", "gst-cp2k")], ["Ge", "Sb", "Te"])
    assert sum(s.n_frames for s in systems) >= 60
    assert len({s.dataset for s in systems}) == 1
    assert all(s.virials is not None for s in systems)


def test_selection_and_renaming_keep_labels_together():
    system = w.small_system()
    part = system.select([2, 0], name="part")
    assert part.name == "part"
    assert_same(
        part,
        replace(
            system, **{k: getattr(system, k)[[2, 0]] for k in ("cells", "positions", "energies", "forces", "virials")}
        ),
    )
    assert system.formula == "Ge2Te4"

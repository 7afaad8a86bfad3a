"""Reference curves from text files, folders and labeled frames."""

import numpy as np
import pytest

from nvnmd.pcm.structures import crystal
from nvnmd.report import ReportError
from nvnmd.report.blocks import Table
from nvnmd.report.references import read_reference
from nvnmd.report.run import Run
from nvnmd.report.sections.structure import structure

CURVES = {
    "space.txt": "0.5 0\n1.5 2e0\n2.5 1\n",
    "comma.csv": "r,g\n0.5,0\n1.5,2.0\n2.5,1.0\n",
    "semi.dat": "# r; g\n0.5; 0\n1.5;2\n2.5;1\n",
}


@pytest.mark.parametrize("form", CURVES)
def test_two_columns_in_any_usual_form(tmp_path, form):
    path = tmp_path / f"Ge-Te-{form}"
    path.write_text(CURVES[form])
    reference = read_reference(f"amorphous:{path}=AIMD")
    assert (reference.phase, reference.label) == ("amorphous", "AIMD")
    r, g = reference.curve(("Te", "Ge"))
    np.testing.assert_allclose(r, [0.5, 1.5, 2.5])
    np.testing.assert_allclose(g, [0, 2, 1])


def test_folder_of_curves_names_pairs_and_phase(tmp_path):
    folder = tmp_path / "liquid" / "rdf"
    folder.mkdir(parents=True)
    for name in ("Ge-Ge.txt", "GeTe.csv", "g_Te-Te_aimd.dat", "total.txt", "readme.md"):
        (folder / name).write_text(CURVES["space.txt"])
    reference = read_reference(str(folder))
    assert reference.phase == "liquid"
    assert set(reference.curves) == {("Ge", "Ge"), ("Ge", "Te"), ("Te", "Te")}


def write_frames(folder):
    atoms = crystal("GeTe", 8)
    frames = 3
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text("\n".join("0" if s == "Ge" else "1" for s in atoms.get_chemical_symbols()))
    (folder / "type_map.raw").write_text("Ge\nTe\n")
    np.save(folder / "set.000/coord.npy", np.tile(atoms.positions.ravel(), (frames, 1)))
    np.save(folder / "set.000/box.npy", np.tile(atoms.cell.array.ravel(), (frames, 1)))
    np.save(folder / "set.000/energy.npy", np.full(frames, -30.0))
    np.save(folder / "set.000/force.npy", np.full((frames, 24), 0.1))


def test_labeled_frames_give_their_own_rdf(tmp_path):
    write_frames(tmp_path / "crystal")
    reference = read_reference(f"liquid:{tmp_path / 'crystal'}=CP2K")
    assert reference.label == "CP2K: mean over 3 frames of 8 atoms"
    r, g = reference.curve(("Ge", "Te"))
    assert r[np.argmax(g)] == pytest.approx((8 / 0.0337) ** (1 / 3) / 2, abs=0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none/Ge-Te.txt", "say which phase it is, as in amorphous:none/Ge-Te.txt"),
        ("liquid-amorphous/Ge-Te.txt", "say which phase it is"),
        ("liquid:none/Ge-Te.txt", "none/Ge-Te.txt: there is no such reference"),
    ],
)
def test_unclear_references(text, message):
    with pytest.raises(ReportError, match=message):
        read_reference(text)


def test_files_without_a_pair_or_without_numbers(tmp_path):
    (tmp_path / "total.txt").write_text(CURVES["space.txt"])
    with pytest.raises(ReportError, match="no file name says a pair of elements"):
        read_reference(f"liquid:{tmp_path / 'total.txt'}")
    (tmp_path / "Ge-Te.txt").write_text("nothing\n")
    with pytest.raises(ReportError, match="no two columns of numbers"):
        read_reference(f"liquid:{tmp_path / 'Ge-Te.txt'}")


def test_agreement_stands_in_the_report(tmp_path, run_folder):
    r = np.linspace(0.025, 9, 360)
    for pair in ("Ge-Ge", "Ge-Te", "Te-Te"):
        np.savetxt(tmp_path / f"{pair}.txt", np.stack([r, np.full_like(r, 1000.0)], axis=1))
    reference = read_reference(f"amorphous:{tmp_path}=flat")
    tables = [block for block in structure(Run(run_folder, [reference])).blocks if isinstance(block, Table)]
    (row,) = next(table for table in tables if "Reference" in table.columns).rows
    assert row[:2] == ["amorphous", "flat"]
    assert all(990 < float(cell) < 1000 for cell in row[2:])

"""Reference curves other than RDFs: which kind, which columns, and how they are compared."""

import json

import numpy as np
import pytest

from nvnmd.report import ReportError
from nvnmd.report.blocks import Figure, Missing, Table
from nvnmd.report.curves import comparisons, curve_kind, read_curves
from nvnmd.report.pcm import FolderRun


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("amorphous:sq:/data/neutrons.csv=experiment", "sq"),
        ("liquid-adf.csv", "adf"),
        ("amorphous:run/analysis/amorphous-coordination.csv", "coordination"),
        ("density_of_T.csv", "density"),
        ("amorphous:rdf/Ge-Te.txt=AIMD", None),
        ("liquid:Ge-Te.csv", None),
    ],
)
def test_kind_is_said_or_stands_in_the_name(text, kind):
    assert curve_kind(text) == kind


@pytest.fixture
def run(tmp_path):
    """A run with two stages and a few analyzed curves."""
    folder = tmp_path / "run"
    (folder / "analysis").mkdir(parents=True)
    stages = [{"name": "hot", "sample": "liquid"}, {"name": "glass", "sample": "amorphous"}]
    (folder / "md.json").write_text(json.dumps({"material": "GeTe", "stages": stages}))
    rows = "\n".join(f"{x},{0.1 * x},{0.2 * x}" for x in range(11))
    for name in ("hot-adf", "glass-adf"):
        (folder / "analysis" / f"{name}.csv").write_text(f"angle_deg,Ge,Te\n{rows}\n")
    (folder / "analysis/glass-density.csv").write_text("temperature_K,g_per_cm3,spread\n300,5.6,0.1\n400,5.4,0.1\n")
    return FolderRun(folder)


def tables(section):
    return [row for block in section.blocks if isinstance(block, Table) for row in block.rows]


def test_columns_are_found_by_name_and_phase(tmp_path, run):
    path = tmp_path / "x.csv"
    path.write_text("# angle; Te; Ge\n2; 0.4; 0.7\n8; 1.6; 0.8\n")
    section = comparisons(run, [read_curves(f"amorphous:adf:{path}=DFT")])
    rows = tables(section)
    assert [row[:3] for row in rows] == [["glass", "Ge", "DFT"], ["glass", "Te", "DFT"]]
    # Te lies on the curve; the straight line of Ge is 0.5 above it at 2, and as high at 8.
    assert float(rows[1][3]) == pytest.approx(0, abs=1e-9)
    assert float(rows[0][3]) == pytest.approx(0.25)
    assert rows[0][4] == "2.00 to 8.00"
    assert sum(isinstance(block, Figure) for block in section.blocks) == 1


def test_a_single_column_is_named_by_its_file_or_is_the_only_one(tmp_path, run):
    (tmp_path / "adf-Te.dat").write_text("0 1\n10 3\n")
    rows = tables(comparisons(run, [read_curves(str(tmp_path / "adf-Te.dat"))]))
    assert [row[:2] for row in rows] == [["hot", "Te"], ["glass", "Te"]]
    assert float(rows[0][3]) == pytest.approx(1.0)
    (tmp_path / "density.csv").write_text("300 5.5\n400 5.3\n")
    (row,) = tables(comparisons(run, [read_curves(str(tmp_path / "density.csv"))]))
    assert row[1] == "g_per_cm3"
    assert float(row[3]) == pytest.approx(0.1)


def test_pairs_are_found_in_either_order(tmp_path):
    (tmp_path / "sq.csv").write_text("q,Ge-Te\n1,2\n2,3\n")
    x, y = read_curves(f"liquid:{tmp_path / 'sq.csv'}").column("Te-Ge", alone=False)
    np.testing.assert_array_equal([x, y], [[1, 2], [2, 3]])


def test_a_curve_that_the_run_lacks_is_named(tmp_path, run):
    (tmp_path / "rings.csv").write_text("size,per_atom\n3,0.1\n4,0.2\n")
    (block,) = comparisons(run, [read_curves(f"{tmp_path / 'rings.csv'}=paper")]).blocks
    assert isinstance(block, Missing)
    assert "paper" in block.what


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("adf.csv", "1 2 3\n2 3 4\n", "no names; give it a head line"),
        ("adf.csv", "nothing\n", "no table of numbers"),
        ("adf.csv", "1,2\n2,3,4\n", "no table of numbers"),
        ("other.csv", None, "no such reference"),
    ],
)
def test_files_that_are_no_curves(tmp_path, name, text, message):
    if text:
        (tmp_path / name).write_text(text)
    with pytest.raises(ReportError, match=message):
        read_curves(f"adf:{tmp_path / name}")

"""The page of a series: sizes and their fluctuations, interfaces and where melting is."""

import json

import numpy as np
import pytest

from nvnmd.report import ReportError
from nvnmd.report.pcm_series import write_series_report

ROWS = 400


def make_run(folder, atoms, end_K=500.0, analysis=None):
    """A run with one held stage whose deviations shrink as 1/sqrt(atoms)."""
    (folder / "analysis").mkdir(parents=True)
    draw = np.random.default_rng(atoms).normal(size=(ROWS, 3)) / np.sqrt(atoms)
    values = np.array([end_K, 1000.0, -3.0 * atoms]) + draw * (400, 2000, 0.3 * atoms)
    lines = ["nvnmd session", "nvnmd stage hot", "Step Temp Press PotEng"]
    lines += [f"{k} {' '.join(f'{x:.6f}' for x in row)}" for k, row in enumerate(values)]
    lines += [f"Loop time of 1.0 on 1 procs for {ROWS} steps with {atoms} atoms"]
    (folder / "log.lammps").write_text("\n".join(lines) + "\n")
    stage = {"name": "hot", "start_K": end_K, "end_K": end_K, "sample": "liquid"}
    (folder / "md.json").write_text(json.dumps({"material": "GeTe", "atoms": atoms, "stages": [stage]}))
    (folder / "analysis/hot.json").write_text(json.dumps({"stage": "hot"} | (analysis or {})))


def test_sizes_are_compared(tmp_path):
    for atoms in (64, 512, 4096):
        make_run(tmp_path / f"{atoms}_atoms", atoms, analysis={"wrong_share": 0.25})
    page = write_series_report(tmp_path, tmp_path / "kept").read_text()
    assert "GeTe: 3 runs" in page
    text = (tmp_path / "kept/README.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| hot")]
    assert [row[2].strip() for row in rows] == ["64", "512", "4\u2009096"]
    assert float(rows[0][4]) == pytest.approx(50, rel=0.15)
    assert float(rows[0][5]) == pytest.approx(500 * np.sqrt(2 / 192), rel=0.02)
    drawn = (tmp_path / "kept/fluctuations-against-the-number-of-atoms.svg").read_text()
    assert "hot: −0.5" in drawn or "hot: −0.4" in drawn
    assert "0.250" in text


def test_melting_is_where_the_velocity_changes_its_sign(tmp_path):
    for kelvin, velocity in ((700, 4.0), (800, 1.0), (900, -3.0)):
        found = {"growth_m_per_s": {"velocity": velocity, "error": 0.5}}
        make_run(tmp_path / f"{kelvin}K", 512, float(kelvin), found)
    assert "is zero at 825 K" in write_series_report(tmp_path).read_text()


def test_one_run_is_no_series(tmp_path):
    make_run(tmp_path / "a", 64)
    with pytest.raises(ReportError, match="no two runs"):
        write_series_report(tmp_path)

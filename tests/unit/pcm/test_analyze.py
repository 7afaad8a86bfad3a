"""The measures of a stage as files: numbers, curves, and what could not be measured."""

import csv
import json

import numpy as np
import pytest

from nvnmd.pcm import analyze
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import last_frame, read_dump


def write_dump(path, frames):
    with path.open("w") as file:
        for frame in frames:
            edge = frame.cell[0, 0]
            file.write(f"ITEM: TIMESTEP\n{frame.step}\nITEM: NUMBER OF ATOMS\n{len(frame.symbols)}\n")
            file.write("ITEM: BOX BOUNDS pp pp pp\n" + f"0 {edge}\n" * 3 + "ITEM: ATOMS id type element xu yu zu\n")
            for k, (symbol, point) in enumerate(zip(frame.symbols, frame.positions, strict=True), 1):
                file.write(f"{k} 1 {symbol} {point[0]:.5f} {point[1]:.5f} {point[2]:.5f}\n")


@pytest.fixture
def folder(tmp_path, lattice):
    frames = [lattice("rocksalt", 3, 6.0, ("Ge", "Te"), noise=0.03, seed=k) for k in range(7)]
    frames = [type(f)(f.positions, f.cell, f.symbols, 50 * k) for k, f in enumerate(frames)]
    write_dump(tmp_path / "glass.lammpstrj", frames)
    stage = {"name": "glass", "file": "glass.lammpstrj", "sample": "amorphous"}
    record = {"material": "GeTe", "atoms": 216, "settings": {"timestep_fs": 2.0}, "stages": [stage]}
    (tmp_path / "md.json").write_text(json.dumps(record))
    return tmp_path


def test_numbers_and_curves_are_written(folder, monkeypatch):
    chosen = {name: analyze._MEASURES[name] for name in ("RDF", "bonds", "ALTBC", "crystallinity", "diffusion")}
    monkeypatch.setattr(analyze, "_MEASURES", chosen)
    seen = []
    result = analyze.analyze_stage(folder, "glass", seen.append)
    assert seen == list(chosen)
    path = analyze.write_result(folder, result)
    numbers = json.loads(path.read_text())
    assert numbers["crystallinity_q4"] == 1
    assert numbers["wrong_share"] == 0
    assert abs(numbers["coordination"]["Ge-Te"] - 6) < 0.2
    assert "too few" in numbers["not_measured"]["diffusion"]
    with (folder / "analysis/glass-rdf.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["r_A", "Ge-Ge", "Ge-Te", "Te-Te"]
    peak = max(rows, key=lambda row: float(row["Ge-Te"]))
    assert abs(float(peak["r_A"]) - 3.0) < 0.2


def test_measures_of_files_beside_the_frames(folder, monkeypatch):
    chosen = {name: analyze._MEASURES[name] for name in ("viscosity", "growth", "density")}
    monkeypatch.setattr(analyze, "_MEASURES", chosen)
    generator = np.random.default_rng(0)
    rows = [[5 * k, *generator.normal(0, 1000, 3), 1000.0, 6000.0] for k in range(5000)]
    np.savetxt(folder / "glass.stress", rows)
    lines = ["nvnmd stage glass", "Step Temp Volume", *(f"{k} {300 + k} {6000 + k}" for k in range(0, 400, 10))]
    (folder / "log.lammps").write_text(
        "\n".join([*lines, "Loop time of 1 on 1 procs for 400 steps with 216 atoms", ""])
    )
    record = json.loads((folder / "md.json").read_text()) | {"regions": {"seed": {}}}
    (folder / "md.json").write_text(json.dumps(record))
    result = analyze.analyze_stage(folder, "glass")
    assert result.numbers["not_measured"] == {}
    # White noise: the trapezoidal integral is half a spacing times the variance, V / (k_B T) * 1e12 Pa^2 * 5 fs.
    exact = 6e-27 / (1.380649e-23 * 1000) * 1e16 * 5e-15 * 1e3
    assert abs(result.numbers["viscosity_mPas"]["value"] - exact) < 5 * result.numbers["viscosity_mPas"]["error"]
    assert abs(result.numbers["growth_m_per_s"]["velocity"]) < 1
    density = result.curves["density"]["g_per_cm3"]
    assert abs(density[0] - 216 * (72.63 + 127.6) / 2 * 1.66054 / 6010) < 0.02


def test_frames_are_spread_and_end_with_the_last(folder):
    path = folder / "glass.lammpstrj"
    assert [f.step for f in analyze.spread_frames(path, 3)] == [0, 150, 300]
    assert [f.step for f in analyze.spread_frames(path, 2)] == [100, 300]
    assert [f.step for f in analyze.spread_frames(path, 99)] == list(range(0, 350, 50))
    assert last_frame(path).step == 300
    with path.open("a") as file:
        file.write("ITEM: TIMESTEP\n350\nITEM: NUMBER OF ATOMS\n")
    assert last_frame(path).step == 300
    np.testing.assert_array_equal(last_frame(path).positions, list(read_dump_until(path, 300))[-1].positions)


def read_dump_until(path, step):
    for frame in read_dump(path):
        yield frame
        if frame.step == step:
            return


def test_what_is_not_there(folder, tmp_path):
    with pytest.raises(PcmError, match="has no stage 'melt'"):
        analyze.analyze_stage(folder, "melt")
    (tmp_path / "empty.lammpstrj").touch()
    with pytest.raises(PcmError, match="no frame"):
        last_frame(tmp_path / "empty.lammpstrj")

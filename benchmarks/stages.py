"""What the time of pair_style nvnmd is made of: shares of the stages, sampled with `perf` (Linux) in a run of one core.

    python benchmarks/stages.py --plugin build/editable-cp311-cp311-linux_x86_64/lammps_plugin/nvnmdplugin.so
    python benchmarks/stages.py --plugin ... --atoms 3888 --steps 100                              a quick look

The installed plugin has no symbols; --plugin names the same file as it was built, before installation stripped it. The
crystal and settings are those of md.py, except that steps are fewer. Of samples inside LAMMPS there are 499 in a second
of CPU time: a share of 10 % of 3000 samples is known to about half a percent.

Prints a table and writes results/stages.json.
"""

from __future__ import annotations

import argparse
import bisect
import collections
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lammps_run import CELLS, crystal, find_model, model_option
from records import machine, versions, write_record

INPUT = """\
{crystal}pair_style nvnmd {model}
pair_coeff * * Ge Te
neighbor 1.0 bin
neigh_modify every 10 delay 0 check no
velocity all create 300 9
fix 1 all nve
timestep 0.001
run {steps}
"""
STAGES = {
    "fitting network, forward": r"simd::product<.*::forward\(",
    "fitting network, backward": r"simd::product<.*::backward\(",
    "fitting network, the rest": r"AtomStage<.*>::network\(",
    "tables and environment matrix": r"NeighborStage<",
    "descriptor": r"AtomStage<.*>::descriptor\(",
    "gradient of the descriptor, sums over channels": r"AtomStage<.*>::contract_back\(",
    "pair forces": r"ForceStage<",
    "sums of forces and energies": r"ForceDriver::|add_forces",
    "packing neighbor words": r"pack_avx512|NeighborList::pack|Packer",
    "portable kernel (batches with clipped words)": r"PortableKernel",
    "neighbor list of LAMMPS": r"NPair|NBin|Neighbor::",
    "rest of LAMMPS and system": r"",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model_option(parser)
    parser.add_argument("--plugin", type=Path, required=True, help="nvnmdplugin.so with its symbols")
    parser.add_argument("--atoms", type=int, default=32400, choices=sorted(CELLS))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--note", default="", help="a remark that the record keeps, for example on other load")
    return parser.parse_args()


def output(*command: str, folder: Path | None = None) -> str:
    """What a program prints; ends this one with its last words if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {(done.stderr + done.stdout).strip()[-300:]}")
    return done.stdout


def functions(plugin: Path) -> tuple[list[int], list[str]]:
    """Addresses and names of the plugin's functions."""
    rows = [line.split(maxsplit=2) for line in output("nm", "-C", "--defined-only", str(plugin)).splitlines()]
    code = sorted((int(row[0], 16), row[2]) for row in rows if len(row) == 3 and row[1] in "tTwW")
    return [address for address, _ in code], [name for _, name in code]


def samples(plugin: Path, text: str) -> collections.Counter[str]:
    """Samples by the name of the function."""
    addresses, names = functions(plugin)
    lmp = Path(sys.executable).with_name("lmp")
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.lmp").write_text(text)
        run = (sys.executable, str(lmp), "-in", "in.lmp", "-log", "none", "-screen", "none")
        output("perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-o", "data", "--", *run, folder=folder)
        fields = ("--no-children", "--stdio", "-g", "none", "-F", "sample,dso,sym", "--comm", "lmp")
        report = output("perf", "report", "-i", "data", *fields, folder=folder)
    for line in report.splitlines():
        words = line.split(maxsplit=3)
        if len(words) < 4 or not words[0].isdigit():
            continue
        function = words[3]
        if plugin.name in words[1] and function.startswith("0x"):
            function = names[bisect.bisect(addresses, int(function, 16)) - 1]
        # Python starts the program under the name of the script; its own work is no part of the run.
        if "libpython" not in words[1]:
            found[function] += int(words[0])
    return found


def by_stage(found: collections.Counter[str]) -> dict[str, int]:
    """Samples by stage."""
    counts = dict.fromkeys(STAGES, 0)
    for function, count in found.items():
        counts[next(stage for stage, pattern in STAGES.items() if re.search(pattern, function))] += count
    return counts


def main() -> None:
    """Sample, print, write."""
    options = arguments()
    model = find_model(options.model)
    if not options.plugin.is_file():
        sys.exit(f"{options.plugin}: no such file")
    text = INPUT.format(crystal=crystal(options.atoms), model=model, steps=options.steps)
    counts = by_stage(samples(options.plugin.resolve(), text))
    total = sum(counts.values())
    for stage, count in counts.items():
        print(f"{stage:<50}{100 * count / total:6.1f} %")
    record = {"atoms": options.atoms, "steps": options.steps, "samples": total, "counts": counts}
    common = {"machine": machine(), "versions": versions("nvnmd", "lammps"), "model": model.name, "note": options.note}
    print(f"written to {write_record('stages', {**common, **record})}")


if __name__ == "__main__":
    main()

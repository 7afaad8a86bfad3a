"""What a pulse costs: as it ran, and extrapolated to a whole pulse here, on 64 cores and on the simulated card.

    python benchmarks/pulse.py RUN --model MODEL -o docs/results/NAME/cost.json

Only the first line of the table is measured. The others multiply a rate with the steps that the run's settings plan:

    core      processor time of the run's last session on one core: wall time says little where others compute too;
    64 cores  the model of predict.py, from results/scaling.json: one core's cost, two ranks' efficiency, communication;
    card      cycles of the RTL in the cycle simulator at an assumed clock, PCIe and host included (`nvnmd simulate`),
              for a piece of the same cell; atoms go through the card one by one, so that the rate is that of any size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from predict import measured, predict
from records import RESULTS, machine

from nvnmd.pcm.record import read_record
from nvnmd.pcm.settings import read_settings
from nvnmd.pcm.structures import crystal, material, write_data


def card_rate_s(model: Path, name: str, form: Any) -> float:
    """Seconds per step and atom of the letter's configuration, simulated."""
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / "piece.data"
        write_data(piece, crystal(name, repeats=(5, 3, 2), form=form), material(name).elements)
        command = [
            sys.executable,
            "-m",
            "nvnmd",
            "simulate",
            str(model),
            str(piece),
            "--configuration",
            "letter",
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["seconds_per_step_per_atom"])


def costs(folder: Path, model: Path) -> dict[str, Any]:
    """Measured steps and rate of a run, and the time of its whole pulse and of all its stages elsewhere."""
    record, settings = read_record(folder), read_settings(folder / "md.yaml")
    if record is None:
        sys.exit(f"{folder}: there is no run here")
    plan = settings.plan()
    pulse = sum(s.last_step - s.first_step for s in plan if s.settings.heat)
    atoms, total = record["atoms"], record["total"]
    core_s, efficiency = measured(json.loads((RESULTS / "scaling.json").read_text())["records"])
    many = predict(atoms, 1, 64, core_s, efficiency)
    form = "trigonal" if settings.start == "cross-point" else "rocksalt"
    last = record["sessions"][-1]
    rates = {
        "one core, as measured": last["cpu_s"] / ((record["step"] - last["first_step"]) * atoms),
        "64 cores, predicted": 1e-3 * (many.compute_ms + many.exchange_ms) / atoms,
        "one card, simulated": card_rate_s(model, settings.material, form),
    }
    steps = {"whole pulse": pulse, "all stages": plan[-1].last_step}
    return {
        "atoms": atoms,
        "steps_run": record["step"],
        "loop_s": total["wall_s"],
        "last_session": last,
        "planned_steps": steps,
        "s_per_step_per_atom": rates,
        "extrapolated_s": {name: {w: r * atoms * n for w, r in rates.items()} for name, n in steps.items()},
        "machine": machine(),
    }


def main() -> None:
    """Print the table and write it as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("-o", "--output", type=Path)
    given = arguments.parse_args()
    found = costs(given.run, given.model)
    print(f"{found['atoms']:,} atoms, {found['steps_run']:,} steps in {found['loop_s']:.0f} s of LAMMPS's loop")
    for name, rate in found["s_per_step_per_atom"].items():
        times = ", ".join(f"{what} {t[name] / 60:.1f} min" for what, t in found["extrapolated_s"].items())
        print(f"{name:22} {1e9 * rate:8.1f} ns/step/atom   {times}")
    if given.output:
        given.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

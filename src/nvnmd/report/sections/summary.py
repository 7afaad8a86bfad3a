"""The key numbers."""

from __future__ import annotations

from nvnmd.report.blocks import Missing, Number, Numbers, Section, Text
from nvnmd.report.run import Run
from nvnmd.report.text import count, fixed, scientific


def summary(run: Run) -> Section:
    """What a reader in a hurry wants to know."""
    numbers = [*_accuracy(run), *_dynamics(run)]
    section = Section("summary", "Summary", [Text(_sentence(run))])
    section.blocks.append(
        Numbers(numbers) if numbers else Missing("evaluations and molecular dynamics", "evaluate/, md/")
    )
    return section


def _sentence(run: Run) -> str:
    elements = " and ".join(run.integer_header["type_map"]) if run.integer_header else "the material"
    text = f"A deep potential for {elements}, trained in FP32 and fine-tuned to one integer model"
    if run.md is None:
        return f"{text}."
    stages = " → ".join(stage["name"] for stage in run.md["settings"]["stages"])
    return f"{text}, which then ran {count(run.md['atoms'])} atoms in LAMMPS: {stages}."


def _accuracy(run: Run) -> list[Number]:
    model = run.evaluations.get("integer")
    if model is None:
        return []
    part = model.test_part
    errors, before = model.parts[part], run.evaluations.get("float")
    numbers = []
    for name, key, unit, digits in (("Force", "force_rmse", "meV/Å", 0), ("Energy", "energy_rmse", "meV/atom", 1)):
        note = f"{part.replace(' ', '-')} frames"
        if before is not None and part in before.parts:
            reference = before.parts[part][key]
            ratio = errors[key] / reference
            note += f"; {ratio:.3f} × the float model's {fixed(reference, digits + 1, 1000)}"
        numbers.append(Number(fixed(errors[key], digits, 1000), unit, f"{name} RMSE, integer", note))
    return numbers


def _dynamics(run: Run) -> list[Number]:
    if run.md is None or "total" not in run.md:
        return []
    numbers = []
    total = run.md["total"]
    speed = total["s_per_step_per_atom"]
    ranks = sorted({session["ranks"] for session in run.md["sessions"]})
    if speed is not None:
        note = (
            f"{scientific(speed)} s; CPU backend, {' and '.join(map(str, ranks))} MPI rank{'s' if ranks != [1] else ''}"
        )
        numbers.append(Number(f"{speed * 1e6:.3g}", "µs/step/atom", "Speed in LAMMPS", note))
    time_ps = run.md["step"] * run.md["settings"]["timestep_fs"] / 1000
    numbers.append(Number(f"{time_ps:.3g}", "ps", f"Simulated, {count(run.md['atoms'])} atoms", run.md["status"]))
    clipped = [stage["clipped"]["clipped"] for stage in run.md["stages"] if stage["clipped"]]
    if clipped:
        numbers.append(
            Number(
                count(sum(clipped)),
                "words",
                "Clipped in the run",
                "changed by saturation, of all words of the integer model",
            )
        )
    return numbers

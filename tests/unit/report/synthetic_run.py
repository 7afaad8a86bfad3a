"""A small run folder with made-up numbers, written by the same writers as a real one where these are cheap."""

import json

import numpy as np

from nvnmd.pcm.lammps_input import SATURATING_STAGES, lammps_input, nvnmd_pair
from nvnmd.pcm.record import new_record, new_session, result, write_record
from nvnmd.pcm.settings import read_settings, write_settings
from nvnmd.pcm.start import prepare
from nvnmd.pcm.structures import crystal, random_packing
from nvnmd.pcm.thermo import read_log
from nvnmd.quantize.model_file import save_model as save_integer_model
from nvnmd.quantize.testing import random_model
from nvnmd.training.evaluation import Evaluated, Predicted, prediction_arrays, summary
from nvnmd.training.guard import Guard
from nvnmd.training.lcurve import Errors, LearningCurve
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.model_file import save_model as save_float_model
from nvnmd.training.system import System

SYSTEMS = (
    ("crystal", "train", 30),
    ("liquid", "train", 40),
    ("liquid#2", "held out", 10),
    ("amorphous", "held out", 12),
)
ATOMS = 64
FORCE_ERROR = {"float": 0.150, "integer": 0.1515}


def make_run(folder, parts=("train", "quantize", "evaluate", "md"), clipped=0):
    """Write the parts asked for; returns the folder."""
    makers = {"train": make_train, "quantize": make_quantize, "evaluate": make_evaluate, "md": make_md}
    for part in parts:
        (folder / part).mkdir(parents=True)
        makers[part](folder / part, *([clipped] if part in ("evaluate", "md") else []))
    return folder


def make_train(folder):
    settings = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": "se_e2_a", "rcut": 6.0, "rcut_smth": 2.0, "sel": [60], "neuron": [8, 16, 32]},
            "fitting_net": {"neuron": [128, 128, 128]},
        },
        "training": {"numb_steps": 4000, "seed": 1},
    }
    data = {key: [] for key in ("training_data", "validation_data")}
    for name, part, frames in SYSTEMS:
        key = "training_data" if part == "train" else "validation_data"
        data[key].append({"name": name, "frames": frames, "label": "dft", "sha256": f"{len(name):064x}"})
    shape = ModelShape(("Ge", "Te"), rcut=5.0, rcut_smth=2.0, sel=(40,), neuron=(4, 8), fitting_neuron=(8, 8))
    provenance = {"nvnmd": "0.1.0", "torch": "2.13.0", "settings": settings, "steps": 4000} | data
    save_float_model(DeepPot(shape, Guard.for_elements(["Ge", "Te"]), seed=1), folder / "model.safetensors", provenance)
    (folder / "input.json").write_text(json.dumps(settings))
    make_curve(folder / "lcurve.out", 4000, 1.5)


def make_curve(path, steps, start):
    generator, curve = np.random.default_rng(0), LearningCurve(path, validation=True, virial=False)
    for step in range(0, steps + 1, steps // 100):
        decay = 0.14 + start * np.exp(-6 * step / steps)
        noise = np.exp(generator.normal(0, 0.12, 4))
        rows = [Errors(decay * noise[k], 0.04 * decay * noise[k + 1], decay * noise[k + 2], np.nan) for k in (0, 1)]
        curve.write(step, rows[0], rows[1], 1e-3)
    curve.close()


def make_quantize(folder):
    save_integer_model(random_model(neuron=(16, 16)), folder / "model.nvnmd")
    make_curve(folder / "lcurve.out", 1000, 0.02)
    generator = np.random.default_rng(1)
    records = [
        {"stage": stage, "mode": mode, "force_rmse_meV_A": force, "energy_rmse_meV_atom": force / 50}
        for mode, stages in (("only", ["all", "tables", *SATURATING_STAGES]), ("all but", SATURATING_STAGES))
        for stage, force in zip(stages, np.exp(generator.normal(0, 1, len(stages))), strict=True)
    ]
    (folder / "stages.json").write_text(json.dumps(records))


def make_system(name, frames, generator):
    atoms = crystal("GeTe", 8)
    symbols = np.array(atoms.get_chemical_symbols())
    forces = generator.normal(0, 0.3 if name == "crystal" else 1.2, (frames, 8, 3))
    return System(
        name, ("Ge", "Te"), (symbols == "Te").astype(np.int64), np.repeat(atoms.cell.array[None], frames, axis=0),
        atoms.positions + generator.normal(0, 0.1, (frames, 8, 3)),
        8 * (-150.0 + generator.normal(0.02 if name == "crystal" else 0.25, 0.03, frames)), forces, None,
    )  # fmt: skip


def make_evaluate(folder, clipped):
    for kind, error in FORCE_ERROR.items():
        evaluated = []
        generator = np.random.default_rng(7)
        for name, part, frames in SYSTEMS:
            system = make_system(name, frames, generator)
            noise = generator.normal(0, 1, system.forces.shape)
            energies = system.energies + 8 * 0.004 * generator.normal(0, 1, frames)
            predicted = Predicted(energies, system.forces + error * noise, np.zeros((frames, 3, 3)))
            evaluated.append(Evaluated(system, predicted, part))
        (folder / kind).mkdir()
        errors = {"model": {"file": "model", "kind": kind, "sha256": "a1" * 32}} | summary(evaluated)
        if kind == "integer":
            errors["clipped"] = dict.fromkeys(SATURATING_STAGES, 0) | {"GRAD": clipped}
        (folder / kind / "evaluation.json").write_text(json.dumps(errors))
        np.savez_compressed(folder / kind / "predictions.npz", **prediction_arrays(evaluated))


def make_md(folder, clipped):
    stages = [
        {"name": "melt", "temperature_K": 2000, "time_ps": 1},
        {"name": "liquid", "temperature_K": 1200, "time_ps": 2, "sample": "liquid", "dump_every_ps": 0.4},
        {"name": "quench", "temperature_K": 300, "ramp": True, "time_ps": 3},
        {"name": "amorphous", "temperature_K": 300, "time_ps": 2, "sample": "amorphous", "dump_every_ps": 0.4},
    ]
    settings = read_settings(None, atoms=ATOMS, stages=stages)
    pair = nvnmd_pair("../quantize/model.nvnmd", ("Ge", "Te"))
    (folder / "md.yaml").write_text(write_settings(settings))
    (folder / "in.lmp").write_text(lammps_input(settings, pair, ("Ge", "Te")))
    (folder / "log.lammps").write_text("\n".join(log_lines(settings, pair.counters, clipped)) + "\n")
    for stage, build in zip(settings.plan()[1::2], (random_packing, crystal), strict=True):
        write_frames(folder / stage.dump_file, build("GeTe", ATOMS), range(stage.first_step, stage.last_step + 1, 200))
    model = folder.parent / "quantize/model.nvnmd"
    record = new_record(model if model.exists() else folder / "in.lmp", settings, prepare(settings))
    record["sessions"].append(new_session(2, ["-in", "in.lmp"], 0))
    write_record(folder, record | result(settings, read_log(folder / "log.lammps"), "complete"))


def log_lines(settings, counters, clipped):
    generator = np.random.default_rng(3)
    yield "nvnmd session"
    for stage in settings.plan():
        yield f"nvnmd stage {stage.name}"
        yield "   Step Time Temp Press PotEng KinEng TotEng Volume " + " ".join(counters)
        for step in range(stage.first_step, stage.last_step + 1, 25):
            ramp = (step - stage.first_step) / (stage.last_step - stage.first_step)
            kelvin = (stage.start_K + ramp * (stage.end_K - stage.start_K)) * (1 + 0.05 * generator.normal())
            energy = ATOMS * (-150 + 1.3e-4 * kelvin)
            counts = " ".join(str(clipped) if name in ("clipped", "clipped_GRAD") else "0" for name in counters)
            pressure = 3 * kelvin + generator.normal(0, 3000)
            yield f"{step} {step * 0.002} {kelvin} {pressure} {energy} 0 0 {ATOMS / 0.0337} {counts}"
        yield f"Loop time of 1.5 on 2 procs for {stage.last_step - stage.first_step} steps with {ATOMS} atoms"


def write_frames(path, atoms, steps):
    generator = np.random.default_rng(5)
    edge = atoms.cell.lengths()[0]
    with path.open("w") as file:
        for step in steps:
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {edge}\n" * 3 + "ITEM: ATOMS id type element xu yu zu\n")
            moved = atoms.positions + generator.normal(0, 0.25, (len(atoms), 3))
            for number, (symbol, (x, y, z)) in enumerate(
                zip(atoms.get_chemical_symbols(), moved, strict=True), start=1
            ):
                file.write(f"{number} 1 {symbol} {x:.4f} {y:.4f} {z:.4f}\n")

"""Several processes: the same result as one with the same batch, and clear errors."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from small_models import labeled_system, random_model, small_settings

from nvnmd.cli import app
from nvnmd.training.data import FrameStore
from nvnmd.training.loss import Prefactors, loss
from nvnmd.training.model_file import load_model
from nvnmd.training.parallel import ParallelError, Ranks
from nvnmd.training.setup import build_trainer, prepare_data


@pytest.fixture(scope="module")
def systems():
    """Systems of different sizes, one without virials."""
    teacher = random_model(seed=11)
    return [labeled_system(teacher, 4, 8, "a", seed=1), labeled_system(teacher, 3, 5, "b", seed=2, virials=False)]


def test_parts_of_a_batch_have_the_losses_and_gradients_of_the_whole(systems):
    model = random_model()
    store = FrameStore(systems, model.shape.type_map, model.cutoffs(), [np.zeros(2)] * 2, torch.float64)
    batch, prefactors = [0, 5, 2, 4, 6], Prefactors(2.0, 3.0, 4.0)

    def outcome(indices):
        model.zero_grad()
        frames = store.batch(indices)
        terms = loss(model(frames), frames, prefactors, store.counts(batch))
        terms.total.backward()
        return [
            *(p.grad.clone() for p in model.parameters()),
            *(getattr(terms, field.name).detach() for field in dataclasses.fields(terms)),
        ]

    whole = outcome(batch)
    parts = [outcome(Ranks(rank, 2).mine(batch)) for rank in range(2)]
    for expected, *found in zip(whole, *parts, strict=True):
        torch.testing.assert_close(sum(found), expected)


def test_a_batch_that_cannot_be_split_is_refused(systems, tmp_path):
    settings, data = small_settings(), prepare_data(systems)
    with pytest.raises(ParallelError, match=r"batch of 2 frames cannot be split among 3 processes; set .*batch_size"):
        build_trainer(random_model(), settings, data, tmp_path, ranks=_Pretended(0, 3))


class _Pretended(Ranks):
    def share(self, value):
        return value


def write_deepmd(system, folder):
    """A folder in deepmd/npy form."""
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text("\n".join(str(kind) for kind in system.types))
    (folder / "type_map.raw").write_text("\n".join(system.type_map))
    n = len(system.energies)
    arrays = {"box": system.cells, "coord": system.positions, "force": system.forces, "energy": system.energies}
    for name, values in arrays.items():
        np.save(folder / "set.000" / f"{name}.npy", values.reshape(n, -1) if name != "energy" else values)
    if system.virials is not None:
        np.save(folder / "set.000/virial.npy", system.virials.reshape(n, 9))


def test_two_processes_train_the_model_that_one_does(systems, tmp_path):
    """Through the command line and torchrun; the constant between two references is learned."""
    for system in systems:
        write_deepmd(system, tmp_path / system.name)
    (tmp_path / "b/reference.raw").write_text("another code")
    settings = small_settings(6, save_freq=4).model_dump(mode="json", exclude_none=True)
    settings["training"]["training_data"] = {"systems": ["a", "b"], "batch_size": 3}
    settings["nvnmd"]["precision"] = "float64"
    (tmp_path / "input.json").write_text(json.dumps(settings))
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "nvnmd", "-q"]
    arguments = ["train", str(tmp_path / "input.json"), "-o"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launch, *arguments, tmp_path / "two"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    app([*arguments, str(tmp_path / "one")], standalone_mode=False)
    assert {path.name for path in (tmp_path / "two").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}

    def numbers(folder):
        return load_model(tmp_path / folder / "model.safetensors").arrays()

    one, two = numbers("one"), numbers("two")
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-7, atol=1e-9 * np.abs(value).max(), err_msg=name)
    assert any((two[name] != value).any() for name, value in one.items()), "the sums were not split"
    curves = [np.loadtxt(tmp_path / folder / "lcurve.out") for folder in ("one", "two")]
    np.testing.assert_allclose(curves[1], curves[0], rtol=0.02)

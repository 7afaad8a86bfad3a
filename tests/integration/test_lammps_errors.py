"""What users of pair_style nvnmd can get wrong: one clear sentence, all ranks end."""

import pytest

START = "units metal\nread_data start.data\n"
STYLE = START + "pair_style nvnmd model.nvnmd\n"
READY = STYLE + "pair_coeff * *\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (START + "pair_style nvnmd", "Pair style nvnmd needs a model file: pair_style nvnmd FILE"),
        (START + "pair_style nvnmd missing.nvnmd", "Pair style nvnmd: missing.nvnmd: no such model file"),
        (START + "pair_style nvnmd start.data", "Pair style nvnmd: start.data: not a model file"),
        (START + "pair_style nvnmd model.nvnmd backend", "keyword backend has no value"),
        (START + "pair_style nvnmd model.nvnmd bakend cpu", "does not know the keyword bakend"),
        (START + "pair_style nvnmd model.nvnmd backend gpu", "does not know the backend gpu; this build has: cpu"),
        (STYLE + "pair_coeff * * Ge Sb", "the model has no element Sb; it knows Ge, Te"),
        (STYLE + "pair_coeff * * Ge", "pair_coeff names 1 elements for 2 atom types"),
        (STYLE + "pair_coeff * * Ge NULL", "NULL elements need pair_style hybrid"),
        (STYLE + "pair_coeff 1 2 Ge Te", "Pair_coeff must start with * * for pair style nvnmd"),
        (READY.replace("metal", "real") + "run 0", "it needs units metal, not real"),
    ],
)
def test_wrong_input_is_one_sentence_on_all_ranks(lammps_in, frame, text, sentence):
    done = lammps_in(frame).run(text + "\n", ranks=2)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr


def test_too_many_types_ask_for_elements(lammps_in, frame):
    done = lammps_in(frame).run(
        "units metal\nregion b block 0 9 0 9 0 9\ncreate_box 3 b\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
    )
    assert "3 atom types, but the model has 2 elements; name the element of each type" in done.stdout


def test_an_atom_too_close_is_named_and_all_ranks_end(lammps_in, frame):
    near = " ".join(str(x + 0.1) for x in frame.positions[10])
    done = lammps_in(frame).run(f"{READY}create_atoms 1 single {near}\nrun 0\n", ranks=4)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "A apart" in output
    assert "is ID 11" in output
    assert "is ID 65" in output


def test_too_many_neighbors_are_an_error_that_names_the_atom(lammps_in, frame):
    done = lammps_in(frame).run(
        READY + "change_box all x scale 0.72 y scale 0.72 z scale 0.72 remap\nrun 0\n",
    )
    assert done.returncode != 0
    assert "has more than 64 neighbors within 6" in done.stdout + done.stderr


def test_clipped_words_are_counted_and_warned_of(lammps_in, frame):
    from nvnmd.quantize.choose import CompileOptions
    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.packing import evaluate_frame, pack_frame
    from nvnmd.quantize.testing import random_model

    lammps = lammps_in(frame)
    narrow = random_model(3, CompileOptions(headroom=0.4))
    save_model(narrow, lammps.folder / "model.nvnmd")
    done = lammps.run(
        READY + "compute n all pair nvnmd\nthermo_style custom step c_n[*]\nthermo_modify format float %.0f\nrun 0\n",
        ranks=2,
    )
    clipped = evaluate_frame(narrow, pack_frame(narrow, frame.positions, frame.cell, frame.types)).clipped
    assert sum(clipped.values()) > 0
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["0"])
    assert [int(word) for word in row[1:]] == [sum(clipped.values()), *clipped.values()]
    assert "WARNING: Pair style nvnmd: at step 0 the model left its number range" in done.stdout
    assert f"nvnmd: words clipped so far: {sum(clipped.values())}" in done.stdout

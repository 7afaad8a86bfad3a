"""What users of pair_style nvnmd can get wrong: one clear sentence, all ranks end."""

import re

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


@pytest.mark.parametrize("ranks", [1, 4])
def test_too_many_neighbors_on_the_way_name_the_atom_and_end_all_ranks(lammps_in, frame, ranks):
    squeeze = "fix 1 all deform 1 x scale 0.6 y scale 0.6 z scale 0.6 remap x\n"
    done = lammps_in(frame).run(f"{READY}{squeeze}neigh_modify every 1 delay 0 check no\nrun 200\n", ranks)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    found = re.search(
        r"atom (\d+) has more than 64 neighbors within 6 A.*\(step (\d+), atom (\d+) is ID (\d+)\)", output
    )
    assert found
    assert found[1] == found[3]
    assert 0 < int(found[2]) < 200


@pytest.mark.parametrize("ranks", [1, 4])
def test_atoms_that_fly_apart_end_all_ranks(lammps_in, frame, ranks):
    """A time step far too long: atoms meet at some step, and the sentence names them and says what to try."""
    fly = "velocity all create 40000 7\nfix 1 all nve\ntimestep 0.05\nneigh_modify every 1 delay 0 check no\n"
    done = lammps_in(frame).run(f"{READY}{fly}run 500\n", ranks)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert re.search(r"atoms \d+ and \d+ are [\d.]+ A apart; .* Try a smaller time step or relax", output)
    assert re.search(r"step \d+, atom \d+ is ID \d+, atom \d+ is ID \d+", output)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_position_that_is_no_number_names_the_atom(lammps_in, frame, ranks):
    lost = "variable v atom (id==17)*(exp(1000)-exp(1000))\nfix 1 all nve\nset atom 17 vx v_v\nneigh_modify delay 10\n"
    done = lammps_in(frame).run(READY + lost + "run 5\n", ranks)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert re.search(r"a position is NaN or infinite \(step 1, .*is ID 17\b", output)

"""Settings: DeePMD-kit's files load, mistakes are named."""

import copy
import json

import pytest
import yaml

from nvnmd.training.settings import SettingsError, load_settings, parse_settings

# The form of DeePMD-kit's water/se_e2_a example.
WATER = {
    "_comment": "that's all",
    "model": {
        "type_map": ["O", "H"],
        "descriptor": {
            "type": "se_e2_a",
            "sel": [46, 92],
            "rcut_smth": 0.50,
            "rcut": 6.00,
            "neuron": [25, 50, 100],
            "resnet_dt": False,
            "axis_neuron": 16,
            "type_one_side": True,
            "precision": "float64",
            "seed": 1,
        },
        "fitting_net": {"neuron": [240, 240, 240], "resnet_dt": True, "precision": "float64", "seed": 1},
    },
    "learning_rate": {"type": "exp", "decay_steps": 5000, "start_lr": 0.001, "stop_lr": 3.51e-8},
    "loss": {
        "type": "ener",
        "start_pref_e": 0.02,
        "limit_pref_e": 1,
        "start_pref_f": 1000,
        "limit_pref_f": 1,
        "start_pref_v": 0,
        "limit_pref_v": 0,
    },
    "training": {
        "training_data": {"systems": ["../data/data_0/", "../data/data_1/"], "batch_size": "auto"},
        "validation_data": {"systems": ["../data/data_3"], "batch_size": 1, "numb_btch": 3},
        "numb_steps": 1000000,
        "seed": 10,
        "disp_file": "lcurve.out",
        "disp_freq": 100,
        "save_freq": 1000,
    },
}


def changed(*path, value):
    settings = copy.deepcopy(WATER)
    section = settings
    for key in path[:-1]:
        section = section.setdefault(key, {})
    section[path[-1]] = value
    return settings


def test_a_deepmd_file_loads_and_keys_without_effect_are_named():
    settings, notes = parse_settings(WATER)
    assert settings.model.descriptor.sel == [46, 92]
    assert settings.training.training_data.batch_size == "auto"
    assert settings.loss.start_pref_f == 1000
    assert sum("precision" in note for note in notes) == 2
    assert any("resnet_dt" in note and "fitting_net" in note for note in notes)


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_json_and_yaml_are_the_same(tmp_path, suffix):
    path = tmp_path / f"input{suffix}"
    path.write_text(json.dumps(WATER) if suffix == ".json" else yaml.safe_dump(WATER))
    assert load_settings(path)[0] == parse_settings(WATER)[0]


def test_old_names_are_understood():
    old = copy.deepcopy(WATER)
    old["training"]["stop_batch"] = old["training"].pop("numb_steps")
    old["model"]["descriptor"]["type"] = "se_a"
    assert parse_settings(old)[0] == parse_settings(WATER)[0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("model", "descriptor", "rcut_smoth"),
            1.0,
            r"model\.descriptor: unknown key 'rcut_smoth'; did you mean 'rcut_smth'",
        ),
        (("trainings",), {}, r"unknown key 'trainings'; did you mean 'training'"),
        (("nvnmd", "guards"), True, r"nvnmd: unknown key 'guards'; did you mean 'guard'"),
        (("nvnmd", "net_size"), 128, r"net_size.*train-nvnmd"),
        (("model", "fitting_net", "numb_fparam"), 2, r"numb_fparam.*frame parameters"),
        (("training", "mixed_precision"), {"compute_prec": "float16"}, r"mixed_precision.*nvnmd\.precision"),
        (("model", "descriptor", "sel"), [46], r"sel has 1 numbers for 2 types"),
        (("model", "descriptor", "sel"), "many", r"'auto'"),
        (("model", "descriptor", "rcut_smth"), 7.0, r"rcut_smth \(7\.0\) must be smaller"),
        (("model", "descriptor", "axis_neuron"), 101, r"axis_neuron \(101\) is larger"),
        (("model", "descriptor", "type"), "hybrid", r"model\.descriptor\.type.*'hybrid'"),
        (("model", "type_map"), ["O", "O"], r"names a type twice"),
        (("learning_rate", "start_lr"), -1.0, r"learning_rate\.start_lr.*greater than 0"),
        (("training", "training_data", "batch_size"), [1, 2], r"batch_size.*one number"),
        (("training", "numb_steps"), "many", r"training\.numb_steps.*'many'"),
        (("nvnmd", "guard"), {"inner": 0.9}, r"inner \(0\.9\) must be smaller"),
    ],
)
def test_mistakes_are_named(path, value, message):
    with pytest.raises(SettingsError, match=message):
        parse_settings(changed(*path, value=value))


def test_a_refused_key_that_is_off_is_accepted():
    parse_settings(changed("model", "fitting_net", "numb_fparam", value=0))


def test_missing_sections_are_named():
    with pytest.raises(SettingsError, match=r"model: Field required[\s\S]*training: Field required"):
        parse_settings({})


def test_every_wrong_section_is_named():
    settings = changed("loss", "start_pref_g", value=1)
    settings["learning_rate"]["stop"] = 1
    with pytest.raises(SettingsError, match=r"(?s)learning_rate.*loss"):
        parse_settings(settings)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.yaml", "a: [1"), ("a.json", "[1]"), ("a.yaml", "")])
def test_files_that_are_no_settings(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=name):
        load_settings(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "input.json")

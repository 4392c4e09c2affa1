"""Recipes are read, changed from the command line, and refused with the name of what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from crnn_hf.training import RecipeError, read_recipe
from crnn_hf.training.recipe import describe_settings


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"data: corpus\noutput_dir: {tmp_path / 'model'}\nlearning_rate: 5e-4\nnum_train_epochs: 2\n"
        "balance_classes: false\narchitecture:\n  conv_channels: [4, 8]\n  hidden_size: 8\nfeatures: {n_fft: 1024}\n"
        "report_to: [none]\nmodel: null\n"
    )
    return str(path)


def test_a_file(recipe: str) -> None:
    model, data, training = read_recipe(recipe)
    assert json.loads(model.architecture) == {"conv_channels": [4, 8], "hidden_size": 8}
    assert json.loads(model.features) == {"n_fft": 1024}
    assert model.model is None
    assert (data.data, data.balance_classes, data.crop_seconds) == ("corpus", False, [4.0])
    assert (training.learning_rate, training.num_train_epochs) == (5e-4, 2)
    assert training.metric_for_best_model == "eer"


def test_the_command_line_wins(recipe: str) -> None:
    overrides = ["--learning_rate", "1e-2", "--architecture.hidden_size", "16", "--architecture.pooling=mean"]
    model, data, training = read_recipe(recipe, [*overrides, "--balance_classes", "--crop-seconds=3"])
    assert json.loads(model.architecture) == {"conv_channels": [4, 8], "hidden_size": 16, "pooling": "mean"}
    assert (data.balance_classes, data.crop_seconds, training.learning_rate) == (True, [3.0], 0.01)


def test_recipes_that_come_with_the_package() -> None:
    assert read_recipe("quickstart")[1].data == "runs/quickstart/corpus"


def test_one_of_them_by_its_path_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_recipe("recipes/quickstart.yaml")[1].data == "runs/quickstart/corpus"
    assert "no file recipes/quickstart.yaml here; this is the recipe quickstart" in capsys.readouterr().out
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "quickstart.yaml").write_text("data: my own\n")
    assert read_recipe("recipes/quickstart.yaml")[1].data == "my own"
    assert capsys.readouterr().out == ""


def test_a_base_comes_first(recipe: str, tmp_path: Path) -> None:
    beside = tmp_path / "mine.yaml"
    beside.write_text(
        "base: recipe.yaml\nlearning_rate: 1e-4\nmodel: other\noutput_dir: null\n"
        "architecture: {hidden_size: 4}\nfeatures: null\n"
    )
    model, data, training = read_recipe(str(beside), ["--output_dir=mine", "--features.n_fft=256"])
    assert (training.learning_rate, training.num_train_epochs, training.output_dir) == (1e-4, 2, "mine")
    assert (model.model, data.data, data.balance_classes) == ("other", "corpus", False)
    assert json.loads(model.architecture) == {"conv_channels": [4, 8], "hidden_size": 4}
    assert json.loads(model.features) == {"n_fft": 256}
    assert json.loads(read_recipe(str(beside), ["--output_dir=mine"])[0].features) == {}


def test_a_base_of_the_package_and_its_own_base(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("base: streaming\nnum_train_epochs: 3\n")
    model, data, training = read_recipe(str(path), ["--data=corpus"])
    default = read_recipe("crnn-asvspoof5", ["--data=corpus"])
    assert json.loads(model.architecture) == {"contrast": False, "bidirectional": False}
    assert json.loads(model.features) == {"mel_scale": "linear", "normalization": "running_band_mean"}
    assert (data.augmentation, data.vocoding) == (default[1].augmentation, default[1].vocoding)
    assert training.num_train_epochs == 3


def test_bases_that_lead_nowhere(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("base: second.yaml\n")
    second.write_text("base: first.yaml\n")
    with pytest.raises(RecipeError, match=f"its bases come round to {first} again; expected one that has none"):
        read_recipe(str(first))
    second.write_text("base: [streaming]\n")
    with pytest.raises(RecipeError, match=r"second.yaml: base must be a recipe, as a file or by its name; found \["):
        read_recipe(str(first))
    second.write_text("base: nowhere\n")
    with pytest.raises(FileNotFoundError, match="nowhere: no such file, nor one of the recipes crnn-asvspoof5"):
        read_recipe(str(first))


@pytest.mark.parametrize("name", ["recipes/nothing.yaml", "experiments/quickstart.yml", "quickstart.yaml"])
def test_a_mistyped_path_is_not_taken_for_one_of_them(name: str) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_recipe(name)


def test_null_is_none_unless_the_command_line_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("data: x\ncrop_seconds: null\nsave_total_limit: ~\narchitecture:\n")
    model, data, training = read_recipe(str(path))
    assert model.architecture == "{}"
    assert data.crop_seconds is None
    assert training.save_total_limit is None
    assert read_recipe(str(path), ["--crop_seconds", "3"])[1].crop_seconds == [3.0]


def test_sections_can_be_given_in_every_way(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    lines = ["data: x", "architecture: {hidden_size: 8, dropout: 0.1}", "architecture.pooling: mean"]
    path.write_text("\n".join([*lines, "eval_strategy: no", "load_best_model_at_end: no"]))
    overrides = ["--architecture", "{dropout: 0.2}", "--architecture.hidden_size=16", "--features.f_min", "2e1"]
    model, _, training = read_recipe(str(path), overrides)
    assert json.loads(model.architecture) == {"hidden_size": 16, "dropout": 0.2, "pooling": "mean"}
    assert json.loads(model.features) == {"f_min": 20.0}
    assert training.eval_strategy == "no"


def test_evaluation_sets_are_a_section(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("data: x\nevaluation_sets:\n  codec: coded\n  phone: {data: t.csv, label: is_fake}\n")
    _, data, _ = read_recipe(str(path), ["--evaluation_sets.codec", "user/coded", "--evaluation_sets.noise=noisy"])
    found = json.loads(data.evaluation_sets)
    assert found == {"codec": "user/coded", "phone": {"data": "t.csv", "label": "is_fake"}, "noise": "noisy"}


@pytest.mark.parametrize(
    ("metric", "greater"),
    [
        ("eer", False),
        ("eval_min_dcf", False),
        ("loss", False),
        ("f1", True),
        ("codec_cllr", False),
        ("eval_attack_A09_eer", False),
        ("loss_f1", True),
    ],
)
def test_whether_more_is_better_is_known(recipe: str, metric: str, greater: bool) -> None:
    assert read_recipe(recipe, ["--metric_for_best_model", metric])[2].greater_is_better is greater


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["--learning_rat", "1"], "there is no setting --learning_rat"),
        (["--learning_rate", "fast"], "--learning_rate.*invalid float value: 'fast'"),
        (["--preset", "big"], "--preset.*invalid choice: 'big'"),
        (["--architecture.hidden_size"], r"--architecture\.hidden_size: expected a value after it"),
        (["--eval_strategy", "weekly"], "weekly"),
        (["--architecture", "[1]"], r"architecture must be a mapping of names to values; found \[1\]"),
        (["--architecture.conv_channels", "[4"], r"--architecture\.conv_channels: '\[4' is not YAML"),
        (["--remove_unused_columns", "true"], "remove_unused_columns must stay false"),
        (["extra"], "there is no setting extra"),
    ],
)
def test_settings_that_do_not_exist_are_refused_by_name(recipe: str, overrides: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(recipe, overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: [", "recipe.yaml: not YAML"),
        ("- data", "recipe.yaml: expected a mapping of settings to values; found list"),
        ("", "recipe.yaml: expected a mapping of settings to values; found NoneType"),
        ("data: x\narchitecture: big\n", "architecture must be a mapping of names to values; found 'big'"),
        ("data: x\nlearning_speed: 1\n", "there is no setting --learning_speed"),
        ("output_dir: x\n", "required: --data"),
    ],
)
def test_files_that_are_no_recipes_are_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_recipe(str(path))


def test_no_such_recipe() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing: no such file, nor one of the recipes .*quickstart"):
        read_recipe("nothing")


def test_replay_is_a_section_and_freeze_a_list(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("data: x\nfreeze: [convolutions, layers.0]\nreplay: {data: old, share: 0.5}\n")
    model, data, _ = read_recipe(str(path), ["--replay.share", "0.3", "--replay.label", "is_fake"])
    assert model.freeze == ["convolutions", "layers.0"]
    assert json.loads(data.replay) == {"data": "old", "share": 0.3, "label": "is_fake"}
    model, data, _ = read_recipe("finetune", ["--data", "x", "--model", "m", "--freeze", "pooling,layers"])
    assert (model.freeze, model.layer_decay, data.replay) == (["pooling,layers"], 0.8, "{}")


def test_every_setting_is_described() -> None:
    text = describe_settings()
    for name in ("--architecture", "--crop_seconds", "--learning_rate", "--output_dir"):
        assert name in text


def test_settings_within_settings_of_a_section() -> None:
    def augmentation(*overrides: str) -> dict[str, Any]:
        return json.loads(read_recipe("crnn-asvspoof5", ["--data", "d", *overrides])[1].augmentation)

    whole = augmentation()
    assert whole["noise"] == {"probability": 0.1}
    changed = augmentation("--augmentation.noise.probability", "0.9", "--augmentation.gain.decibels=[-3, 3]")
    assert changed == {**whole, "noise": {"probability": 0.9}, "gain": {"probability": 0.5, "decibels": [-3, 3]}}
    assert augmentation("--augmentation.speed", "null") == {**whole, "speed": None}
    assert augmentation("--augmentation", "null") == {}
    assert augmentation("--augmentation", "null", "--augmentation.speed.probability", "1") == {
        "speed": {"probability": 1}
    }

"""Recipes: a YAML file of settings, and what the command line changes in them."""

import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import yaml
from transformers import HfArgumentParser

from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

SECTIONS = (
    "architecture",
    "features",
    "columns",
    "training_sets",
    "evaluation_sets",
    "vocoding",
    "augmentation",
    "replay",
)


class RecipeError(ValueError):
    """A recipe, or an override of it, that cannot be followed; the message names the file or the setting."""


class _Parser(HfArgumentParser):
    """The parser of transformers' examples, which raises where it would end the program with a page of usage."""

    def error(self, message: str) -> NoReturn:
        raise RecipeError(message)


def read_recipe(
    recipe: str, overrides: Sequence[str] = ()
) -> tuple[ModelArguments, DataArguments, DetectorTrainingArguments]:
    """Read a recipe.

    Where it names another as its `base`, the settings of that come first, and its own win.

    Args:
        recipe: path of a YAML file, or the name of one that comes with the package, such as `"quickstart"`, which is
            also `"recipes/quickstart.yaml"` where there is no such file.
        overrides: settings as on the command line, `--name value`, or `--section.name value` for a field of the
            sections, which are in `SECTIONS`. They win over the file.

    Raises:
        FileNotFoundError: there is no such file, and no recipe of that name.
        RecipeError: not YAML, not a mapping, an unknown setting, a value of the wrong kind, or a base that leads back
            to the recipe.
    """
    layers = _with_bases(recipe)
    try:
        of_files = [argument for settings in layers for argument in _as_command_line(settings)]
        fields, rest = _split_sections([*of_files, *overrides])
        parser = _Parser((ModelArguments, DataArguments, DetectorTrainingArguments), allow_abbrev=False)
        sections = [f"--{section}={json.dumps(values)}" for section, values in fields.items()]
        *parsed, unknown = parser.parse_args_into_dataclasses(
            [*rest, *sections], return_remaining_strings=True, look_for_args_file=False
        )
    except (ValueError, yaml.YAMLError) as error:
        raise RecipeError(f"{recipe}: {error}") from error
    if unknown:
        raise RecipeError(f"{recipe}: there is no setting {unknown[0]}; `crnn-hf train --settings` lists them all")
    _set_nulls({name: value for settings in layers for name, value in settings.items()}, overrides, parsed)
    return tuple(parsed)


def _set_nulls(settings: dict[str, Any], overrides: Sequence[str], parsed: Sequence[Any]) -> None:
    """Set to None what is null in the files, unless the command line says otherwise; argparse knows no null."""
    overridden = {argument.removeprefix("--").partition("=")[0].replace("-", "_") for argument in overrides}
    nulls = (name for name, value in settings.items() if value is None and name not in SECTIONS)
    for name in (name for name in nulls if name not in overridden):
        owners = [arguments for arguments in parsed if hasattr(arguments, name)]
        if not owners:
            raise RecipeError(f"there is no setting {name}; `crnn-hf train --settings` lists them all")
        setattr(owners[0], name, None)


def describe_settings() -> str:
    """Every setting with its default and what it does, as a text."""
    return _Parser((ModelArguments, DataArguments, DetectorTrainingArguments), usage="").format_help()


def _with_bases(recipe: str) -> list[dict[str, Any]]:
    """The settings of a recipe's base, of the base's own first, and then those of the recipe."""
    layers: list[dict[str, Any]] = []
    passed: list[Path] = []
    name: str | None = recipe
    while name is not None:
        path = _path_of(name)
        if path in passed:
            raise RecipeError(f"{recipe}: its bases come round to {path} again; expected one that has none")
        passed.append(path)
        layers.insert(0, _load(path))
        name = layers[0].pop("base", None)
        if not isinstance(name, str | None):
            raise RecipeError(f"{path}: base must be a recipe, as a file or by its name; found {name!r}")
        if name is not None and (path.parent / name).is_file():
            name = str(path.parent / name)
    return layers


def _path_of(recipe: str) -> Path:
    """The file of a recipe."""
    path = Path(recipe)
    if not path.is_file():
        packaged = files("crnn_hf") / "recipes"
        names = sorted(entry.name.removesuffix(".yaml") for entry in packaged.iterdir())
        # As the package's own folder calls it.
        name = path.stem if recipe == f"recipes/{path.stem}.yaml" else recipe
        if name not in names:
            raise FileNotFoundError(f"{recipe}: no such file, nor one of the recipes {', '.join(names)}")
        path = Path(str(packaged / f"{name}.yaml"))
        if name != recipe:
            print(f"There is no file {recipe} here; this is the recipe {name}, which comes with the package.")
    return path


def _load(path: Path) -> dict[str, Any]:
    """The settings in a recipe's file."""
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise RecipeError(f"{path}: expected a mapping of settings to values; found {type(settings).__name__}")
    return settings


def _split_sections(arguments: Sequence[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Take the sections out of the arguments: their fields, later ones winning, and the arguments that are left.

    A section is given as a whole, `--section "{name: value}"`, or a field at a time, `--section.name value`, whose own
    fields are `--section.name.field value`. `--section null` forgets what was said of it before.
    """
    fields: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        option, has_value, value = argument.removeprefix("--").partition("=")
        section, dot, name = option.partition(".")
        if not argument.startswith("--") or section not in SECTIONS:
            others.append(argument)
            continue
        value = value if has_value else next(rest, None)
        if value is None:
            raise RecipeError(f"{argument}: expected a value after it")
        try:
            value = yaml.load(value, _Loader)
        except yaml.YAMLError as error:
            raise RecipeError(f"{argument}: {value!r} is not YAML") from error
        if dot:
            _set(fields[section], name.split("."), value)
        elif isinstance(value, dict):
            fields[section].update(value)
        elif value is None:
            fields[section].clear()
        else:
            raise RecipeError(f"{section} must be a mapping of names to values; found {value!r}")
    return fields, others


def _set(fields: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a field of a mapping, or of the mappings within it; those that are not there are made."""
    *outer, name = path
    for key in outer:
        inner = fields.get(key)
        fields[key] = dict(inner) if isinstance(inner, dict) else {}
        fields = fields[key]
    fields[name] = value


def _as_command_line(settings: dict[str, Any]) -> Iterator[str]:
    """The settings as arguments, so that the file's values are checked and converted as the command line's are."""
    for name, value in settings.items():
        if isinstance(value, bool):
            yield f"--{name}={'yes' if value else 'no'}"  # which `eval_strategy: no` means as well
        elif isinstance(value, dict):
            yield f"--{name}={json.dumps(value)}"
        elif isinstance(value, list):
            yield f"--{name}"
            yield from map(str, value)
        elif value is not None or name in SECTIONS:
            yield f"--{name}=null" if value is None else f"--{name}={value}"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of a number: `1e-3` is one, which PyYAML takes for a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)

"""Recipes: a YAML file of settings, and what the command line changes in them."""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import yaml
from transformers import HfArgumentParser

from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

SECTIONS = ("architecture", "features")


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

    Args:
        recipe: path of a YAML file, or the name of one that comes with the package, such as `"quickstart"`.
        overrides: settings as on the command line, `--name value`, or `--section.name value` for a field of the
            sections `architecture` and `features`. They win over the file.

    Raises:
        FileNotFoundError: there is no such file, and no recipe of that name.
        RecipeError: not YAML, not a mapping, an unknown setting, or a value of the wrong kind.
    """
    settings = _load(recipe)
    fields, overrides = _split_sections(overrides)
    for section in SECTIONS:
        chosen = settings.get(section) or {}
        if not isinstance(chosen, dict):
            raise RecipeError(f"{recipe}: {section} must be a mapping of names to values; found {chosen!r}")
        settings[section] = json.dumps(chosen | fields[section])
    parser = _Parser((ModelArguments, DataArguments, DetectorTrainingArguments), allow_abbrev=False)
    arguments = [*_as_command_line(settings), *overrides]
    try:
        *parsed, unknown = parser.parse_args_into_dataclasses(
            arguments, return_remaining_strings=True, look_for_args_file=False
        )
    except ValueError as error:
        raise RecipeError(f"{recipe}: {error}") from error
    if unknown:
        raise RecipeError(f"{recipe}: there is no setting {unknown[0]}; `crnn-hf train --settings` lists them all")
    return tuple(parsed)


def describe_settings() -> str:
    """Every setting with its default and what it does, as a text."""
    return _Parser((ModelArguments, DataArguments, DetectorTrainingArguments), usage="").format_help()


def _load(recipe: str) -> dict[str, Any]:
    """The settings in a recipe's file."""
    path = Path(recipe)
    if not path.is_file():
        packaged = files("crnn_hf") / "recipes" / f"{path.stem}.yaml"
        if not packaged.is_file():
            names = sorted(entry.name.removesuffix(".yaml") for entry in packaged.parent.iterdir())
            raise FileNotFoundError(f"{recipe}: no such file, nor one of the recipes {', '.join(names)}")
        path = Path(str(packaged))
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise RecipeError(f"{path}: expected a mapping of settings to values; found {type(settings).__name__}")
    return settings


def _split_sections(overrides: Sequence[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Take `--section.name value` out of the overrides: the fields by section, and the overrides that are left."""
    fields: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    others: list[str] = []
    rest = iter(overrides)
    for argument in rest:
        option, has_value, value = argument.removeprefix("--").partition("=")
        section, dot, name = option.partition(".")
        if not argument.startswith("--") or not dot or section not in SECTIONS:
            others.append(argument)
            continue
        value = value if has_value else next(rest, None)
        if value is None:
            raise RecipeError(f"{argument}: expected a value after it")
        fields[section][name] = yaml.safe_load(value)
    return fields, others


def _as_command_line(settings: dict[str, Any]) -> Iterator[str]:
    """The settings as arguments, so that the file's values are checked and converted as the command line's are."""
    for name, value in settings.items():
        if value is None:
            continue
        yield f"--{name}"
        if isinstance(value, dict):
            yield json.dumps(value)
        elif isinstance(value, list):
            yield from map(str, value)
        else:
            yield str(value)

"""`crnn-hf train`."""

import argparse
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "train",
        help="train a detector as a recipe says",
        description="Train a detector as a recipe says. Any setting of the recipe can be changed: --name value.",
        allow_abbrev=False,
    )
    command.set_defaults(command=train)
    command.add_argument("recipe", nargs="?", help="a YAML file, or the name of a recipe that comes with the package")
    command.add_argument("--settings", action="store_true", help="list all settings and stop")


def train(options: argparse.Namespace) -> int:
    """Train a detector as a recipe says."""
    from crnn_hf.training import run_recipe
    from crnn_hf.training.recipe import describe_settings

    if options.settings:
        print(describe_settings())
    else:
        run_recipe(options.recipe, options.overrides)
    return 0

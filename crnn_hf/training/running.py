"""From a recipe's name to a trained detector, told in a line: what `crnn-hf train` and `crnn_hf.training` both do."""

from collections.abc import Sequence

from accelerate import PartialState
from transformers.utils.logging import disable_progress_bar

from crnn_hf.memory import keep_freed_memory
from crnn_hf.training.job import train
from crnn_hf.training.recipe import read_recipe


def run_recipe(recipe: str | None, overrides: Sequence[str]) -> None:
    """Train as a recipe says, by one process or several, the main one of which says where the best model is.

    Args:
        recipe: a YAML file, or the name of one that comes with the package; None where none is named.
        overrides: `--name value` for settings that are to be others, as `read_recipe` takes them.

    Raises:
        ValueError, OSError: there is no recipe, or as `read_recipe` and `train`.
    """
    if recipe is None:
        raise ValueError("expected a recipe: a YAML file, or the name of one that comes with the package")
    *arguments, training_arguments = read_recipe(recipe, overrides)
    keep_freed_memory()
    disable_progress_bar()  # for each checkpoint's one file; those of training are others
    metrics = train(*arguments, training_arguments)
    state = PartialState()
    if state.is_main_process:
        output = training_arguments.output_dir
        print(f"The best model is in {output}: EER {metrics['eval_eer']:.2%} on the validation split.")
    state.destroy_process_group()

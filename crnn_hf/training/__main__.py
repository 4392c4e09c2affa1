"""`python -m crnn_hf.training RECIPE [--name value ...]`: as `crnn-hf train`, by one process or several.

`accelerate launch -m crnn_hf.training RECIPE` and `torchrun -m crnn_hf.training RECIPE` start several.
"""

import sys
from collections.abc import Sequence

from accelerate import PartialState


def main(arguments: Sequence[str]) -> int:
    """Train as a recipe says; the exit status is 0 if all went well, 2 if the recipe or its data cannot be used."""
    from crnn_hf.training import read_recipe, train

    try:
        if not arguments or arguments[0].startswith("-"):
            raise ValueError("expected a recipe: a YAML file, or the name of one that comes with the package")
        parsed = read_recipe(arguments[0], arguments[1:])
        metrics = train(*parsed)
    except (ValueError, OSError) as error:
        # Bad input: its message is written for people. Anything else is a fault of ours and keeps its traceback.
        print(f"crnn_hf.training: {error}", file=sys.stderr)
        return 2
    state = PartialState()
    if state.is_main_process:
        print(f"The best model is in {parsed[2].output_dir}: EER {metrics['eval_eer']:.2%} on the validation split.")
    state.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m crnn_hf.training RECIPE [--name value ...]`: as `crnn-hf train`, by one process or several.

`accelerate launch -m crnn_hf.training RECIPE` and `torchrun -m crnn_hf.training RECIPE` start several.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Train as a recipe says; the exit status is 0 if all went well, 2 if the recipe or its data cannot be used."""
    from crnn_hf.training import run_recipe

    recipe = arguments[0] if arguments and not arguments[0].startswith("-") else None
    try:
        run_recipe(recipe, arguments[1:])
    except (ValueError, OSError) as error:
        # Bad input: its message is written for people. Anything else is a fault of ours and keeps its traceback.
        print(f"crnn_hf.training: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the project keeps at its top, beside the package: the card's template, and the Space."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import crnn_hf

SHARE = "share/crnn-hf"  # where an installation puts them, as pyproject.toml says


def shipped(name: str) -> Path:
    """A file or folder of the project's top, in a checkout or where it was installed.

    Args:
        name: such as "model_card.md" or "space".

    Raises:
        FileNotFoundError: it is in neither place.
    """
    in_checkout = Path(crnn_hf.__file__).parents[1] / name
    if in_checkout.exists():
        return in_checkout
    try:
        installed = distribution("crnn-hf").files or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if f"/{SHARE}/{name}/" in f"/{file.as_posix()}/":
            path = Path(file.locate()).resolve()
            return next(outer for outer in (path, *path.parents) if outer.name == name)
    raise FileNotFoundError(f"{name}: not beside the package nor installed with it; expected a checkout")

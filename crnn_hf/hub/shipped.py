"""What goes to the Hub beside a model: the project's template and Space, and the package, which is in no index."""

import shutil
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

import crnn_hf

PACKAGE = "crnn_hf"
LEFT_OUT = ("__pycache__", "*.pyc", ".*")
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


def copy_package(folder: Path) -> None:
    """Put the package's source into a folder, for a machine that it is not installed on."""
    source = Path(crnn_hf.__file__).parent
    shutil.copytree(source, folder / PACKAGE, ignore=shutil.ignore_patterns(*LEFT_OUT))


def requirements(extra: str) -> list[str]:
    """What has to be installed for the package and one of its extras to run, as pip takes it."""
    lines = [line.partition(";") for line in requires("crnn-hf") or []]
    return [name.strip() for name, _, marker in lines if not marker or f'extra == "{extra}"' in marker]

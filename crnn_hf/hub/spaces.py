"""The demo as a Space on the Hub: its files, and the package that it runs, in one commit."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi, SpaceCard

from crnn_hf.hub.committing import commit_folder, open_repository
from crnn_hf.hub.faults import check_name, explained
from crnn_hf.hub.shipped import LEFT_OUT, PACKAGE, copy_package

MODEL_FILE = "model.txt"  # beside app.py: the name of the model that the Space asks
EXPECTED = ("app.py", "README.md", "requirements.txt")


def push_space(
    folder: str | Path, repo_id: str, model_id: str, *, private: bool = False, api: HfApi | None = None
) -> str:
    """Publish a Space that asks a model.

    The model's name goes into `model.txt` and into the README's head; the package, which is in no index, goes beside
    the app. What the Space had in these places and is not here any more is removed.

    Args:
        folder: app.py, README.md with the Space's settings in its head, requirements.txt, and what else it needs.
        repo_id: user/name; is made if it is not there.
        model_id: the model on the Hub.
        private: whether nobody else may see it.
        api: the client.

    Returns:
        The Space's address.

    Raises:
        HubError: the Hub cannot be reached or refuses; nothing was committed.
        FileNotFoundError: one of these files is missing.
        ValueError: a name that cannot be.
    """
    api = api or HfApi()
    folder = Path(folder)
    check_name(repo_id)
    check_name(model_id)
    missing = [name for name in EXPECTED if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder}: no Space here: {', '.join(missing)} missing")
    with explained(api, repo_id):
        api.whoami()
    with TemporaryDirectory() as scratch:
        stage = Path(scratch) / "space"
        shutil.copytree(folder, stage, ignore=shutil.ignore_patterns(*LEFT_OUT))
        copy_package(stage)
        (stage / MODEL_FILE).write_text(f"{model_id}\n", encoding="utf-8")
        card = SpaceCard.load(stage / "README.md")
        card.data.models = [model_id]
        card.save(stage / "README.md")
        parent = open_repository(api, repo_id, "space", space_sdk="gradio", private=private or None)
        commit_folder(
            api,
            stage,
            repo_id,
            repo_type="space",
            parent=parent,
            message=f"{model_id}, by crnn-hf push",
            replaced=(PACKAGE,),
        )
    return f"{api.endpoint}/spaces/{repo_id}"

"""A Space goes to the Hub with the package that it runs and the name of the model that it asks."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, SpaceCard

from crnn_hf.hub import HubError, push_space

NAME, MODEL = "user/demo", "user/crnn"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "space"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "app.pyc").touch()
    (folder / "app.py").write_text("print('here')\n")
    (folder / "requirements.txt").write_text("gradio\n")
    (folder / "README.md").write_text("---\ntitle: Demo\nsdk: gradio\napp_file: app.py\n---\n\n# Demo\n")
    return folder


def test_a_space_is_pushed_with_the_package(hub: Any, api: HfApi, folder: Path) -> None:
    assert push_space(folder, NAME, MODEL, api=api) == f"{hub.endpoint}/spaces/{NAME}"
    repository = hub.repositories["spaces", NAME]
    assert repository.created_with["sdk"] == "gradio"
    assert len(repository.commits) == 2
    files = hub.files(NAME, kind="spaces")
    assert files["app.py"] == b"print('here')\n"
    assert files["model.txt"] == b"user/crnn\n"
    assert {"crnn_hf/__init__.py", "crnn_hf/hub/spaces.py", "crnn_hf/metrics/report/templates/report.md"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]
    head = SpaceCard(files["README.md"].decode()).data
    assert (head.models, head.title, head.app_file) == ([MODEL], "Demo", "app.py")


def test_a_space_that_is_there_loses_old_code_and_keeps_the_rest(hub: Any, api: HfApi, folder: Path) -> None:
    push_space(folder, NAME, MODEL, api=api)
    hub.blobs["old"] = b"old"
    hub.repositories["spaces", NAME].commits[-1] |= {"crnn_hf/gone.py": "old", "examples/mine.wav": "old"}
    push_space(folder, NAME, "user/other", api=api)
    files = hub.files(NAME, kind="spaces")
    assert "crnn_hf/gone.py" not in files
    assert files["examples/mine.wav"] == b"old"
    assert files["model.txt"] == b"user/other\n"


def test_bad_input(hub: Any, api: HfApi, folder: Path) -> None:
    with pytest.raises(ValueError, match="expected a name on the Hub"):
        push_space(folder, "demo", MODEL, api=api)
    (folder / "app.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"no Space here: app\.py missing"):
        push_space(folder, NAME, MODEL, api=api)
    assert not hub.repositories


def test_an_interrupted_upload_says_so(hub: Any, api: HfApi, folder: Path) -> None:
    hub.fail["/commit/main"] = ["drop"]
    with pytest.raises(HubError, match="Nothing was published: user/demo is as it was"):
        push_space(folder, NAME, MODEL, api=api)
    push_space(folder, NAME, MODEL, api=api)
    assert "app.py" in hub.files(NAME, kind="spaces")

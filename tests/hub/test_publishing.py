"""A model goes to the Hub whole or not at all, and comes back the same."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.utils import http_backoff
from onnx import TensorProto, helper

from crnn_hf.hub import HubError, push
from crnn_hf.hub import publishing as publishing_module
from crnn_hf.hub.loading_back import score_here
from crnn_hf.hub.versions import NotComparable
from crnn_hf.loading import load_detector

NAME = "user/crnn"
CODE = {"configuration_crnn.py", "feature_extraction_crnn.py", "modeling_crnn.py"}


@pytest.fixture
def folder(tiny_detector: Path, tmp_path: Path) -> Path:
    """A model as training leaves it."""
    folder = shutil.copytree(tiny_detector, tmp_path / "model")
    (folder / "settings.json").write_text(json.dumps({"data": "/srv/somebody/corpus"}))
    (folder / "training_args.bin").write_bytes(b"a pickle, which nobody should load")
    write_onnx(folder, score_here(load_detector(folder, device="cpu")))
    return folder


def write_onnx(folder: Path, score: float) -> None:
    """Write an ONNX file that gives this score, whatever it hears."""
    logits = helper.make_tensor("logits", TensorProto.FLOAT, [1, 2], [score, 0.0])
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["logits"], value=logits)],
        "constant",
        [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, [1, None, 80])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
    )
    (folder / "onnx").mkdir(exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (folder / "onnx" / "model.onnx").write_bytes(model.SerializeToString())


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not load back, which takes ten seconds and is tested for itself."""
    monkeypatch.setattr(publishing_module, "refuse_unlike", lambda *_, **__: 0.0)


def test_a_model_is_pushed_and_loaded_by_a_fresh_process(
    hub: Any, api: HfApi, folder: Path, reported: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    published = push(folder, NAME, report=reported(), private=True, dataset="owner/benchmark", api=api)
    repository = hub.repositories["models", NAME]
    assert (published.url, published.version, published.is_new) == (f"{hub.endpoint}/{NAME}", "v1", True)
    assert repository.private
    assert repository.messages == ["initial commit", "v1, by crnn-hf push"]
    assert repository.tags == {"v1": (published.commit, "v1")}
    files = hub.files(NAME)
    assert {*CODE, "model.safetensors", "config.json", "preprocessor_config.json", "README.md"} <= set(files)
    assert {"onnx/model.onnx", "report/scores.tsv", "report/keys.tsv", "report/metrics.json"} <= set(files)
    assert not [name for name in files if name.endswith((".bin", ".pyc"))]
    own = {name: content for name, content in files.items() if not name.startswith("crnn_hf/")}
    assert {"handler.py", "requirements.txt", "crnn_hf/inference/pipeline.py"} <= set(files)  # for an endpoint
    assert not [name for name, content in own.items() if b"somebody" in content]
    card = ModelCard(files["README.md"].decode())
    assert card.data.eval_results[0].dataset_type == "owner/benchmark"
    assert all(f"report/{name}.png" in files for name in ("det", "scores", "eer_by_attack"))
    (result,) = yaml.safe_load(files[".eval_results/benchmark.yaml"])
    eer = json.loads(files["report/metrics.json"])["metrics"]["eer"]
    assert result["value"] == pytest.approx(100 * eer)
    # The fresh process fetched the commit's weights and code from the server, before the tag was made.
    commit = hub.requests.index(f"POST /api/models/{NAME}/commit/main")
    tag = hub.requests.index(f"POST /api/models/{NAME}/tag/{published.commit}")
    fetched = hub.requests[commit:tag]
    assert f"GET /{NAME}/resolve/{published.commit}/modeling_crnn.py" in fetched
    assert any(request.startswith("GET /lfs/") for request in fetched)
    told = capsys.readouterr().out
    assert "A fresh process loads it from its files alone, with a score 0 off." in told
    assert f"A fresh process loads it from {hub.endpoint}/{NAME} at {published.commit[:7]}" in told


def test_what_does_not_load_back_is_not_pushed(
    hub: Any, api: HfApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage_model = publishing_module.stage_model

    def lose_a_file(detector: Any, run: Any, stage: Path) -> None:
        stage_model(detector, run, stage)
        (stage / "loss_crnn.py").unlink()

    monkeypatch.setattr(publishing_module, "stage_model", lose_a_file)
    with pytest.raises(HubError, match=r"stage does not load afresh: .*loss_crnn"):
        push(folder, NAME, api=api)
    assert not hub.repositories


@pytest.mark.usefixtures("trusting")
def test_a_second_version_is_compared_with_the_first(
    hub: Any, api: HfApi, folder: Path, reported: Callable[..., Path]
) -> None:
    push(folder, NAME, report=reported(), api=api)
    first = hub.files(NAME)
    second = push(folder, NAME, report=reported(separation=2.5), must_compare=True, api=api)
    assert second.version == "v2"
    assert hub.files(NAME, "v1") == first
    files = hub.files(NAME, "v2")
    assert b"# v2 against v1, on the same 80 clips (40 real, 40 fake)" in files["COMPARISON.md"]
    assert "## What is new" in files["README.md"].decode()
    assert "[COMPARISON.md](COMPARISON.md)" in files["README.md"].decode()
    message = hub.repositories["models", NAME].tags["v2"][1]
    assert message.startswith("v2 against v1")
    assert ": better." in message.splitlines()[1]

    # A third without a report: nothing of the second's is left that would seem to be about it.
    third = push(folder, NAME, api=api)
    assert third.version == "v3"
    left = set(hub.files(NAME))
    assert not [name for name in left if name.startswith("report/")]
    assert "COMPARISON.md" not in left
    assert {"onnx/model.onnx", "training/settings.json"} <= left


@pytest.mark.usefixtures("trusting")
def test_what_cannot_be_compared_says_why(
    hub: Any, api: HfApi, folder: Path, reported: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotComparable, match="user/crnn has no version before v1"):
        push(folder, NAME, report=reported(), must_compare=True, api=api)
    assert not hub.repositories
    push(folder, NAME, report=reported(), api=api)
    fewer = reported(clips=60)
    with pytest.raises(NotComparable, match="on different clips: 80 and 60, of which 60 are in both"):
        push(folder, NAME, report=fewer, must_compare=True, api=api)
    assert len(hub.repositories["models", NAME].commits) == 2
    push(folder, NAME, api=api)
    assert "Not compared with v1: no report was given." in capsys.readouterr().out
    assert "COMPARISON.md" not in hub.files(NAME)


@pytest.mark.usefixtures("trusting")
def test_the_same_again_is_no_new_version(hub: Any, api: HfApi, folder: Path) -> None:
    first = push(folder, NAME, api=api)
    again = push(folder, NAME, api=api)
    assert (again.version, again.commit, again.is_new) == ("v1", first.commit, False)
    named = push(folder, NAME, version="release-1", licence="mit", api=api)
    assert named.version == "release-1"
    with pytest.raises(ValueError, match="has a version release-1 already"):
        push(folder, NAME, version="release-1", api=api)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    ("request_", "failures", "expected"),
    [
        ("PUT /lfs/", ["drop"], "no connection"),
        ("PUT /lfs/", [403], r"may not write to user/crnn \(as the test has it\)"),
        ("/commit/main", ["drop"], "no connection"),
        ("/commit/main", [500], "busy or out of order"),
        ("/commit/main", [412], "changed by somebody else"),
    ],
)
def test_an_interrupted_upload_leaves_nothing_and_can_be_run_again(
    hub: Any,
    api: HfApi,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    request_: str,
    failures: list[Any],
    expected: str,
) -> None:
    # The client would ask five times, with seconds in between.
    monkeypatch.setattr("huggingface_hub.lfs.http_backoff", partial(http_backoff, max_retries=0))
    push(folder, NAME, api=api)
    before = hub.files(NAME)
    # Other weights, for those that are there need not be sent.
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dropout": 0.1}))
    (folder / "onnx" / "model_quantized.onnx").write_bytes(b"another")
    hub.fail[request_] = list(failures)
    with pytest.raises(HubError, match=f"{expected}.*Nothing was published: user/crnn is as it was"):
        push(folder, NAME, api=api)
    assert hub.files(NAME) == before
    assert set(hub.repositories["models", NAME].tags) == {"v1"}
    assert push(folder, NAME, api=api).version == "v2"
    assert hub.files(NAME)["onnx/model_quantized.onnx"] == b"another"


def test_what_somebody_else_pushes_meanwhile_is_not_overwritten(
    hub: Any, api: HfApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing_module, "refuse_unlike", lambda *_, **__: 0.0)
    push(folder, NAME, api=api)

    def push_meanwhile(*_: object, **__: object) -> float:
        api.upload_file(path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id=NAME)
        return 0.0

    monkeypatch.setattr(publishing_module, "refuse_unlike", push_meanwhile)
    with pytest.raises(HubError, match="user/crnn was changed by somebody else meanwhile: run the same command again"):
        push(folder, NAME, licence="mit", api=api)
    assert hub.files(NAME)["theirs.txt"] == b"theirs"
    assert b"license: apache-2.0" in hub.files(NAME)["README.md"]


@pytest.mark.usefixtures("trusting")
def test_onnx_files_of_another_model_are_not_pushed(hub: Any, api: HfApi, folder: Path) -> None:
    write_onnx(folder, 7.0)
    with pytest.raises(HubError, match=r"model\.onnx is not of this model: .* run crnn-hf export again"):
        push(folder, NAME, api=api)
    assert not hub.repositories


@pytest.mark.usefixtures("trusting")
def test_a_tag_that_could_not_be_made_is_made_by_the_next_run(hub: Any, api: HfApi, folder: Path) -> None:
    hub.fail["/tag/"] = [500]
    with pytest.raises(HubError, match=r"is on main of user/crnn, but the tag v1 could not be made: run the same"):
        push(folder, NAME, api=api)
    again = push(folder, NAME, api=api)
    assert (again.version, again.is_new) == ("v1", True)
    assert len(hub.repositories["models", NAME].commits) == 2


@pytest.mark.usefixtures("trusting")
def test_a_repository_that_is_something_else_is_left_alone(hub: Any, api: HfApi, folder: Path) -> None:
    push(folder, NAME, api=api)
    with pytest.raises(HubError, match="user/crnn is public already: make it private in its settings"):
        push(folder, NAME, private=True, licence="mit", api=api)
    files = hub.repositories["models", NAME].commits[-1]
    hub.blobs["other"] = b'{"model_type": "bert"}'
    files["config.json"] = "other"
    with pytest.raises(ValueError, match="user/crnn holds a model of type bert; choose another name"):
        push(folder, NAME, api=api)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    ("token", "name", "expected"),
    [
        ("hf_wrong", NAME, "does not accept the token"),
        (None, NAME, "no token for the Hub: make one that may write"),
        ("hf_reading", NAME, "may not write to user/crnn .your token may not write.: choose a name of your own"),
        ("hf_writing", "other/crnn", "may not write to other/crnn .you may not create anything under other."),
    ],
)
def test_tokens(
    hub: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, name: str, expected: str
) -> None:
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere/token")
    with pytest.raises(HubError, match=expected) as caught:
        push(folder, name, api=HfApi(endpoint=hub.endpoint, token=token))
    assert len(str(caught.value)) < 400
    assert not hub.repositories


def test_no_network(folder: Path) -> None:
    with pytest.raises(HubError, match=r"no connection to http://127\.0\.0\.1:9: .* Check the network"):
        push(folder, NAME, api=HfApi(endpoint="http://127.0.0.1:9", token="hf_writing"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("crnn", "expected a name on the Hub, user/name"),
        ("a/b/c", "expected a name on the Hub, user/name"),
        ("datasets/user/crnn", "expected the name alone, 'user/crnn'"),
        ("user/my model", "is no name on the Hub"),
        ("user/--x", "is no name on the Hub"),
    ],
)
def test_impossible_names(hub: Any, api: HfApi, folder: Path, name: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        push(folder, name, api=api)
    assert not hub.requests


def test_impossible_arguments(api: HfApi, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        push(tmp_path / "nowhere", NAME, api=api)
    with pytest.raises(ValueError, match="'a tag' cannot be a tag"):
        push(folder, NAME, version="a tag", api=api)

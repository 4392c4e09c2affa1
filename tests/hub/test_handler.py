"""The endpoint's handler, called as Hugging Face's inference toolkit calls it."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import tracemalloc
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
from transformers import pipeline

import crnn_hf
from crnn_hf.hub.records import read_run
from crnn_hf.hub.staging import stage_model
from crnn_hf.inference import load_detector
from crnn_hf.inference.backends import export_onnx

RATE = 16_000


@pytest.fixture(scope="module")
def repository(tiny_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's repository as a push stages it."""
    folder = tmp_path_factory.mktemp("hub") / "repository"
    stage_model(load_detector(tiny_detector, "cpu"), read_run(tiny_detector), folder)
    return folder


def module_of(repository: Path) -> ModuleType:
    spec = spec_from_file_location("handler.EndpointHandler", repository / "handler.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def handler(repository: Path) -> Any:
    return module_of(repository).EndpointHandler(str(repository))


@pytest.fixture
def flac(speech: np.ndarray) -> bytes:
    return encoded(speech)


def encoded(waveform: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, RATE, format="FLAC")
    return file.getvalue()


def answer(handler: Any, **body: Any) -> Any:
    """The body of the answer, by way of JSON."""
    return json.loads(json.dumps(handler(body), allow_nan=False))


def refused(handler: Any, **body: Any) -> str:
    """The message of the ValueError that the toolkit makes status 400 of."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at all of the message
        handler(body)
    return str(caught.value)


def test_a_file_as_bytes_and_as_base64(handler: Any, repository: Path, flac: bytes) -> None:
    expected = pipeline("audio-deepfake-detection", model=str(repository))(flac)
    timeline = expected.pop("timeline")
    found = answer(handler, inputs=flac)
    assert found.pop("score") == pytest.approx(expected.pop("score"), abs=1e-3)
    assert found["segments"][0].pop("score") == pytest.approx(expected["segments"][0].pop("score"), abs=1e-3)
    assert found == expected
    text = base64.encodebytes(flac).decode()  # with line breaks
    assert answer(handler, inputs=text) == answer(handler, inputs=bytearray(flac)) == answer(handler, inputs=flac)
    with_timeline = answer(handler, inputs=text, parameters={"timeline": True})["timeline"]
    assert with_timeline["scores"] == pytest.approx(timeline["scores"], abs=1e-3)


def test_parameters(handler: Any, flac: bytes) -> None:
    assert answer(handler, inputs=flac, parameters={"threshold": 1000})["label"] == "fake"
    # The toolkit hands over a query's numbers with a point as text.
    assert answer(handler, inputs=flac, parameters={"threshold": "-1000.5", "batch_size": 2})["label"] == "real"
    for parameters, message in [
        ({"windows": 2}, "parameters: expected threshold, prior_of_fake, timeline, batch_size; found windows"),
        ({"batch_size": 65}, "batch_size: expected 1 to 64; found 65"),
        ({"batch_size": "many"}, "batch_size: expected 1 to 64; found 'many'"),
        ({"threshold": [1]}, "threshold: expected a number or a name; found [1]"),
        ({"threshold": "eer"}, "the model is not calibrated, so that it has no threshold named 'eer'"),
        ({"threshold": "nan"}, "a threshold must be a finite number; found nan"),
        ({"prior_of_fake": "half"}, "prior_of_fake: expected a number; found 'half'"),
        ({"prior_of_fake": 1.5}, "prior_of_fake must be above 0 and below 1; found 1.5"),
        ({"timeline": "yes"}, "timeline: expected true or false; found 'yes'"),
        ([1], "parameters: expected an object; found list"),
    ]:
        assert refused(handler, inputs=flac, parameters=parameters) == message


def test_a_batch_has_an_answer_for_each(handler: Any, flac: bytes, speech: np.ndarray) -> None:
    text = base64.b64encode(flac).decode()
    other = encoded(speech[: RATE + 5])
    found = answer(handler, inputs=[flac, "no base64!", text, b"no sound", 7, encoded(speech[:20]), other, b""])
    assert [sorted(result) == ["error"] for result in found] == [False, True, False, True, True, True, False, True]
    assert found[0]["score"] == pytest.approx(found[2]["score"], abs=2e-4)
    assert found[6]["score"] == pytest.approx(answer(handler, inputs=other)["score"], abs=2e-4)
    errors = [result["error"] for result in found if "error" in result]
    assert [error.partition(": ")[0] for error in errors] == [f"inputs[{index}]" for index in (1, 3, 4, 5, 7)]
    assert "no audio in a known format" in errors[1]
    assert errors[4] == "inputs[7]: empty: 0 bytes"
    assert answer(handler, inputs=[]) == []


@pytest.mark.parametrize(
    "text", ["http://169.254.169.254/latest", "file:///etc/passwd", "/etc/passwd", "s3://bucket/a.wav", "no sound"]
)
def test_addresses_and_paths_are_not_opened(handler: Any, text: str) -> None:
    message = refused(handler, inputs=text)
    assert message.startswith("inputs: expected a file's content: as the body with its Content-Type, or in JSON")
    assert message.endswith("no address or path is opened")


def test_a_path_that_is_base64_is_not_opened(handler: Any, tmp_path: Path, flac: bytes) -> None:
    path = tmp_path / "clip"
    path.write_bytes(flac)
    text = str(path) + "a" * (-len(str(path).replace("/", "")) % 4)
    assert "error" in answer(handler, inputs=[text])[0]
    assert "expected a file's content" in refused(handler, inputs={"path": str(path)})


def test_no_inputs(handler: Any) -> None:
    assert refused(handler, parameters={}).startswith("no inputs; expected a file's content")
    assert refused(handler, inputs=None).endswith("found NoneType")
    assert refused(handler, inputs="") == "inputs: empty: 0 bytes"


def test_limits(repository: Path, monkeypatch: pytest.MonkeyPatch, flac: bytes, speech: np.ndarray) -> None:
    monkeypatch.setenv("CRNN_HF_MOST_INPUTS", "2")
    monkeypatch.setenv("CRNN_HF_MOST_BYTES", str(len(flac)))
    monkeypatch.setenv("CRNN_HF_MOST_SECONDS", "2")
    handler = module_of(repository).EndpointHandler(str(repository))
    text = base64.b64encode(flac).decode()
    assert [result["duration"] for result in answer(handler, inputs=[flac, text])] == [2.0, 2.0]
    assert refused(handler, inputs=[flac] * 3) == "too many inputs: 3; expected at most 2"
    assert f"too large: {len(flac) + 1} bytes" in refused(handler, inputs=flac + b"\0")
    assert "too large" in refused(handler, inputs="A" * 2 * len(flac))
    long = encoded(np.append(np.zeros(2 * RATE), 0.1))
    assert refused(handler, inputs=long) == "inputs: too long; expected at most 2 s"
    monkeypatch.setenv("CRNN_HF_MOST_SECONDS", "-1")
    with pytest.raises(ValueError, match="CRNN_HF_MOST_SECONDS: expected a number above 0; found '-1'"):
        module_of(repository).EndpointHandler(str(repository))


def test_what_is_too_long_is_not_decoded_to_its_end(
    handler: Any, monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    hour = encoded(np.zeros(3_600 * RATE, np.int16))
    assert len(hour) < handler.limits.size
    tracemalloc.start()
    message = refused(handler, inputs=hour)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message == "inputs: too long; expected at most 600 s"
    assert peak < 2 * 610 * RATE * 4  # bytes, of an hour's 230 MB


def test_onnx_is_used_where_it_is(repository: Path, tiny_detector: Path, tmp_path: Path, handler: Any) -> None:
    assert handler.backend == "torch"
    folder = shutil.copytree(repository, tmp_path / "with onnx")
    export_onnx(folder, folder)
    with_onnx = module_of(folder).EndpointHandler(str(folder))
    assert with_onnx.backend == "onnx"
    content = encoded(0.1 * np.random.default_rng(0).standard_normal(RATE))
    found, expected = (answer(one, inputs=content)["score"] for one in (with_onnx, handler))
    assert found == pytest.approx(expected, abs=3e-4)


# As the toolkit does it, but for putting the repository on the path: the handler must find the package by itself.
AS_THE_TOOLKIT = """
    import importlib.util, json, sys
    from pathlib import Path

    checkout, repository, recording = map(Path, sys.argv[1:])
    sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]
    sys.path = [entry for entry in sys.path if Path(entry).resolve() != checkout]
    spec = importlib.util.spec_from_file_location("handler.EndpointHandler", repository / "handler.py")
    handler = importlib.util.module_from_spec(spec)
    sys.modules["handler.EndpointHandler"] = handler
    spec.loader.exec_module(handler)
    found = handler.EndpointHandler(str(repository))({"inputs": recording.read_bytes()})
    print(json.dumps([found, sys.modules["crnn_hf"].__file__]))
"""


def test_the_repository_says_what_has_to_be_installed(repository: Path) -> None:
    lines = (repository / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("torch<") or line.startswith("torch>") for line in lines)
    assert any(line.startswith("onnxruntime") for line in lines)
    assert not any(line.startswith(("pytest", "gradio", "ruff")) for line in lines)


def test_a_fresh_process_with_the_package_in_the_repository(
    repository: Path, tmp_path: Path, flac: bytes, handler: Any
) -> None:
    folder = shutil.copytree(repository, tmp_path / "repository")
    checkout = Path(crnn_hf.__file__).parents[1]
    (tmp_path / "clip.flac").write_bytes(flac)
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(AS_THE_TOOLKIT), checkout, folder, tmp_path / "clip.flac"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found, package = json.loads(finished.stdout)
    assert found == answer(handler, inputs=flac)
    assert Path(package).is_relative_to(folder) or "site-packages" in package

"""The demo as it is served: its functions by gradio_client and by plain HTTP, and the page without a model."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs crnn-hf[space]")
gradio_client = pytest.importorskip("gradio_client", reason="comes with gradio")


@pytest.fixture(scope="session")
def client(address: str) -> Any:
    return gradio_client.Client(address, verbose=False)


def test_a_program_asks_it(client: Any, recording: Path) -> None:
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/detect"]
    found = client.predict(gradio_client.handle_file(recording), None, api_name="/detect")
    assert found["label"] in ("real", "fake", "unsure")
    assert found["duration"] == 6.0
    assert 0 <= found["probability"] <= 1
    flagged = client.predict(gradio_client.handle_file(recording), "fakes_missed_1%", api_name="/detect")
    assert flagged["label"] in ("real", "fake")


def test_errors_reach_the_program(client: Any, recording: Path, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    with pytest.raises(gradio_client.exceptions.AppError, match=r"^text.wav: no audio"):
        client.predict(gradio_client.handle_file(tmp_path / "text.wav"), None, api_name="/detect")
    with pytest.raises(gradio_client.exceptions.AppError, match="no threshold is named 'nonsense'; expected one of"):
        client.predict(gradio_client.handle_file(recording), "nonsense", api_name="/detect")


def test_plain_http(address: str, recording: Path) -> None:
    content = recording.read_bytes()
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
    upload = _posted(
        f"{address}/gradio_api/upload", head + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    )
    assert _asked(address, upload[0])["duration"] == 6.0


def test_files_of_the_server_are_not_read(address: str, recording: Path) -> None:
    with pytest.raises(RuntimeError, match="error"):
        _asked(address, str(recording))


def test_no_recording_is_kept(served: Any, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from demo import page

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(page, "SWEPT_SECONDS", 0.5)
    monkeypatch.setattr(page, "KEPT_SECONDS", 1.5)
    built = page.build(served)
    _, address, _ = built.launch(prevent_thread_lock=True, quiet=True, **page.settings())
    try:
        client = gradio_client.Client(address, verbose=False)
        client.predict(gradio_client.handle_file(recording), None, api_name="/detect")
        assert list((tmp_path / "kept").rglob("a *recording*.wav"))
        deadline = time.monotonic() + 15
        while list((tmp_path / "kept").rglob("a *recording*.wav")) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not list((tmp_path / "kept").rglob("a *recording*.wav"))
        example = Path(built.examples.name) / "artificial-voice.wav"
        with urllib.request.urlopen(f"{address}gradio_api/file={example}") as answer:
            assert answer.read() == example.read_bytes()
        assert _asked(address.rstrip("/"), str(example))["duration"] == 6.0
    finally:
        built.close()


def test_without_a_model_it_says_how_to_get_one() -> None:
    from demo.page import build

    config = json.dumps(build(None).get_config_file())
    assert "There is no model here yet" in config
    assert "crnn-hf train" in config
    assert "microphone" not in config


def test_artificial_voices_are_marked(artificial: Path, served: Any) -> None:
    from demo.about import notice
    from demo.models import load

    assert "artificial voices" in notice(load(artificial))
    assert "No model was named" in notice(load(artificial, is_chosen=False))
    assert notice(served) == ""


def _asked(address: str, path: str) -> dict[str, Any]:
    body = json.dumps({"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, None]}).encode()
    event = _posted(f"{address}/gradio_api/call/detect", body, "application/json")["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/detect/{event}") as answer:
        kind, data = answer.read().decode().split("\n")[:2]
    if kind != "event: complete":
        raise RuntimeError(kind)
    return json.loads(data.removeprefix("data: "))[0]


def _posted(address: str, body: bytes, kind: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(address, body, {"Content-Type": kind})) as answer:
        return json.load(answer)

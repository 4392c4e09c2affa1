"""Whatever holds a recording gives the same waveform."""

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from crnn_hf.audio import AudioReadError, read_audio, resample
from crnn_hf.inference.recordings import blocks_of


def whole(recording: Any, rate: int = 16_000) -> np.ndarray:
    return np.concatenate(list(blocks_of(recording, rate)))


@pytest.fixture
def path(tmp_path: Path, speech: np.ndarray, encoded: Callable) -> Path:
    path = tmp_path / "speech.flac"
    path.write_bytes(encoded(speech, "FLAC"))
    return path


@pytest.fixture
def address(path: Path) -> Iterator[str]:
    """Where a server has the file."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=path.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_files_in_all_their_forms(path: Path) -> None:
    expected = read_audio(path)
    content = path.read_bytes()
    forms = [str(path), path, content, bytearray(content), io.BytesIO(content), {"bytes": content, "path": "x.flac"}]
    for form in [*forms, {"bytes": None, "path": str(path)}]:
        assert np.array_equal(whole(form), expected)


def test_addresses(path: Path, address: str) -> None:
    assert np.array_equal(whole(f"{address}/speech.flac"), read_audio(path))
    with pytest.raises(OSError, match="nowhere"):
        whole(f"{address}/nowhere.flac")


def test_arrays_and_dicts(speech: np.ndarray) -> None:
    assert np.array_equal(whole(speech), speech)
    assert np.array_equal(whole(torch.from_numpy(speech)[None]), speech)
    assert whole((speech * 32_767).astype(np.int16)) == pytest.approx(speech, abs=1e-4)
    expected = resample(speech, 44_100, 16_000)
    for key in ("raw", "array"):
        assert whole({key: speech, "sampling_rate": 44_100}) == pytest.approx(expected, abs=1e-6)
    decoder = SimpleNamespace(
        get_all_samples=lambda: SimpleNamespace(data=torch.from_numpy(speech)[None], sample_rate=44_100)
    )
    assert whole(decoder) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        (3.0, r"expected a path, .*; found float of shape \(\)"),
        (np.zeros((4, 9)), r"found ndarray of shape \(4, 9\)"),
        (np.zeros(9, np.int64), "16-bit integers; found int64"),
        (["a", "b"], "expected a path"),
        ({"x": 1}, r"found a dict of \['x'\]"),
        ({"raw": np.zeros(9)}, r"found a dict of \['raw'\]"),
        (np.zeros(0), "empty: 0 samples"),
        (np.array([0.0, np.nan]), "1 samples are not finite numbers, the first is 1"),
        (b"", "empty: 0 bytes"),
        (b"no audio at all", "no audio in a known format"),
    ],
)
def test_what_is_no_recording_is_named(recording: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        whole(recording)


def test_a_damaged_file_is_named(tmp_path: Path, path: Path) -> None:
    damaged = tmp_path / "cut.flac"
    damaged.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(AudioReadError, match=r"cut\.flac: cut off or damaged"):
        whole(str(damaged))

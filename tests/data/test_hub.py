"""A corpus on the Hub is streamed and downloaded by `huggingface_hub`'s own client, from a server of this machine.

The server speaks as much of the Hub's interface as reading a dataset repository takes. The client learns its address
from the environment, once, when it is imported; so it runs in a process of its own.
"""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crnn_hf.data import load_asvspoof5

REPOSITORY = "user/corpus"
COMMIT = "1" * 40


class HubHandler(http.server.BaseHTTPRequestHandler):
    """One dataset repository, `REPOSITORY`, whose files are those of `directory`."""

    directory: Path
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if (wanted := re.fullmatch(rf"/datasets/{REPOSITORY}/resolve/[^/]+/(.+)", path)) is not None:
            self._send_file(self.directory / wanted[1])
        elif re.fullmatch(rf"/api/datasets/{REPOSITORY}(/revision/[^/]+)?", path):
            siblings = [{"rfilename": file["path"]} for file in self._files()]
            self._send_json({"id": REPOSITORY, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []})
        elif re.fullmatch(rf"/api/datasets/{REPOSITORY}/tree/[^/]+", path):
            self._send_json(self._files())
        else:
            self._send_json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._send_json([file for file in self._files() if file["path"] in body])

    def _files(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": _digest(path)}
            for path in sorted(self.directory.iterdir())
        ]

    def _send_json(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self._finish(body)

    def _send_file(self, path: Path) -> None:
        if not path.is_file():
            self._send_json({"error": "not found"}, 404)
            return
        content = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        self.send_response(200 if wanted is None else 206)
        self.send_header("ETag", f'"{_digest(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if wanted is not None:
            first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        self._finish(content)

    def _finish(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@pytest.fixture
def endpoint(tiny_corpus: Path) -> Iterator[str]:
    """The address of a Hub on this machine that has the tiny corpus."""
    handler = type("Handler", (HubHandler,), {"directory": tiny_corpus})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


SCRIPT = """
    import hashlib, json, sys
    from crnn_hf.data import load_asvspoof5

    found = []
    for streaming in (True, False):
        rows = load_asvspoof5("hf://datasets/user/corpus", "train", streaming=streaming, cache_dir=sys.argv[1])
        found.append({row["utterance"]: hashlib.sha256(row["audio"]["bytes"]).hexdigest() for row in rows})
    print(json.dumps(found))
"""


def test_a_corpus_on_the_hub(endpoint: str, tiny_corpus: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert finished.returncode == 0, finished.stderr[-3_000:]
    expected = {
        row["utterance"]: hashlib.sha256(row["audio"]["bytes"]).hexdigest()
        for row in load_asvspoof5(tiny_corpus, "train")
    }
    streamed, downloaded = json.loads(finished.stdout.splitlines()[-1])
    assert streamed == expected
    assert downloaded == expected

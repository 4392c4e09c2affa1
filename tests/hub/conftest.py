"""A Hub on this machine, which `huggingface_hub`'s own client pushes to and loads from.

It speaks the Hub's HTTP interface as far as publishing takes it, keeps its repositories in memory, and can be told to
drop a connection or to refuse. What it does not know it answers with 404.
"""

import base64
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import numpy as np
import pytest
from huggingface_hub import HfApi

from crnn_hf.metrics import write_keys, write_scores
from crnn_hf.metrics.report import measure, write_report
from crnn_hf.metrics.trials import Trials

TOKEN, READING_TOKEN = "hf_writing", "hf_reading"
LFS_ENDINGS = (".safetensors", ".onnx", ".bin")


@dataclass
class Repository:
    """A repository: a list of commits, each with the digest of every file, and what of it is LFS; and tags."""

    private: bool = False
    commits: list[dict[str, str]] = field(default_factory=lambda: [{}])
    messages: list[str] = field(default_factory=lambda: ["initial commit"])
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    created_with: dict[str, Any] = field(default_factory=dict)

    def sha(self, number: int) -> str:
        return hashlib.sha1(f"{number}".encode()).hexdigest()

    @property
    def head(self) -> str:
        return self.sha(len(self.commits) - 1)

    def number_of(self, revision: str) -> int | None:
        named = {"main": self.head, **{tag: commit for tag, (commit, _) in self.tags.items()}}
        shas = {self.sha(number): number for number in range(len(self.commits))}
        return shas.get(named.get(revision, revision))


@dataclass
class Hub:
    """All of the Hub.

    Attributes:
        repositories: by type and name, such as ("models", "user/crnn").
        blobs: contents by their digest: SHA-256 of what is LFS, git's SHA-1 of the rest.
        uploaded: contents of LFS files that came by PUT.
        requests: method and path of each request.
        fail: what to do instead of answering a request whose method and path match the pattern: "drop" the connection,
            after half of the body has come, or a status to answer; as many times as it says.
    """

    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    fail: dict[str, list[str | int]] = field(default_factory=dict)
    endpoint: str = ""

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        """The contents of a repository's files."""
        repository = self.repositories[kind, name]
        listed = repository.commits[repository.number_of(revision)]
        return {path: self.blobs[digest] for path, digest in listed.items()}


class Answer(Exception):
    """An error to answer with."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for `hub`."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    do_PUT = do_POST = lambda self: self.do_GET()

    def do_GET(self) -> None:
        request = f"{self.command} {unquote(urlsplit(self.path).path)}"
        self.hub.requests.append(request)
        length = int(self.headers.get("Content-Length", 0))
        failing = next(
            (fails for pattern, fails in self.hub.fail.items() if fails and re.search(pattern, request)), []
        )
        failure = failing.pop(0) if failing else None
        if failure == "drop":
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        try:
            if isinstance(failure, int):
                raise Answer(failure, "as the test has it")
            for pattern, answer in ROUTES.items():
                if (found := re.fullmatch(pattern, request)) is not None:
                    answer(self, body, **found.groupdict())
                    return
            raise Answer(404, f"no such page: {request}")
        except Answer as error:
            headers = {"X-Error-Message": str(error), **({"X-Error-Code": error.code} if error.code else {})}
            self.send(json.dumps({"error": str(error)}).encode(), error.status, headers)

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_json(self, content: Any, status: int = 200) -> None:
        self.send(json.dumps(content).encode(), status, {"Content-Type": "application/json"})

    def user(self, may_write: bool = False) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in ("", TOKEN, READING_TOKEN):
            raise Answer(401, "Invalid credentials in Authorization header")
        if may_write and token != TOKEN:
            raise Answer(403, "your token may not write") if token else Answer(401, "log in first")
        return "user" if token else None

    def repository(self, kind: str, name: str, may_write: bool = False) -> Repository:
        user = self.user(may_write)
        repository = self.hub.repositories.get((kind, name))
        if repository is None or (repository.private and user is None):
            raise Answer(404 if user else 401, "Repository not found", "RepoNotFound")
        return repository

    def files_at(self, kind: str, name: str, revision: str) -> tuple[Repository, int, dict[str, str]]:
        repository = self.repository(kind, name)
        number = repository.number_of(revision)
        if number is None:
            raise Answer(404, f"no revision {revision}", "RevisionNotFound")
        return repository, number, repository.commits[number]

    # What follows answers one page each; the names of the arguments are those of the routes' groups.

    def whoami(self, body: bytes) -> None:
        if self.user() is None:
            raise Answer(401, "Invalid credentials in Authorization header")
        self.send_json({"name": "user", "type": "user", "orgs": []})

    def create(self, body: bytes) -> None:
        self.user(may_write=True)
        asked = json.loads(body)
        name = f"{asked['organization'] or 'user'}/{asked['name']}"
        if not name.startswith("user/"):
            raise Answer(403, f"you may not create anything under {asked['organization']}")
        key = f"{asked.get('type') or 'model'}s", name
        if key in self.hub.repositories:
            self.send_json({"error": "You already created this repo", "url": f"{self.hub.endpoint}/{name}"}, 409)
            return
        self.hub.repositories[key] = Repository(asked.get("visibility") == "private", created_with=asked)
        self.send_json({"url": f"{self.hub.endpoint}/{name}", "id": name})

    def validate_card(self, body: bytes) -> None:
        self.send_json({"errors": [], "warnings": []})

    def preupload(self, body: bytes, kind: str, name: str, revision: str) -> None:
        self.repository(kind, name, may_write=True)
        files = self.files_at(kind, name, revision)[2]
        self.send_json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if file["path"].endswith(LFS_ENDINGS) else "regular",
                        "shouldIgnore": False,
                        "oid": files.get(file["path"]),
                    }
                    for file in json.loads(body)["files"]
                ]
            }
        )

    def lfs_batch(self, body: bytes, name: str) -> None:
        self.user(may_write=True)
        objects = []
        for wanted in json.loads(body)["objects"]:
            if wanted["oid"] not in self.hub.blobs:
                wanted["actions"] = {
                    "upload": {"href": f"{self.hub.endpoint}/lfs/{wanted['oid']}", "header": {}},
                    "verify": {"href": f"{self.hub.endpoint}/lfs-verify", "header": {}},
                }
            objects.append(wanted)
        self.send_json({"transfer": "basic", "objects": objects})

    def lfs_upload(self, body: bytes, digest: str) -> None:
        if hashlib.sha256(body).hexdigest() != digest:
            raise Answer(400, "the content does not have this digest")
        self.hub.blobs[digest] = body
        self.send(b"")

    def lfs_verify(self, body: bytes) -> None:
        self.user(may_write=True)
        asked = json.loads(body)
        if len(self.hub.blobs.get(asked["oid"], b"")) != asked["size"]:
            raise Answer(404, "not uploaded")
        self.send_json({})

    def commit(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repository = self.repository(kind, name, may_write=True)
        header, *operations = (json.loads(line) for line in body.splitlines())
        if header["value"].get("parentCommit") not in (None, repository.head):
            raise Answer(412, "A commit has happened since")
        files = dict(repository.commits[-1])
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                content = base64.b64decode(value["content"])
                digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                self.hub.blobs[digest] = content
                files[value["path"]] = digest
            elif operation["key"] == "lfsFile":
                if value["oid"] not in self.hub.blobs:
                    raise Answer(400, f"{value['path']} was never uploaded")
                files[value["path"]] = value["oid"]
            else:
                assert operation["key"] == "deletedFile", operation
                del files[value["path"]]
        repository.commits.append(files)
        repository.messages.append(header["value"]["summary"])
        address = f"{self.hub.endpoint}/{name}/commit/{repository.head}"
        self.send_json({"commitUrl": address, "commitOid": repository.head})

    def info(self, body: bytes, kind: str, name: str, revision: str | None = None) -> None:
        repository, number, files = self.files_at(kind, name, revision or "main")
        config = json.loads(self.hub.blobs[files["config.json"]]) if "config.json" in files else {}
        self.send_json(
            {
                "id": name,
                "sha": repository.sha(number),
                "private": repository.private,
                "tags": [],
                "siblings": [{"rfilename": path} for path in files],
                "config": {key: config[key] for key in ("model_type", "architectures") if key in config},
            }
        )

    def tree(self, body: bytes, kind: str, name: str, revision: str) -> None:
        self.send_json([self.entry(*item) for item in self.files_at(kind, name, revision)[2].items()])

    def paths_info(self, body: bytes, kind: str, name: str, revision: str) -> None:
        files = self.files_at(kind, name, revision)[2]
        self.send_json([self.entry(*item) for item in files.items() if item[0] in unquote(body.decode())])

    def entry(self, path: str, digest: str) -> dict[str, Any]:
        size = len(self.hub.blobs[digest])
        lfs = {"lfs": {"oid": digest, "size": size, "pointerSize": 134}} if path.endswith(LFS_ENDINGS) else {}
        return {"type": "file", "path": path, "oid": digest, "size": size, **lfs}

    def refs(self, body: bytes, kind: str, name: str) -> None:
        repository = self.repository(kind, name)
        tags = [
            {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit}
            for tag, (commit, _) in repository.tags.items()
        ]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head}
        self.send_json({"branches": [main], "converts": [], "tags": tags})

    def tag(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repository = self.repository(kind, name, may_write=True)
        asked = json.loads(body)
        if asked["tag"] in repository.tags:
            raise Answer(409, "Tag already exists")
        repository.tags[asked["tag"]] = repository.sha(repository.number_of(revision)), asked.get("message", "")
        self.send_json({})

    def resolve(self, body: bytes, name: str, revision: str, path: str, kind: str = "models") -> None:
        repository, number, files = self.files_at(kind.rstrip("/") or "models", name, revision)
        commit = {"X-Repo-Commit": repository.sha(number)}
        if path not in files:
            raise Answer(404, f"no file {path}", "EntryNotFound")
        digest = files[path]
        content = self.hub.blobs[digest]
        if path.endswith(LFS_ENDINGS):  # which lie elsewhere
            linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
            # Another host, by its name, to which the client takes neither its token nor its questions.
            elsewhere = self.hub.endpoint.replace("127.0.0.1", "localhost")
            self.send(b"", 302, {**commit, **linked, "Location": f"{elsewhere}/lfs/{digest}"})
            return
        self.content(body, digest, commit)

    def content(self, body: bytes, digest: str, headers: dict[str, str] | None = None) -> None:
        content = self.hub.blobs[digest]
        headers = {"ETag": f'"{digest}"', "Accept-Ranges": "bytes", **(headers or {})}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            self.send(content, 200, headers)
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self.send(content[first : last + 1], 206, headers)


NAME = r"(?P<name>[^/]+/[^/]+?)"
IN_API = rf"/api/(?P<kind>models|spaces)/{NAME}"
ROUTES: dict[str, Callable[..., None]] = {
    r"GET /api/whoami-v2": Handler.whoami,
    r"POST /api/repos/create": Handler.create,
    r"POST /api/validate-yaml": Handler.validate_card,
    rf"POST {IN_API}/preupload/(?P<revision>.+)": Handler.preupload,
    rf"POST /(?:spaces/)?{NAME}\.git/info/lfs/objects/batch": Handler.lfs_batch,
    r"PUT /lfs/(?P<digest>\w+)": Handler.lfs_upload,
    r"POST /lfs-verify": Handler.lfs_verify,
    rf"POST {IN_API}/commit/(?P<revision>.+)": Handler.commit,
    rf"POST {IN_API}/tag/(?P<revision>.+)": Handler.tag,
    rf"GET {IN_API}/refs": Handler.refs,
    rf"GET {IN_API}/tree/(?P<revision>[^/]+)": Handler.tree,
    rf"POST {IN_API}/paths-info/(?P<revision>.+)": Handler.paths_info,
    rf"GET {IN_API}(?:/revision/(?P<revision>.+))?": Handler.info,
    r"(?:GET|HEAD) /lfs/(?P<digest>\w+)": Handler.content,
    rf"(?:GET|HEAD) /(?P<kind>spaces/|){NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)": Handler.resolve,
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An empty Hub that listens."""
    hub = Hub()
    handler = type("HandlerOfHub", (Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()


@pytest.fixture(autouse=True)
def _plain_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads and downloads by HTTP alone, as this Hub speaks no Xet, even where tests run offline."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture
def api(hub: Hub) -> HfApi:
    """The client, of somebody who may write."""
    return HfApi(endpoint=hub.endpoint, token=TOKEN)


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Gives the folder of a report on made-up scores of always the same clips. Copy it before changing anything."""

    @cache
    def write(separation: float = 1.0, clips: int = 80, calibration: str = "null") -> Path:
        rng = np.random.default_rng(0)
        is_fake = np.arange(clips) % 2 == 1
        scores = rng.normal(size=clips) + separation * np.where(is_fake, -1, 1)
        columns = {
            "attack": [f"A{9 + place % 4 // 2:02}" if fake else "-" for place, fake in enumerate(is_fake)],
            "codec": ["C01" if place // 2 % 2 else "-" for place in range(clips)],
        }
        trials = Trials([f"E_{place:04}" for place in range(clips)], scores, is_fake, columns)
        about = {
            "model": "/srv/somebody/secret/model",
            "data": "/srv/somebody/secret/corpus, test",
            "command": "crnn-hf evaluate /srv/somebody/secret/model /srv/somebody/secret/corpus",
            "date": "2026-01-31",
        }
        folder = tmp_path_factory.mktemp("reports") / "report"
        write_report(folder, trials, measure(trials, about, resamples=20, calibration=json.loads(calibration)))
        write_scores(folder / "scores.tsv", trials.utterances, trials.scores)
        write_keys(folder / "keys.tsv", trials.utterances, trials.is_fake, trials.columns)
        return folder

    return write

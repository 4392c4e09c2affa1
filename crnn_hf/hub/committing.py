"""A folder into a repository of the Hub, in one commit: all of it is there afterwards, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HTTPError, RepositoryNotFoundError

from crnn_hf.hub.faults import HubError, explained, what_happened


@dataclass(frozen=True)
class Before:
    """A model's repository as it is before something is published; None and nothing where there is none.

    Attributes:
        head: the commit that main is at.
        tags: by name, the commit that each is at.
        model_type: of the config.
    """

    head: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    model_type: str | None = None


def look_at(api: HfApi, repo_id: str) -> Before:
    """See what there is under a model's name; raises what `huggingface_hub` does."""
    try:
        info = api.model_info(repo_id)
    except RepositoryNotFoundError:
        return Before()
    tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(repo_id).tags}
    return Before(info.sha, tags, (info.config or {}).get("model_type"))


def open_repository(api: HfApi, repo_id: str, repo_type: str = "model", **creating: Any) -> str:
    """Make a repository if it is not there yet, and say which commit its main branch is at.

    Args:
        api: the client.
        repo_id: user/name.
        repo_type: "model" or "space".
        creating: for `HfApi.create_repo`, such as `private`.

    Raises:
        HubError: no network, no right to do so, or a public repository where a private one is asked for.
    """
    with explained(api, repo_id):
        api.create_repo(repo_id, repo_type=repo_type, exist_ok=True, **creating)
        info = api.repo_info(repo_id, repo_type=repo_type)
    if creating.get("private") and not info.private:
        raise HubError(f"{repo_id} is public already: make it private in its settings, or leave out --private")
    return info.sha


def commit_folder(
    api: HfApi,
    folder: Path,
    repo_id: str,
    *,
    repo_type: str = "model",
    parent: str,
    message: str,
    replaced: Sequence[str] = (),
) -> str:
    """Commit all files of a folder.

    `HfApi.upload_folder` may make several commits of a folder, so that a part of it is there when it fails.

    Args:
        api: the client.
        folder: of the files.
        repo_id: the repository, which is there.
        repo_type: its type.
        parent: commit that main is at; if it is another by then, nothing is committed.
        message: of the commit.
        replaced: folders and files of the repository that are to be as they are here, or be gone.

    Returns:
        The commit's hash; the parent's where nothing changes.

    Raises:
        HubError: it did not work, and nothing of it is there.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    with explained(api, repo_id):
        there = api.list_repo_files(repo_id, repo_type=repo_type, revision=parent)
    gone = [name for name in there if name not in names and any(_lies_in(name, place) for place in replaced)]
    operations = [
        *(CommitOperationDelete(name) for name in gone),
        *(CommitOperationAdd(name, path) for name, path in zip(names, paths, strict=True)),
    ]
    try:
        return api.create_commit(
            repo_id, operations, commit_message=message, repo_type=repo_type, parent_commit=parent
        ).oid
    # Whatever the client and its upload library raise: the commit, which comes last, was not made.
    except Exception as error:
        raise HubError(_not_committed(error, api, repo_id, repo_type, parent)) from error


def _not_committed(error: Exception, api: HfApi, repo_id: str, repo_type: str, parent: str) -> str:
    reason = what_happened(error, api, repo_id)
    try:
        head = api.repo_info(repo_id, repo_type=repo_type).sha
    except (HTTPError, OSError):
        return f"{reason}. Whether {repo_id} has the commit could not be asked; running the command again settles it"
    if head == parent:
        return f"{reason}. Nothing was published: {repo_id} is as it was"
    return f"{reason}. {repo_id} has a new commit, {head[:7]}; run the same command again"


def _lies_in(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")

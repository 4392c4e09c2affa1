"""A model to the Hub: staged, loaded back, committed in one, loaded back from there, and tagged."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HTTPError
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.hub.card import LICENCE, REPORT_FOLDER, model_card
from crnn_hf.hub.committing import Before, commit_folder, look_at, open_repository
from crnn_hf.hub.faults import HubError, check_name, explained
from crnn_hf.hub.loading_back import refuse_unlike, refuse_unlike_onnx
from crnn_hf.hub.markdown import pictures_of
from crnn_hf.hub.records import Report, read_report, read_run, refuse_report_of_another
from crnn_hf.hub.shipped import PACKAGE
from crnn_hf.hub.staging import ONNX_FILE, TAKEN_ALONG, TRAINING_FOLDER, stage_model, stage_report, stage_texts
from crnn_hf.hub.versions import PAGE, NotComparable, Progress, compared, latest_version, next_version, report_of
from crnn_hf.loading import load_detector

REPLACED = (REPORT_FOLDER, TRAINING_FOLDER, PAGE, PACKAGE, *TAKEN_ALONG)  # an older version's say nothing of this one


@dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
        url: of the model.
        commit: its hash.
        version: the tag.
        is_new: whether there was anything to commit or to tag.
    """

    url: str
    commit: str
    version: str
    is_new: bool


def push(
    model: str | Path,
    repo_id: str,
    *,
    report: str | Path | None = None,
    private: bool = False,
    licence: str = LICENCE,
    dataset: str | None = None,
    version: str | None = None,
    must_compare: bool = False,
    api: HfApi | None = None,
    say: Callable[[str], None] = print,
) -> Published:
    """Publish a model with its card, its records and the report on it.

    Nothing is sent before a fresh process has loaded what is going to be published, by its own code, and given the
    score that the model here gives; afterwards the same is asked of the Hub's copy, which is then tagged.

    Args:
        model: folder of the model.
        repo_id: user/name; is made if it is not there.
        report: folder of a report on the model.
        private: whether nobody else may see it.
        licence: of the weights, as the Hub abbreviates it.
        dataset: name on the Hub of the benchmark that the report is on, whose result goes into `.eval_results`.
        version: the tag; by default v1, v2 and so on.
        must_compare: refuse to publish what cannot be compared with the version before.
        api: the client.
        say: takes what is told on the way.

    Raises:
        HubError: the Hub cannot be reached or refuses, or the model does not load back; the message says whether
            anything was published.
        FileNotFoundError: no such folder.
        ValueError: a name that cannot be; a folder that holds no detector; a report of another model; or a version
            that is there already, or cannot be compared and has to be.
    """
    api = api or HfApi()
    folder = Path(model)
    _check_arguments(folder, repo_id, version)
    with explained(api, repo_id):
        api.whoami()
        before = look_at(api, repo_id)
    if version in before.tags:
        raise ValueError(f"{repo_id} has a version {version} already; choose another, or leave it to be numbered")
    measured = None if report is None else read_report(Path(report))
    detector = load_detector(folder, device="cpu")
    if measured is not None:
        refuse_report_of_another(measured.figures, detector[0].config, Path(report))
    if before.model_type not in (None, detector[0].config.model_type):
        raise ValueError(f"{repo_id} holds a model of type {before.model_type}; choose another name")
    version = version or next_version(before.tags)
    progress = _compared(api, repo_id, latest_version(before.tags), version, measured, must_compare, say)
    with TemporaryDirectory() as scratch:
        stage = Path(scratch) / "stage"
        run = read_run(folder)
        stage_model(detector, run, stage)
        if measured is not None:
            stage_report(measured, stage, dataset)
        card = model_card(
            detector,
            run,
            measured,
            repo_id=repo_id,
            licence=licence,
            dataset=dataset,
            pictures=pictures_of(stage / REPORT_FOLDER, REPORT_FOLDER),
            versions=progress.in_short if progress else None,
        )
        stage_texts(card, progress.page if progress else None, stage)
        if (stage / ONNX_FILE).is_file():
            refuse_unlike_onnx(detector, stage / ONNX_FILE)
        difference = refuse_unlike(detector, stage, environment={"HF_HUB_OFFLINE": "1"})
        say(f"A fresh process loads it from its files alone, with a score {difference:.1g} off.")
        made_at = open_repository(api, repo_id, private=private or None)
        # What was compared with what: if somebody else has pushed since, this is refused.
        parent = before.head or made_at
        message = f"{version}, by crnn-hf push"
        commit = commit_folder(api, stage, repo_id, parent=parent, message=message, replaced=REPLACED)
    message = progress.message if progress else version
    return _tagged(api, repo_id, detector, before, commit, version, message, say)


def _check_arguments(folder: Path, repo_id: str, version: str | None) -> None:
    check_name(repo_id)
    if version is not None and not re.fullmatch(r"\w[\w.-]*", version, re.ASCII):
        raise ValueError(f"{version!r} cannot be a tag; expected letters, digits, dots and dashes, such as v1")
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected that of a model")


def _compared(
    api: HfApi,
    repo_id: str,
    old: str | None,
    new: str,
    report: Report | None,
    must_compare: bool,
    say: Callable[[str], None],
) -> Progress | None:
    """The comparison with the version before; None where there is none to be had."""
    try:
        if old is None:
            raise NotComparable(f"{repo_id} has no version before {new}")
        if report is None:
            raise NotComparable("no report was given")
        with explained(api, repo_id):
            before = report_of(api, repo_id, old)
        return compared(before, report, (old, new))
    except NotComparable as reason:
        if must_compare:
            raise
        if old is not None:
            say(f"Not compared with {old}: {reason}.")
        return None


def _tagged(
    api: HfApi,
    repo_id: str,
    detector: tuple[PreTrainedModel, SequenceFeatureExtractor],
    before: Before,
    commit: str,
    version: str,
    message: str,
    say: Callable[[str], None],
) -> Published:
    """Load the commit back from the Hub and give it its tag, unless it has one."""
    url = f"{api.endpoint}/{repo_id}"
    for tag, tagged in before.tags.items():
        if tagged == commit:
            say(f"Nothing has changed since {tag}.")
            return Published(url, commit, tag, is_new=False)
    # By the environment, where other users of this machine cannot read it.
    environment = {"HF_ENDPOINT": api.endpoint, "HF_TOKEN": api.token if isinstance(api.token, str) else get_token()}
    try:
        difference = refuse_unlike(detector, repo_id, commit, environment)
    except HubError as error:
        raise HubError(
            f"commit {commit[:7]} is on main of {repo_id}, but {error}. It has no version: run the same command "
            "again, or restore the commit before in the repository's history"
        ) from error
    say(f"A fresh process loads it from {url} at {commit[:7]}, with a score {difference:.1g} off.")
    try:
        api.create_tag(repo_id, tag=version, revision=commit, tag_message=message)
    except HTTPError as error:
        raise HubError(
            f"commit {commit[:7]} is on main of {repo_id}, but the tag {version} could not be made: run the same "
            "command again"
        ) from error
    return Published(url, commit, version, is_new=True)

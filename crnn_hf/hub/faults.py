"""What can go wrong between here and the Hub, each in a line or two that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)
from huggingface_hub.utils import validate_repo_id

NEW_TOKEN = "make one that may write at https://huggingface.co/settings/tokens, then hf auth login or set HF_TOKEN"


class HubError(OSError):
    """Publishing did not work; the message says why, and what to do."""


def check_name(repo_id: str, option: str = "") -> None:
    """Raise ValueError for what is no name of a repository on the Hub."""
    said = f"{option} {repo_id!r}" if option else repr(repo_id)
    kind, _, rest = repo_id.partition("/")
    if kind in ("datasets", "spaces", "models") and rest.count("/") == 1:
        raise ValueError(f"{said}: expected the name alone, {rest!r}")
    if repo_id.count("/") != 1:
        raise ValueError(f"{said}: expected a name on the Hub, user/name")
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise ValueError(f"{said} is no name on the Hub: {str(error).splitlines()[0]}") from error


@contextmanager
def explained(api: HfApi, repo_id: str) -> Iterator[None]:
    """Turn what `huggingface_hub` raises within it into a `HubError` for people."""
    try:
        yield
    except HubError:
        raise
    except LocalTokenNotFoundError as error:
        raise HubError(f"no token for the Hub: {NEW_TOKEN}") from error
    except OfflineModeIsEnabled as error:
        raise HubError("HF_HUB_OFFLINE is set, which forbids asking the Hub: unset it") from error
    except LocalEntryNotFoundError as error:  # what a download says of a server that does not answer
        raise HubError(f"{repo_id}: {_line(error)}") from error
    except HTTPError as error:
        raise HubError(what_happened(error, api, repo_id)) from error


def what_happened(error: BaseException, api: HfApi, repo_id: str) -> str:
    """An error of the client's in a line or two."""
    if isinstance(error, RuntimeError) and error.__cause__ is not None:  # a failed upload says but which file it was
        return what_happened(error.__cause__, api, repo_id)
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, repo_id)
    if isinstance(error, HTTPError):
        return f"no connection to {api.endpoint}: {_line(error)}. Check the network and run the same command again"
    return f"{repo_id}: {_line(error)}"


def _of_status(error: HfHubHTTPError, repo_id: str) -> str:
    status = error.response.status_code
    said = error.server_message or error.response.headers.get("X-Error-Message")
    detail = f" ({said})" if said else ""
    if status == 401:
        return f"the Hub does not accept the token{detail}: {NEW_TOKEN}"
    if status == 403:
        return (
            f"the token may not write to {repo_id}{detail}: choose a name of your own or your organisation's, and a "
            "token with write permission, from https://huggingface.co/settings/tokens"
        )
    if status == 404:
        return f"{repo_id}: not found on the Hub, or not for this token{detail}"
    if status == 412:
        return f"{repo_id} was changed by somebody else meanwhile: run the same command again"
    if status == 429 or status >= 500:
        return f"the Hub is busy or out of order (status {status}){detail}: run the same command again later"
    return f"the Hub refuses {repo_id} with status {status}{detail}"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__

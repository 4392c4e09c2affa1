"""Scores and keys brought together, by name and never by place."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from crnn_hf.metrics.exchange.key_file import Keys
from crnn_hf.metrics.trials import Trials

NAMED = 3  # how many of the names that do not match an error gives


def _without_extension(name: str) -> str:
    stem, _, extension = name.rpartition(".")
    return stem if stem and "/" not in extension else name


def _without_folder(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


# In what names differ where one program writes them as it found the files and another as the protocol has them.
BUT_FOR: dict[str, Callable[[str], str]] = {
    "the extension": _without_extension,
    "the folder": _without_folder,
    "folder and extension": lambda name: _without_extension(_without_folder(name)),
}


def match(utterances: Sequence[str], scores: ArrayLike, keys: Keys, *, partial: bool = False) -> Trials:
    """Join scores with keys by the clips' names, in the keys' order.

    Args:
        utterances: the name of each scored clip.
        scores: (clips,), higher for real.
        keys: what is known of the clips.
        partial: whether clips that have a key and no score are left out; they are an error otherwise.

    Raises:
        ValueError: not as many names as scores, a name twice, a score without a key, or a key without a score. Nothing
            is left out unasked: the message says how many do not match, names some, and says so if they would match
            but for an extension or a folder.
    """
    scores = np.asarray(scores, np.float64)
    if scores.shape != (len(utterances),):
        raise ValueError(f"expected one score a name; found {len(utterances)} and scores of shape {scores.shape}")
    place_of = {name: place for place, name in enumerate(utterances)}
    if len(place_of) < len(utterances):
        twice = next(name for place, name in enumerate(utterances) if place_of[name] != place)
        raise ValueError(f"expected one score a clip; found two or more of {twice}")
    places = np.array([place_of.get(name, -1) for name in keys.utterances], np.intp)
    has_score = places >= 0
    if has_score.sum() < len(utterances) or not (partial or has_score.all()):
        raise ValueError(_mismatch(utterances, keys.utterances, partial))
    if has_score.all():
        return Trials(list(keys.utterances), scores[places], keys.is_fake, keys.columns)
    chosen = np.flatnonzero(has_score).tolist()
    columns = {name: [values[place] for place in chosen] for name, values in keys.columns.items()}
    names = [keys.utterances[place] for place in chosen]
    return Trials(names, scores[places[chosen]], keys.is_fake[chosen], columns)


def _mismatch(scored: Sequence[str], keyed: Sequence[str], partial: bool) -> str:
    """What to tell whose scores and keys do not match."""
    with_key, with_score = set(keyed), set(scored)
    no_key = [name for name in scored if name not in with_key]
    no_score = [name for name in keyed if name not in with_score]
    found = []
    if no_key:
        found.append(f"{len(no_key)} of {len(scored)} scores have no key: {_some(no_key)}")
    if no_score and not partial:
        found.append(f"{len(no_score)} of {len(keyed)} keys have no score: {_some(no_score)}")
    hint = _difference(scored, keyed, no_key[0]) if no_key else "To measure those that have one alone, say so: partial"
    return "; ".join([*found, hint])


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:NAMED])) + (", ..." if len(names) > NAMED else "")


def _difference(scored: Sequence[str], keyed: Sequence[str], example: str) -> str:
    """In what alone the names differ, if there is such a thing."""
    for what, bare in BUT_FOR.items():
        key_of = {bare(name): name for name in keyed}
        bare_scored = {bare(name) for name in scored}
        is_unambiguous = len(key_of) == len(keyed) and len(bare_scored) == len(scored)
        if is_unambiguous and bare_scored <= key_of.keys():
            return f"every score would have its key but for {what}: {example!r} and {key_of[bare(example)]!r}"
    return "expected the names of the keys"

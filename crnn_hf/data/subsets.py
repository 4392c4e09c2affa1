"""Parts of a corpus that can be had again: the same seed chooses the same rows, on every machine.

Rows and speakers are put in the order of a hash of their names, for random generators change with library versions.
What a row is called decides whether it is chosen, not where it stands. Every function reads the descriptions alone,
never the audio, and keeps the rows in the order in which it found them. A stratum is a label and an attack.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import TypeVar

from datasets import Dataset

from crnn_hf.data.columns import LABELS, UNKNOWN

REAL, FAKE = range(len(LABELS))

Key = TypeVar("Key", bound=Hashable)


def stratified_split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Set aside a share of each label and attack.

    A stratum of two rows or more is on both sides, however small the share; the one row of a stratum that has no
    other stays in the rest. Speakers may be on both sides.

    Args:
        dataset: rows with the columns `label`, `attack` and `utterance`.
        share: what to set aside, above 0 and below 1.
        seed: another one sets aside other rows.

    Returns:
        The rest, and the rows set aside.

    Raises:
        ValueError: a share outside of its range, or no stratum has two rows.
    """
    _check_share(share)
    held_out = []
    for members in _strata(dataset, seed).values():
        if len(members) > 1:
            held_out += members[: min(max(1, round(share * len(members))), len(members) - 1)]
    if not held_out:
        raise ValueError(f"expected two clips or more of some label and attack; found {len(dataset)}, no two alike")
    return _parted(dataset, held_out)


def speaker_disjoint_split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Set aside some speakers with all their clips, so that no speaker is on both sides.

    The speakers are chosen such that about `share` of the real clips and about `share` of the fakes are set aside; how
    near that comes depends on how many clips single speakers have. Either class, if it occurs, is on both sides.

    Args:
        dataset: rows with the columns `label` and `speaker`.
        share: what to set aside, above 0 and below 1.
        seed: another one sets aside other speakers.

    Returns:
        The rest, and the rows set aside.

    Raises:
        ValueError: a share outside of its range, unknown speakers, or a class with fewer than two.
    """
    _check_share(share)
    speakers, labels = _columns(dataset, "speaker", "label")
    unknown = speakers.count(UNKNOWN)
    if unknown:
        raise ValueError(
            f"expected the speaker of every clip; found {unknown} of {len(speakers)} unknown ({UNKNOWN!r})"
        )
    clips: dict[str, Counter[int]] = defaultdict(Counter)
    for speaker, label in zip(speakers, labels, strict=True):
        clips[speaker][label] += 1
    if not clips:
        raise ValueError("expected clips of two speakers or more; found no clip")
    for label in set(labels):
        of_class = [speaker for speaker in clips if clips[speaker][label]]
        if len(of_class) < 2:
            raise ValueError(f"expected two speakers or more of {LABELS[label]} clips; found {of_class[0]!r} alone")
    chosen = _choose_speakers({speaker: clips[speaker] for speaker in _shuffled(clips, seed)}, share)
    return _parted(dataset, [row for row, speaker in enumerate(speakers) if speaker in chosen])


def natural_subset(dataset: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows in which every label and attack has the share that it has in the whole.

    Numbers are rounded by largest remainder. A stratum that is too rare for one row of `count` has none.

    Args:
        dataset: rows with the columns `label`, `attack` and `utterance`.
        count: 1 to the number of rows.
        seed: another one chooses other rows.

    Raises:
        ValueError: a count outside of its range.
    """
    if not 1 <= count <= len(dataset):
        raise ValueError(f"expected a count of 1 to the {len(dataset)} clips there are; found {count}")
    strata = _strata(dataset, seed)
    # In whole numbers, for the remainders of floats depend on how they were computed.
    exact = {stratum: divmod(count * len(members), len(dataset)) for stratum, members in strata.items()}
    lacking = count - sum(quotient for quotient, _ in exact.values())
    rounded_up = set(sorted(exact, key=lambda stratum: (-exact[stratum][1], stratum))[:lacking])
    chosen = []
    for stratum, members in strata.items():
        chosen += members[: exact[stratum][0] + (stratum in rounded_up)]
    return dataset.select(sorted(chosen))


def balanced_subset(dataset: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows, half of them real and half fake, the fakes spread evenly over the attacks.

    Where the fakes do not divide evenly, some attacks have one more than others. Fakes of unknown attack pass for one
    attack.

    Args:
        dataset: rows with the columns `label`, `attack` and `utterance`.
        count: an even number, 2 or more.
        seed: another one chooses other rows.

    Raises:
        ValueError: a count that is odd or too small, not enough real clips, no fakes, or not enough of an attack; the
            message says of what there are how many.
    """
    if count < 2 or count % 2:
        raise ValueError(f"expected an even count, half for real clips and half for fakes; found {count}")
    half = count // 2
    labels, attack_of = _columns(dataset, "label", "attack")
    order = _shuffled_rows(dataset, seed)
    reals = [row for row in order if labels[row] == REAL]
    attacks = _grouped([row for row in order if labels[row] == FAKE], attack_of)
    if len(reals) < half:
        raise ValueError(f"expected {half} real clips for a balanced {count}; found {len(reals)}")
    if not attacks:
        raise ValueError(f"expected {half} fakes for a balanced {count}; found none")
    each, more = divmod(half, len(attacks))
    short = [f"{attack} has {len(members)}" for attack, members in sorted(attacks.items()) if len(members) < each]
    if short:
        raise ValueError(f"expected {each} fakes of each of {len(attacks)} attacks; found too few: {', '.join(short)}")
    can_give_more = [attack for attack in _shuffled(attacks, seed) if len(attacks[attack]) > each]
    if len(can_give_more) < more:
        raise ValueError(
            f"expected {each + 1} fakes of {more} of {len(attacks)} attacks; found so many of {len(can_give_more)}, "
            f"too few: {', '.join(sorted(set(attacks) - set(can_give_more)))}"
        )
    chosen = reals[:half]
    for attack, members in attacks.items():
        chosen += members[: each + (attack in can_give_more[:more])]
    return dataset.select(sorted(chosen))


def only(
    dataset: Dataset,
    speakers: Collection[str] | None = None,
    attacks: Collection[str] | None = None,
    codecs: Collection[str] | None = None,
) -> Dataset:
    """The rows whose speaker, attack and codec are among those given; None stands for any.

    Real clips are kept whatever `attacks` says.

    Raises:
        ValueError: a value that occurs nowhere, a string in place of a list of them, or values that do not occur
            together in any row.
    """
    kept = set(range(len(dataset)))
    if speakers is not None:
        kept &= _rows_among(dataset, "speaker", speakers)
    if attacks is not None:
        (labels,) = _columns(dataset, "label")
        kept &= _rows_among(dataset, "attack", attacks) | {row for row in kept if labels[row] == REAL}
    if codecs is not None:
        kept &= _rows_among(dataset, "codec", codecs)
    if not kept:
        raise ValueError(
            f"expected clips of a speaker in {speakers}, an attack in {attacks} and a codec in {codecs} (None: any); "
            f"of {len(dataset)} clips, found none that is all three"
        )
    return dataset.select(sorted(kept))


def _rows_among(dataset: Dataset, name: str, wanted: Collection[str]) -> set[int]:
    """The numbers of the rows whose column `name` is among `wanted`. Raises ValueError as `only`."""
    if isinstance(wanted, str):
        raise ValueError(f"expected a list of values for {name}; found the string {wanted!r}")
    (values,) = _columns(dataset, name)
    wanted = set(wanted)
    nowhere = sorted(wanted.difference(values))
    if nowhere:
        raise ValueError(f"no clip has {name} {_listed(nowhere)}; found {_listed(sorted(set(values)))}")
    return {row for row, value in enumerate(values) if value in wanted}


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"expected a share above 0 and below 1; found {share}")


def _columns(dataset: Dataset, *names: str) -> list[list]:
    """Whole columns as lists; no other column is touched, and no transform that a user may have set is run."""
    table = dataset.select_columns(list(names)).with_format("arrow")[:]
    return [table[name].to_pylist() for name in names]


def _parted(dataset: Dataset, held_out: Iterable[int]) -> tuple[Dataset, Dataset]:
    """All other rows, and those of the numbers given, both in the order of the dataset."""
    chosen = set(held_out)
    rest = [row for row in range(len(dataset)) if row not in chosen]
    return dataset.select(rest), dataset.select(sorted(chosen))


def _strata(dataset: Dataset, seed: int) -> dict[tuple[int, str], list[int]]:
    """The numbers of the rows of each label and attack, shuffled."""
    return _grouped(_shuffled_rows(dataset, seed), list(zip(*_columns(dataset, "label", "attack"), strict=True)))


def _grouped(rows: Iterable[int], keys: Sequence[Key]) -> dict[Key, list[int]]:
    """The numbers of rows by their keys, in the order in which they are given."""
    groups: dict[Key, list[int]] = defaultdict(list)
    for row in rows:
        groups[keys[row]].append(row)
    return groups


def _shuffled_rows(dataset: Dataset, seed: int) -> list[int]:
    """The numbers of all rows in the order of their utterances' hashes.

    Should an utterance occur again, as can happen where corpora were joined, how often it did before counts as part
    of its name: were the hashes equal, the order of the rows would decide.
    """
    (utterances,) = _columns(dataset, "utterance")
    before: Counter[str] = Counter()
    hashes = []
    for utterance in utterances:
        hashes.append(_hash(seed, f"{utterance} {before[utterance]}" if before[utterance] else utterance))
        before[utterance] += 1
    return sorted(range(len(hashes)), key=hashes.__getitem__)


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Names, all different, in the order of their hashes."""
    return sorted(names, key=lambda name: _hash(seed, name))


def _hash(seed: int, name: str) -> bytes:
    return blake2b(f"{seed} {name}".encode(), digest_size=16).digest()


def _choose_speakers(clips: dict[str, Counter[int]], share: float) -> set[str]:
    """Speakers who have about `share` of the clips of each class.

    First whoever still fits, in the order given; then, while a class is missing or it brings the numbers closer,
    whoever brings them closest. Both sides end with every class: nobody is chosen without whom the rest would lack
    one, and where each class has two speakers there is always somebody else.

    Args:
        clips: number of clips by class, of each speaker; each class has two speakers or more.
        share: above 0 and below 1.
    """
    rest: Counter[int] = sum(clips.values(), Counter())
    target = {label: share * number for label, number in rest.items()}
    taken: Counter[int] = Counter()
    chosen: set[str] = set()

    def distance(speaker: str | None = None) -> float:
        added = Counter() if speaker is None else clips[speaker]
        return sum(abs(taken[label] + added[label] - target[label]) for label in target)

    def take(speaker: str) -> None:
        chosen.add(speaker)
        taken.update(clips[speaker])
        rest.subtract(clips[speaker])

    def can_go(speaker: str) -> bool:
        return speaker not in chosen and all(rest[label] > clips[speaker][label] for label in target)

    for speaker in clips:
        if can_go(speaker) and all(taken[label] + clips[speaker][label] <= target[label] for label in target):
            take(speaker)
    while True:
        missing = [label for label in target if not taken[label]]
        candidates = [speaker for speaker in clips if can_go(speaker) and (not missing or clips[speaker][missing[0]])]
        closest = min(candidates, key=distance, default=None)
        if closest is None or (not missing and distance(closest) >= distance()):
            return chosen
        take(closest)


def _listed(names: Sequence[str], most: int = 10) -> str:
    """Names for people; of many, the first and how many there are beyond."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more

"""Subsets are honest, and the same wherever and whenever they are chosen."""

from collections import Counter

import pytest
from datasets import Dataset, concatenate_datasets

from crnn_hf.data.columns import features
from crnn_hf.data.subsets import balanced_subset, natural_subset, only, speaker_disjoint_split, stratified_split


def row(number: int, attack: str = "bonafide", speaker: str = "S1", codec: str = "-") -> dict:
    """A row whose audio is none: nothing here may read it."""
    return {
        "audio": {"bytes": b"not audio", "path": f"U{number:03}.flac"},
        "label": int(attack != "bonafide"),
        "speaker": speaker,
        "utterance": f"U{number:03}",
        "gender": "F",
        "codec": codec,
        "codec_quality": "-",
        "codec_seed": "-",
        "attack_tag": "-",
        "attack": attack,
    }


def corpus(rows: list[dict]) -> Dataset:
    return Dataset.from_list(rows, features=features())


def of_attacks(**numbers: int) -> Dataset:
    """A corpus with so many clips of each attack, or bonafide."""
    attacks = [attack for attack, number in numbers.items() for _ in range(number)]
    return corpus([row(number, attack) for number, attack in enumerate(attacks)])


def of_speakers(**clips: str) -> Dataset:
    """A corpus in which each speaker has the clips spelled in a string, r for real and f for fake."""
    pairs = [(speaker, letter) for speaker, letters in clips.items() for letter in letters]
    return corpus(
        [
            row(number, "bonafide" if letter == "r" else "A01", speaker)
            for number, (speaker, letter) in enumerate(pairs)
        ]
    )


def utterances(dataset: Dataset) -> list[str]:
    return dataset["utterance"][:]


def set_aside(dataset: Dataset, seed: int) -> Dataset:
    return stratified_split(dataset, 0.25, seed)[1]


def speakers_set_aside(dataset: Dataset, seed: int) -> Dataset:
    return speaker_disjoint_split(dataset, 0.25, seed)[1]


def natural(dataset: Dataset, seed: int) -> Dataset:
    return natural_subset(dataset, 5, seed)


def balanced(dataset: Dataset, seed: int) -> Dataset:
    return balanced_subset(dataset, 14, seed)


def only_one_attack(dataset: Dataset, seed: int) -> Dataset:
    return only(dataset, attacks=["A01"])


CHOICES = [set_aside, speakers_set_aside, natural, balanced]
GOLDEN = [
    "U000 U006 U009 U019 U020 U021 U028 U031",
    "U002 U005 U010 U013 U018 U021 U026 U029",
    "U000 U006 U009 U020 U031",
    "U000 U006 U007 U008 U009 U015 U019 U020 U021 U025 U026 U028 U030 U031",
]


@pytest.fixture
def mixed() -> Dataset:
    """32 clips, of 8 speakers, real and of two attacks."""
    attacks = ["bonafide", "A01", "bonafide", "A02"]
    return corpus([row(number, attacks[number % 4], f"S{number % 8}") for number in range(32)])


@pytest.mark.parametrize(("choose", "expected"), list(zip(CHOICES, GOLDEN, strict=True)))
def test_a_seed_means_the_same_rows_for_ever(choose, expected: str, mixed: Dataset) -> None:
    assert utterances(choose(mixed, 7)) == expected.split()


@pytest.mark.parametrize("choose", CHOICES)
def test_another_seed_means_other_rows(choose, mixed: Dataset) -> None:
    assert len({tuple(utterances(choose(mixed, seed))) for seed in range(5)}) > 1


@pytest.mark.parametrize("choose", CHOICES)
def test_where_a_row_stands_does_not_matter_and_the_order_is_kept(choose, mixed: Dataset) -> None:
    chosen = utterances(choose(mixed, 3))
    assert chosen == sorted(chosen)
    assert utterances(choose(mixed.select(range(31, -1, -1)), 3)) == chosen[::-1]


@pytest.mark.parametrize("choose", [*CHOICES, only_one_attack])
def test_the_audio_is_left_alone(choose, mixed: Dataset) -> None:
    def fail(batch: dict) -> dict:
        raise AssertionError("rows were read")

    chosen = choose(mixed.with_transform(fail), 0)
    assert chosen.features == mixed.features
    assert chosen.with_format(None)[0]["audio"]["bytes"] == b"not audio"
    with pytest.raises(AssertionError, match="rows were read"):
        chosen[0]


def test_clips_of_one_name_are_not_chosen_by_their_place() -> None:
    one = of_attacks(bonafide=1)
    many = concatenate_datasets([one] * 50).remove_columns("speaker").add_column("speaker", list(map(str, range(50))))
    chosen = natural_subset(many, 10, seed=0)
    assert list(map(int, chosen["speaker"][:])) != list(range(10))
    assert len(set(chosen["speaker"][:])) == 10


def test_a_stratified_split_takes_the_share_of_each_stratum() -> None:
    dataset = of_attacks(bonafide=40, A01=20, A02=8)
    rest, held_out = stratified_split(dataset, 0.25, seed=0)
    assert Counter(held_out["attack"]) == {"bonafide": 10, "A01": 5, "A02": 2}
    assert sorted(utterances(rest) + utterances(held_out)) == utterances(dataset)


@pytest.mark.parametrize(("share", "held"), [(0.01, {"A01": 1, "A02": 1}), (0.99, {"A01": 1, "A02": 4})])
def test_small_strata_are_on_both_sides_and_single_clips_in_the_rest(share: float, held: dict[str, int]) -> None:
    rest, held_out = stratified_split(of_attacks(bonafide=1, A01=2, A02=5), share, seed=0)
    assert Counter(held_out["attack"]) == held
    assert Counter(rest["attack"]) == {"bonafide": 1, "A01": 1, "A02": 5 - held["A02"]}


def test_the_label_makes_a_stratum_too() -> None:
    rows = [{**row(number, "-"), "label": number % 2} for number in range(40)]
    _, held_out = stratified_split(corpus(rows), 0.5, seed=0)
    assert Counter(held_out["label"]) == {0: 10, 1: 10}


@pytest.mark.parametrize("split", [stratified_split, speaker_disjoint_split])
@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_is_part_of_the_whole(split, share: float, mixed: Dataset) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1; found"):
        split(mixed, share, seed=0)


def test_nothing_to_split_is_an_error() -> None:
    with pytest.raises(ValueError, match="found 2, no two alike"):
        stratified_split(of_attacks(bonafide=1, A01=1), 0.5, seed=0)


@pytest.mark.parametrize("choose", CHOICES)
def test_an_empty_corpus_is_an_error(choose, mixed: Dataset) -> None:
    with pytest.raises(ValueError, match=r"expected .*; found"):
        choose(mixed.select([]), 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_speakers_are_on_one_side_and_the_share_is_met(seed: int, share: float) -> None:
    sizes = {f"S{number:02}": "r" * (1 + number % 5) + "f" * (number % 7) for number in range(60)}
    rest, held_out = speaker_disjoint_split(of_speakers(**sizes), share, seed)
    assert not set(rest["speaker"]) & set(held_out["speaker"])
    for label in (0, 1):
        held, left = Counter(held_out["label"])[label], Counter(rest["label"])[label]
        assert held / (held + left) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize(
    "clips",
    [
        {"a": "r", "b": "rf", "c": "f"},
        {"a": "rf", "b": "r", "c": "f"},
        {"a": "rrrrrrrrrf", "b": "rf"},
        {"a": "r", "b": "r", "c": "f", "d": "ffffffffff"},
        {"a": "rf", "b": "rf", "c": "r", "d": "r"},
        {"a": "rr", "b": "r"},
    ],
)
def test_each_class_is_on_both_sides_however_few_its_speakers(clips: dict[str, str], share: float) -> None:
    dataset = of_speakers(**clips)
    for seed in range(6):
        rest, held_out = speaker_disjoint_split(dataset, share, seed)
        assert set(rest["label"]) == set(held_out["label"]) == set(dataset["label"])
        assert not set(rest["speaker"]) & set(held_out["speaker"])
        assert len(rest) + len(held_out) == len(dataset)


def test_one_speaker_of_many_clips_is_not_set_aside_for_a_small_share() -> None:
    clips = {"big": "r" * 50 + "f" * 50, **{f"s{number}": "rf" for number in range(20)}}
    for seed in range(5):
        _, held_out = speaker_disjoint_split(of_speakers(**clips), 0.1, seed)
        assert "big" not in held_out["speaker"][:]
        assert len(held_out) == 14


def test_a_class_of_few_speakers_does_not_cost_the_other_its_share() -> None:
    clips = {**{f"s{number}": "r" for number in range(10)}, "a": "f" * 10, "b": "f" * 10}
    for seed in range(5):
        _, held_out = speaker_disjoint_split(of_speakers(**clips), 0.1, seed)
        assert Counter(held_out["label"]) == {0: 1, 1: 10}


def test_a_speaker_too_many_is_set_aside_where_that_comes_closer() -> None:
    dataset = of_speakers(a="rrrr", b="rrrr", c="rrrr")
    assert [len(speaker_disjoint_split(dataset, share, seed=0)[1]) for share in (0.45, 0.55)] == [4, 8]


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ({"a": "rf", "-": "rrf"}, "found 3 of 5 unknown"),
        ({"a": "rrff"}, "two speakers or more of real clips; found 'a' alone"),
        ({"a": "rf", "b": "r"}, "two speakers or more of fake clips; found 'a' alone"),
    ],
)
def test_speakers_that_cannot_be_parted_are_an_error(clips: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        speaker_disjoint_split(of_speakers(**clips), 0.5, seed=0)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (10, {"bonafide": 5, "A01": 3, "A02": 2}),  # exactly 5, 3 and 2
        (7, {"bonafide": 4, "A01": 2, "A02": 1}),  # 3.5, 2.1 and 1.4
        (4, {"bonafide": 2, "A01": 1, "A02": 1}),  # 2, 1.2 and 0.8
        (1, {"bonafide": 1}),
        (20, {"bonafide": 10, "A01": 6, "A02": 4}),
    ],
)
def test_a_natural_subset_rounds_by_largest_remainder(count: int, expected: dict[str, int]) -> None:
    subset = natural_subset(of_attacks(bonafide=10, A01=6, A02=4), count, seed=0)
    assert Counter(subset["attack"]) == expected


@pytest.mark.parametrize("count", [0, 21])
def test_a_natural_subset_is_part_of_the_whole(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to the 20 clips there are; found {count}"):
        natural_subset(of_attacks(bonafide=10, A01=10), count, seed=0)


def test_a_balanced_subset_is_even_over_the_attacks() -> None:
    subset = balanced_subset(of_attacks(bonafide=9, A01=3, A02=30, A03=4), 18, seed=0)
    assert Counter(subset["attack"]) == {"bonafide": 9, "A01": 3, "A02": 3, "A03": 3}


def test_what_is_left_over_goes_to_attacks_that_have_it() -> None:
    for seed in range(5):
        subset = balanced_subset(of_attacks(bonafide=9, A01=2, A02=3, A03=9), 16, seed)
        assert Counter(subset["attack"]) == {"bonafide": 8, "A01": 2, "A02": 3, "A03": 3}


@pytest.mark.parametrize(
    ("numbers", "count", "message"),
    [
        ({"bonafide": 3, "A01": 9}, 8, "expected 4 real clips for a balanced 8; found 3"),
        ({"bonafide": 9}, 8, "expected 4 fakes for a balanced 8; found none"),
        ({"bonafide": 9, "A01": 9, "A02": 2}, 12, "expected 3 fakes of each of 2 attacks; found too few: A02 has 2"),
        (
            {"bonafide": 9, "A01": 2, "A02": 2, "A03": 9},
            16,
            "expected 3 fakes of 2 of 3 attacks; found so many of 1, too few: A01, A02",
        ),
        ({"bonafide": 9, "A01": 9}, 7, "expected an even count.*found 7"),
        ({"bonafide": 9, "A01": 9}, 0, "expected an even count.*found 0"),
    ],
)
def test_a_balance_that_cannot_be_had_names_what_is_short(numbers: dict[str, int], count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        balanced_subset(of_attacks(**numbers), count, seed=0)


@pytest.fixture
def varied() -> Dataset:
    return corpus(
        [
            row(0, "bonafide", "S1", "C01"),
            row(1, "A01", "S1", "C02"),
            row(2, "A02", "S2", "C01"),
            row(3, "bonafide", "S2", "C02"),
            row(4, "A03", "S3", "C01"),
        ]
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"speakers": ["S1", "S3"]}, [0, 1, 4]),
        ({"attacks": ["A01"]}, [0, 1, 3]),
        ({"attacks": {"A01", "A03"}}, [0, 1, 3, 4]),
        ({"attacks": []}, [0, 3]),
        ({"codecs": ["C01"]}, [0, 2, 4]),
        ({"speakers": ["S2"], "attacks": ["A01"]}, [3]),
        ({"speakers": ["S1", "S2"], "attacks": ["A02", "A01"], "codecs": ["C01"]}, [0, 2]),
    ],
)
def test_only_what_is_asked_for_is_kept(wanted: dict, expected: list[int], varied: Dataset) -> None:
    assert utterances(only(varied, **wanted)) == [f"U{number:03}" for number in expected]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"speakers": ["S1", "S9", "S8"]}, "no clip has speaker 'S8', 'S9'; found 'S1', 'S2', 'S3'"),
        ({"attacks": ["A1"]}, "no clip has attack 'A1'; found 'A01', 'A02', 'A03', 'bonafide'"),
        ({"codecs": ["-"]}, "no clip has codec '-'; found 'C01', 'C02'"),
        ({"codecs": "C01"}, "expected a list of values for codec; found the string 'C01'"),
        ({"speakers": ["S3"], "codecs": ["C02"]}, "of 5 clips, found none that is all three"),
    ],
)
def test_what_occurs_nowhere_is_an_error(wanted: dict, message: str, varied: Dataset) -> None:
    with pytest.raises(ValueError, match=message):
        only(varied, **wanted)


def test_of_many_values_the_error_lists_the_first() -> None:
    dataset = of_speakers(**{f"S{number:02}": "r" for number in range(25)})
    with pytest.raises(ValueError, match="'S09' and 15 more"):
        only(dataset, speakers=["X"])

"""The EER of each attack is that of its fakes against all real clips."""

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf.metrics import HEADLINE, equal_error_rate
from crnn_hf.training.figures import attack_counts, attack_metrics, attacks_of, figure_names, mean_figures

ATTACKS = ["A01", "A02", "-"]


@pytest.fixture
def scores() -> np.ndarray:
    """Of 40 real clips, and of 20 fakes of each attack, which are not equally hard."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(1, 1, 40), *(rng.normal(mean, 1, 20) for mean in (1, 0, -1))])


@pytest.mark.parametrize("real", ["bonafide", "-", "A01"])
def test_each_attack_against_all_real_clips(scores: np.ndarray, real: str) -> None:
    attacks = np.array([real] * 40 + [name for name in ATTACKS for _ in range(20)])
    is_fake = np.arange(100) >= 40
    shuffled = np.random.default_rng(1).permutation(100)
    found = attack_metrics(scores[shuffled], is_fake[shuffled], attacks[shuffled].tolist())
    of_attack = [equal_error_rate(scores[members], is_fake[members]) for members in (np.r_[:60], np.r_[:40, 60:80])]
    assert found == pytest.approx(
        {"eer_macro": np.mean(of_attack), "attack_A01_eer": of_attack[0], "attack_A02_eer": of_attack[1]}
    )


@pytest.mark.parametrize("attacks", [["-", "-", "-"], ["bonafide", "A01", "-"], ["-", "A01", "A01"]])
def test_fewer_than_two_attacks_have_no_figures_of_their_own(attacks: list[str]) -> None:
    assert attack_metrics(np.zeros(3), np.array([False, True, True]), attacks) == {}


def test_columns_are_read_without_the_clips() -> None:
    def decode(batch: dict) -> dict:
        raise AssertionError("a clip was read")

    dataset = Dataset.from_dict({"label": [1, 0, 1, 1], "attack": ["b", "-", "a", "b"]}).with_transform(decode)
    assert attacks_of(dataset) == ["b", "-", "a", "b"]
    assert attack_counts(dataset.select([3, 0, 1])) == {"b": 2}
    assert figure_names(dataset) == ["loss", *HEADLINE, "eer_macro", "attack_a_eer", "attack_b_eer"]


def test_means_over_sets_are_of_what_all_sets_have() -> None:
    metrics = {"eval_eer": 0.1, "eval_coded_eer": 0.4, "eval_eer_macro": 0.2, "eval_coded_eer_macro": 0.3}
    means = mean_figures(metrics, ["validation", "coded"])
    assert means == pytest.approx({"eval_mean_eer": 0.25, "eval_mean_eer_macro": 0.25})
    del metrics["eval_coded_eer_macro"]
    assert mean_figures(metrics, ["validation", "coded"]) == pytest.approx({"eval_mean_eer": 0.25})
    assert mean_figures(metrics, ["validation"]) == {}
    assert mean_figures({"test_eer": 0.1, "test_coded_eer": 0.3}, ["validation", "coded"], "test") == pytest.approx(
        {"test_mean_eer": 0.2}
    )

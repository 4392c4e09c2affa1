"""Tables per attack are short, and begin with the worst."""

from datasets import Dataset

from crnn_hf.training.attack_tables import MOST_LINES, Row, as_markdown, as_text, attack_rows, prefix_of

METRICS = {"eval_codec_loss": 0.5, "eval_codec_eer": 0.2, "eval_codec_attack_a_eer": 0.1, "eval_codec_attack_b_eer": 1}


def test_the_worst_attack_comes_first() -> None:
    dataset = Dataset.from_dict({"label": [0, 1, 1, 1], "attack": ["-", "a", "b", "a"]})
    rows = attack_rows(METRICS, dataset)
    assert rows == [Row("b", 1, 1), Row("a", 2, 0.1)]
    assert prefix_of(METRICS) == "eval_codec"
    assert as_text(rows, "codec").splitlines() == [
        "codec",
        "  attack    clips      EER",
        "  b             1  100.00%",
        "  a             2   10.00%",
    ]
    assert as_markdown(rows).splitlines()[2:] == ["| b | 1 | 100.00% |", "| a | 2 | 10.00% |"]


def test_without_attacks_there_is_no_table() -> None:
    dataset = Dataset.from_dict({"label": [0, 1], "attack": ["-", "a"]})
    assert attack_rows({"eval_loss": 0.5, "eval_eer": 0.2}, dataset) == []


def test_of_many_attacks_the_worst_are_shown() -> None:
    rows = [Row(f"attack {number}", 1_000, 1 / number) for number in range(2, MOST_LINES + 2)]
    lines = as_text(rows, "validation").splitlines()
    assert len(lines) == MOST_LINES
    assert lines[2] == "  attack 2     1,000   50.00%"
    assert lines[-1] == "  and 3 more, none above 2.56%"
    assert len(as_text(rows[:-2], "validation").splitlines()) == MOST_LINES
    assert "more" not in as_text(rows[:-2], "validation")
    assert len(as_markdown(rows).splitlines()) == len(rows) + 2

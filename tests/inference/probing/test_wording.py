"""What a probe found is said in words that its figures bear out."""

import json
from dataclasses import replace

import pytest

from crnn_hf.data.statistics import Separation
from crnn_hf.inference import Probe
from crnn_hf.inference.probing import ErrorRatesAfter, Movement, as_record, as_text

STILL = Movement(8, {}, 0.0, 0.0, 0.0, 0.0, 0.0, ErrorRatesAfter(0.25, 0.25, 0.25))


@pytest.fixture
def deaf(found: Probe) -> Probe:
    """A detector that follows nothing, on clips in which nothing gives the classes away; scores spread by 2."""
    return replace(
        found,
        statistics=replace(
            found.statistics,
            separation=dict.fromkeys(found.statistics.separation, Separation(0.49, (0.46, 0.52), "real")),
        ),
        quartiles=(-1.0, 1.0),
        eer=0.25,
        movements=dict.fromkeys(found.movements, STILL),
    )


def paragraph(found: Probe, kind: str) -> str:
    """What is said of a kind, on one line."""
    return next(" ".join(part.split()) for part in as_text(found).split("\n\n") if part.startswith(f"{kind}. "))


def with_level(found: Probe, alone: Separation, moved: Movement) -> Probe:
    return replace(
        found,
        statistics=replace(found.statistics, separation={**found.statistics.separation, "level": alone}),
        movements={**found.movements, "gain_-20_db": moved},
    )


FAKES_QUIETER = Separation(0.2, (0.15, 0.25), "real")
TOWARDS_FAKE = Movement(8, {}, 1.0, 3.0, -0.8, -1.2, 0.5, ErrorRatesAfter(0.26, 0.1, 0.6))


def test_nothing_is_said_against_a_detector_that_follows_nothing(deaf: Probe) -> None:
    for kind in ("Level", "DC", "Silence", "Length", "Band width"):
        said = paragraph(deaf, kind)
        assert "The score does not follow it" in said
        assert "Beware" not in said
        assert "expect errors" not in said


def test_a_shortcut_of_the_clips_that_the_score_follows_is_warned_of(deaf: Probe) -> None:
    said = paragraph(with_level(deaf, FAKES_QUIETER, TOWARDS_FAKE), "Level")
    assert (
        "The score strongly follows it: 20 dB quieter, the strongest change, moves half of the clips by 0.50" in said
    )
    assert "changes 50.0 % of the verdicts" in said
    assert "alike move towards fake: it passes for a sign of a fake voice" in said
    assert "Were the fakes alone like this, the EER would be 10.0 %; were the real clips, 60.0 %." in said
    assert "Beware: level alone tells these classes apart with an EER of 20.0 %" in said


def test_a_shortcut_of_the_clips_that_the_score_leaves_alone_is_said_to_be_unused(deaf: Probe) -> None:
    said = paragraph(with_level(deaf, FAKES_QUIETER, STILL), "Level")
    assert "Though level alone tells these classes apart with an EER of 20.0 %, the score makes no use of it." in said


def test_what_the_score_follows_without_reward_is_a_danger_elsewhere(deaf: Probe) -> None:
    nothing = deaf.statistics.separation["level"]
    said = paragraph(with_level(deaf, nothing, TOWARDS_FAKE), "Level")
    assert "These clips hardly reward it: the best measure, level, has an EER of 49.0 % alone." in said


def test_where_the_classes_move_apart_it_is_a_sign_of_neither(deaf: Probe) -> None:
    apart = replace(TOWARDS_FAKE, mean_real=0.9)
    assert "passes for a sign" not in paragraph(with_level(deaf, FAKES_QUIETER, apart), "Level")


def test_less_voice_is_not_held_against_the_detector(deaf: Probe) -> None:
    said = paragraph(replace(deaf, movements={**deaf.movements, "low_pass_5_khz": TOWARDS_FAKE}), "Band width")
    assert "Where some of the voice goes with it, the score strongly follows it: nothing above 5 kHz" in said
    assert "Less voice is less evidence" in said


def test_clips_that_were_left_out_are_counted_and_the_first_named(deaf: Probe) -> None:
    left_out = {f"clip {number}\x1b": "is no longer than that" for number in range(7)}
    moved = replace(STILL, clips=1, left_out=left_out)
    text = as_text(replace(deaf, movements={**deaf.movements, "first_2_s": moved, "middle_2_s": moved}))
    said = " ".join(text[text.index("Left out") :].split())
    assert "its first 2 s and 2 s from its middle: 7 clips, each of which is no longer than that: clip 0" in said
    assert "and 2 more" in said
    assert "\x1b" not in text


def test_scores_that_do_not_spread_give_no_spreads(deaf: Probe) -> None:
    lines = as_text(replace(deaf, quartiles=(1.0, 1.0))).splitlines()
    quieter = next(line for line in lines if line.startswith("  20 dB quieter"))
    assert quieter.split()[3:8] == ["8", "-", "-", "-", "-"]


def test_the_record_is_json_with_moves_in_scores_and_in_spreads(deaf: Probe) -> None:
    record = json.loads(json.dumps(as_record(with_level(deaf, FAKES_QUIETER, TOWARDS_FAKE))))
    assert record["scores"] == {"eer": 0.25, "quartiles": [-1, 1], "spread": 2}
    assert record["measures"]["level"]["alone"] == {"eer": 0.2, "interval": [0.15, 0.25], "higher": "real"}
    quieter = record["changes"]["gain_-20_db"]
    assert quieter["moves"] == {"median": 1, "percentile_95": 3, "mean_real": -0.8, "mean_fake": -1.2}
    assert quieter["moves_in_spreads"] == {"median": 0.5, "percentile_95": 1.5, "mean_real": -0.4, "mean_fake": -0.6}
    assert quieter["eer"] == {"both": 0.26, "fakes": 0.1, "real": 0.6}

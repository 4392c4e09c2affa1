"""`crnn-hf card` and `crnn-hf push`, as far as they come without a Hub; tests/hub has one."""

from pathlib import Path

import huggingface_hub.constants
import pytest
from huggingface_hub import ModelCard

from crnn_hf.cli import main


def test_a_card_is_written(tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cards" / "README.md"
    assert main(["card", str(tiny_detector), "--repo-id", "user/crnn", "--license", "mit", "--output", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    card = ModelCard.load(file)
    assert card.data.license == "mit"
    assert 'model="user/crnn", trust_remote_code=True' in card.text
    assert main(["card", str(tiny_detector)]) == 0
    assert f'model="user/{tiny_detector.name}"' in capsys.readouterr().out


def test_pictures_of_a_card_are_found_from_where_it_lies(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "runs" / "report"
    assert main(["evaluate", str(tiny_detector), str(tiny_corpus), "--output", str(report)]) == 0
    file = tmp_path / "cards" / "README.md"
    assert main(["card", str(tiny_detector), "--report", str(report), "--output", str(file)]) == 0
    assert "](../runs/report/det.png)" in file.read_text()
    assert (file.parent / "../runs/report/det.png").is_file()
    assert "8 clips" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["card", "nowhere"], "nowhere: no such folder"),
        (["card", "MODEL", "--report", "nowhere"], "nowhere: no metrics.json here; expected a report"),
        (["card", "MODEL", "--repo-id", "crnn"], "'crnn': expected a name on the Hub, user/name"),
        (["push", "nowhere", "user/crnn"], "nowhere: no such folder; expected that of a model"),
        (["push", "MODEL", "crnn"], "'crnn': expected a name on the Hub, user/name"),
        (["push", "MODEL", "user/crnn", "--space", "demo"], "'demo': expected a name on the Hub, user/name"),
        (["push", "MODEL", "user/crnn", "--revision-tag", "a b"], "'a b' cannot be a tag"),
        (["push", "MODEL", "user/crnn"], "no connection to http://127.0.0.1:9"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    tiny_detector: Path,
    arguments: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_any")
    assert main([str(tiny_detector) if argument == "MODEL" else argument for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("crnn-hf: ")
    assert expected in told
    assert told.count("\n") == 1

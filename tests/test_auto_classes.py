"""Saved models load through transformers' Auto classes and its stock pipeline, with this package and without it."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForAudioClassification,
    WavLMConfig,
    pipeline,
)

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, CRNNModel
from crnn_hf.inference import save_calibration

REMOTE_CODE = {
    "backbone_configuration_crnn.py",
    "backbone_crnn.py",
    "configuration_crnn.py",
    "contrast_crnn.py",
    "encoders_crnn.py",
    "feature_extraction_crnn.py",
    "loss_crnn.py",
    "modeling_crnn.py",
    "norm_crnn.py",
    "spectra_crnn.py",
}


def test_auto_classes_know_the_model_type(tiny_detector: Path) -> None:
    assert type(AutoConfig.from_pretrained(tiny_detector)) is CRNNConfig
    assert type(AutoFeatureExtractor.from_pretrained(tiny_detector)) is CRNNFeatureExtractor
    body = AutoModel.from_pretrained(tiny_detector)
    assert type(body) is CRNNModel
    clip = torch.randn(16_000) * 0.1
    batch = AutoFeatureExtractor.from_pretrained(tiny_detector)(clip, sampling_rate=16_000, return_tensors="pt")
    assert body(**batch).pooler_output.shape == (1, 32)
    assert type(AutoModelForAudioClassification.from_pretrained(tiny_detector)) is CRNNForAudioClassification


def test_saving_writes_what_loads_without_the_package(tiny_detector: Path) -> None:
    assert {path.name for path in tiny_detector.iterdir()} == REMOTE_CODE | {
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    }
    auto_map = json.loads((tiny_detector / "config.json").read_text())["auto_map"]
    assert auto_map["AutoModelForAudioClassification"] == "modeling_crnn.CRNNForAudioClassification"


def test_weights_survive_saving(tmp_path: Path) -> None:
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4], hidden_size=4)).eval()
    model.save_pretrained(tmp_path)
    again = AutoModelForAudioClassification.from_pretrained(tmp_path)
    torch.testing.assert_close(again.state_dict(), model.state_dict())
    other_head = AutoModelForAudioClassification.from_pretrained(tmp_path, num_labels=5, ignore_mismatched_sizes=True)
    assert other_head(torch.randn(1, 9, 80)).logits.shape == (1, 5)


WITHOUT_THE_PACKAGE = """
    import sys

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "crnn_hf":
                raise ModuleNotFoundError(f"No module named {name!r}")

    sys.meta_path.insert(0, Hidden())
    try:
        import crnn_hf
    except ModuleNotFoundError:
        pass
    else:
        raise AssertionError("the package is in sight")

    import json
    import numpy as np
    from transformers import AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification, pipeline

    path, speech = sys.argv[1], np.load(sys.argv[2])
    detector = pipeline("audio-classification", model=path, trust_remote_code=True)
    by_pipeline = detector({"raw": speech, "sampling_rate": 16_000})
    model = AutoModelForAudioClassification.from_pretrained(path, trust_remote_code=True)
    extractor = AutoFeatureExtractor.from_pretrained(path, trust_remote_code=True)
    assert type(model).__module__.startswith("transformers_modules."), type(model).__module__
    assert type(AutoModel.from_pretrained(path, trust_remote_code=True)).__name__ == "CRNNModel"
    logits = model(**extractor(speech, sampling_rate=16_000, return_tensors="pt")).logits
    model.save_pretrained(sys.argv[3])
    extractor.save_pretrained(sys.argv[3])
    print(json.dumps([by_pipeline, logits.tolist()]))
"""


def run_without_the_package(*arguments: object, cache: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_THE_PACKAGE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1"},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(params=["plain", "hybrid"])
def detector(request: pytest.FixtureRequest, tiny_detector: Path, tmp_path: Path) -> Path:
    """A copy of the tiny detector, or one with adapters in a transformer and a loss with a margin."""
    folder = tmp_path / "detector"
    if request.param == "plain":
        return shutil.copytree(tiny_detector, folder)
    torch.manual_seed(0)
    transformer = WavLMConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, conv_dim=[8] * 7
    )
    backbone = {"config": transformer, "lora": {"r": 2}}
    config = CRNNConfig(conv_channels=[4, 8], hidden_size=8, backbone=backbone, loss="oc_softmax")
    CRNNForAudioClassification(config).save_pretrained(folder)
    CRNNFeatureExtractor(return_waveform=True).save_pretrained(folder)
    return folder


def test_a_calibrated_detector_loads_where_the_package_is_not(
    detector: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    np.save(tmp_path / "speech.npy", speech)
    saved_again = tmp_path / "saved again"
    save_calibration({"scale": 3.0, "offset": -0.5}, detector)
    output = run_without_the_package(detector, tmp_path / "speech.npy", saved_again, cache=tmp_path / "cache")
    by_pipeline, logits = json.loads(output.splitlines()[-1])

    model = AutoModelForAudioClassification.from_pretrained(detector)
    extractor = AutoFeatureExtractor.from_pretrained(detector)
    expected = model(**extractor(speech, sampling_rate=16_000, return_tensors="pt")).logits
    torch.testing.assert_close(torch.tensor(logits), expected.detach())
    for one, other in zip(by_pipeline, pipeline("audio-classification", model=str(detector))(speech), strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"])
    # What remote code saves is whole again, and loads with the package.
    assert {path.name for path in saved_again.iterdir()} >= REMOTE_CODE
    again = AutoModelForAudioClassification.from_pretrained(saved_again)
    torch.testing.assert_close(again.state_dict(), model.state_dict())


def test_the_files_that_travel_import_only_what_every_user_has() -> None:
    package = Path(CRNNModel.__init__.__code__.co_filename).parent
    for name in REMOTE_CODE:
        for line in (package / name).read_text().splitlines():
            if line.lstrip().startswith(("import ", "from ")) and "import" in line:
                module = line.split()[1]
                if module.startswith("."):
                    assert f"{module[1:]}.py" in REMOTE_CODE, line
                else:
                    root = module.split(".")[0]
                    if (name, root) == ("backbone_crnn.py", "peft"):
                        continue  # asked for under `if is_peft_available()`, which transformers knows to pass over
                    assert root in {"torch", "numpy", "transformers", *sys.stdlib_module_names}, line

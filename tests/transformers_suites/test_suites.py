"""transformers' own common test suites hold for our classes.

The suites are not installed with transformers; they are in its source distribution, which pip gets for the version
that is installed. Some modules they import are not in it: `stand_ins.py` has what is needed of those. Our side of the
suites, models and inputs, is `crnn_cases.py`.
"""

import collections
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import transformers

import crnn_hf

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent

# Each module that is missing in the source distribution, and what the suites import from it.
MISSING_MODULES = {
    "exporters.test_export": "ExportTesterMixin",
    "generation.test_utils": "GenerationTesterMixin",
    "pipelines.test_pipelines_audio_classification": "AudioClassificationPipelineTests",
    "utils.test_configuration_utils": "config_common_kwargs",
}
# How many tests must pass at least, so that running or skipping everything away does not count as success. The suites
# grow and shrink by a few from one version of transformers to the next.
LEAST_PASSED = {
    "CRNNModelTest": 60,
    "CRNNReferenceModelTest": 60,
    "CRNNUnidirectionalModelTest": 60,
    "CRNNHybridModelTest": 60,
    "CRNNWhisperHybridModelTest": 60,
    "CRNNMarginModelTest": 60,
    "CRNNFeatureExtractionTest": 10,
    "CRNNPipelineTest": 2,
}


def test_suites_pass(tmp_path: Path, cache: pytest.Cache) -> None:
    _lay_out_suites(tmp_path, _source_distribution(cache.mkdir("transformers")))
    _save_checkpoint(tmp_path / "checkpoints")
    result, passed = _run_suites(tmp_path)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    assert not {name: passed[name] for name, least in LEAST_PASSED.items() if passed[name] < least}


def _source_distribution(folder: Path) -> Path:
    """transformers' source distribution in the installed version; downloaded unless it is in `folder`."""
    archive = folder / f"transformers-{transformers.__version__}.tar.gz"
    if not archive.exists():
        requirement = f"transformers=={transformers.__version__}"
        pip = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--no-binary", "transformers"]
        subprocess.run([*pip, "--dest", folder, requirement], check=True)
    return archive


def _lay_out_suites(root: Path, archive: Path) -> None:
    """Make `tests` in `root` a package of the suites, the stand-ins and our cases."""
    source = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as members:
        suites = [member for member in members if member.name.startswith(f"{source}/tests/")]
        members.extractall(root, suites)
    package = (root / source / "tests").rename(root / "tests")
    shutil.copy(HERE / "stand_ins.py", package)
    shutil.copy(HERE / "crnn_cases.py", package / "test_crnn.py")
    for module, name in MISSING_MODULES.items():
        path = package.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(f"from tests.stand_ins import {name}\n")
    # The suites import transformers from these two as well, and leave it at what is imported already.
    for initializer in (package / "__init__.py", root / "src" / "transformers" / "__init__.py"):
        initializer.parent.mkdir(parents=True, exist_ok=True)
        initializer.touch()


def _save_checkpoint(folder: Path) -> None:
    """A small model and its feature extractor, where `PipelineTesterMixin` looks for them, and the list it reads."""
    model = crnn_hf.CRNNForAudioClassification(crnn_hf.CRNNConfig(hidden_size=8))
    checkpoint = folder / model.config.model_type / type(model).__name__
    model.save_pretrained(checkpoint)
    crnn_hf.CRNNFeatureExtractor().save_pretrained(checkpoint)
    summary = {type(model).__name__: {"tokenizer_classes": [], "processor_classes": ["CRNNFeatureExtractor"]}}
    reports = folder / "reports"
    reports.mkdir()
    (reports / "tiny_model_summary.json").write_text(json.dumps(summary))


def _run_suites(root: Path) -> tuple[subprocess.CompletedProcess, collections.Counter[str]]:
    """Run pytest on our cases; also how many tests of each class passed."""
    (root / "pytest.ini").write_text("[pytest]\nfilterwarnings = ignore::pytest.PytestUnknownMarkWarning\n")
    report = root / "report.xml"
    folders = [Path(crnn_hf.__file__).parents[1], os.environ.get("PYTHONPATH")]
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders if folder),
        "TRANSFORMERS_TINY_MODEL_PATH": str(root / "checkpoints"),
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfE", "--junitxml", report]
    result = subprocess.run(
        [*command, "tests/test_crnn.py"], cwd=root, env=environment, capture_output=True, text=True
    )
    cases = ElementTree.parse(report).iter("testcase") if report.exists() else []
    # A test that passed has nothing but its output inside.
    outcomes = ("skipped", "failure", "error")
    passed = [case for case in cases if all(case.find(outcome) is None for outcome in outcomes)]
    return result, collections.Counter(case.get("classname").rpartition(".")[-1] for case in passed)

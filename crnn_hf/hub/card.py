"""A model's card, from the template and from what the run and its report noted: nothing in it is typed by hand."""

import re
from datetime import date

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.hub.history import ARTIFICIAL, data, dataset_trained_on, is_artificial, speed, training
from crnn_hf.hub.records import Report, Run
from crnn_hf.hub.results import calibration_in_words, measured_limits, results, thresholds
from crnn_hf.hub.shipped import shipped
from crnn_hf.metrics.exchange.hub_results import TYPES, check_dataset_id, model_index

TEMPLATE = "model_card.md"
TAGS = ("speech-deepfake-detection", "audio-deepfake-detection", "anti-spoofing", "speech")
REPORT_FOLDER = "report"  # in a model's repository
LICENCE = "apache-2.0"


def model_card(
    detector: tuple[PreTrainedModel, SequenceFeatureExtractor],
    run: Run,
    report: Report | None = None,
    *,
    repo_id: str,
    licence: str = LICENCE,
    dataset: str | None = None,
    pictures: dict[str, str] | None = None,
    report_folder: str = REPORT_FOLDER,
    versions: str | None = None,
) -> ModelCard:
    """Make the card. A section that there are no records for is left out.

    Args:
        detector: the model and its feature extractor, from `load_detector`.
        run: what training noted.
        report: what was measured.
        repo_id: the model's name on the Hub, user/name.
        licence: of the weights, as the Hub abbreviates it.
        dataset: name on the Hub of what the report is on, if the report does not know it; the card's head then has the
            results as a model index.
        pictures: the report's, from `pictures_of`.
        report_folder: as it is seen from the card.
        versions: what is new, as Markdown.

    Raises:
        FileNotFoundError: the template is not to be found.
        ValueError: a dataset's name that there cannot be on the Hub.
    """
    model, feature_extractor = detector
    figures = None if report is None else report.figures
    results_in_head = None if report is None else _model_index(report, dataset or report.dataset)
    calibration = getattr(model.config, "calibration", None)
    name = repo_id.rsplit("/", 1)[-1]
    head = ModelCardData(
        license=licence,
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=[*TAGS, model.config.model_type],
        datasets=[dataset_trained_on(run)] if dataset_trained_on(run) else None,
        metrics=list(TYPES.values()) if figures else None,
        model_name=name if results_in_head else None,
        eval_results=results_in_head,
    )
    limits = measured_limits(figures)
    return ModelCard.from_template(
        head,
        template_path=str(shipped(TEMPLATE)),
        model_name=name,
        repo_id=repo_id,
        warning=ARTIFICIAL if is_artificial(run) else None,
        sampling_rate=f"{feature_extractor.sampling_rate:,}",
        parameters=_parameters(model),
        second_opinion=getattr(model, "contrast", None) is not None,
        calibration=calibration_in_words(calibration) if calibration else None,
        data=data(run),
        training=training(run),
        results=results(figures, pictures or {}, report_folder) if figures else None,
        thresholds=thresholds(calibration, figures, repo_id),
        speed=speed(run),
        limits="\n".join(f"- {said}" for said in limits),
        versions=versions,
        licence=f"Weights: {licence}. Code: Apache-2.0.",
        citation=_citation(repo_id, figures),
    )


def _model_index(report: Report, dataset: str | None) -> list[EvalResult] | None:
    if dataset is None:
        return None
    check_dataset_id(dataset)
    name = dataset.rsplit("/", 1)[-1]
    return model_index(report.figures, dataset_name=name, dataset_type=dataset, split=report.split)


def _parameters(model: PreTrainedModel) -> str:
    return f"{model.num_parameters() / 1e6:.2f} M"


def _citation(repo_id: str, figures: dict | None) -> str:
    owner, _, name = repo_id.rpartition("/")
    year = str((figures or {}).get("about", {}).get("date") or date.today())[:4]
    key = re.sub(r"\W", "_", name)
    return (
        f"@misc{{{key},\n  author = {{{owner}}},\n  title = {{{name}: a detector of speech deepfakes}},\n"
        f"  year = {{{year}}},\n  howpublished = {{https://huggingface.co/{repo_id}}},\n}}"
    )

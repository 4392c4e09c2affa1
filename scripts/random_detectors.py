"""Detectors as recipes make them, with random weights: for benchmarks of speed, which no weight changes."""

from pathlib import Path

from transformers import set_seed

from crnn_hf.training import read_recipe
from crnn_hf.training.models import build_model


def random_detector(folder: Path, recipe: str = "crnn-asvspoof5") -> Path:
    """Save the model that a recipe would begin with, and its feature extractor; the folder."""
    set_seed(0)
    model_arguments, *_ = read_recipe(recipe, ["--data="])
    for part in build_model(model_arguments):
        part.save_pretrained(folder)
    return folder

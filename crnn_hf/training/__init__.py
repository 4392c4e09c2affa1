"""Recipes in, trained detectors out."""

from crnn_hf.training.job import train
from crnn_hf.training.recipe import RecipeError, read_recipe
from crnn_hf.training.running import run_recipe

__all__ = ["RecipeError", "read_recipe", "run_recipe", "train"]

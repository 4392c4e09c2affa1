"""transformers' Trainer for clips: several evaluation sets, figures per attack, batches of clips of like length."""

from typing import Any

import torch
from datasets import Dataset
from torch import nn
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import EvalLoopOutput

from crnn_hf.augmentation import SpecAugment
from crnn_hf.data.lengths import sizes_of
from crnn_hf.training.attack_tables import REPLACEMENTS, AttackTables
from crnn_hf.training.evaluation_sets import MAIN
from crnn_hf.training.figures import attack_metrics, attacks_of, scored


class DetectorTrainer(Trainer):
    """A Trainer for datasets whose rows become clips when they are asked for.

    With `train_sampling_strategy="group_by_length"` clips share a batch with others of about the size of their file.
    Evaluation goes through the clips in their order.

    Of several evaluation sets, a dictionary, the one named `MAIN` gives figures without its name, such as `eval_eer`,
    which `metric_for_best_model="eer"` means; a set codec gives `eval_codec_eer`. Where attacks are known, there is
    `attack_metrics` among them, and `AttackTables` tells it.
    """

    def __init__(self, *args: Any, spectrogram_augmentation: SpecAugment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spectrogram_augmentation = spectrogram_augmentation
        for theirs, ours in REPLACEMENTS.items():
            if self.pop_callback(theirs) is not None:
                self.add_callback(ours)
        self.add_callback(AttackTables)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """The figures of one set, or of all evaluation sets by default; see `Trainer.evaluate`."""
        if eval_dataset is not None or not isinstance(self.eval_dataset, dict):
            return super().evaluate(eval_dataset, ignore_keys, metric_key_prefix)
        metrics: dict[str, float] = {}
        for name in self.eval_dataset:
            prefix = metric_key_prefix if name == MAIN else f"{metric_key_prefix}_{name}"
            # By its name: workers that stay alive between evaluations are kept by the name of their set.
            metrics |= super().evaluate(name, ignore_keys, prefix)
        return metrics

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Trainer's pass over a set, with `attack_metrics` added to what it finds."""
        output = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        if output.predictions is None:
            return output
        scores, is_fake = scored(output.predictions, output.label_ids, self.model.config.label2id)
        # With dataloader_drop_last, the last clips are not among them.
        attacks = attacks_of(dataloader.dataset)[: len(scores)]
        metrics = attack_metrics(scores, is_fake, attacks)
        output.metrics.update({f"{metric_key_prefix}_{name}": value for name, value in metrics.items()})
        return output

    def training_step(self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Trainer's step, on batches whose spectrograms are augmented first if they are to be."""
        if self.spectrogram_augmentation is not None:
            inputs = self.spectrogram_augmentation(inputs)
        return super().training_step(model, inputs, *args, **kwargs)

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        sizes = sizes_of(self.train_dataset if train_dataset is None else train_dataset)
        return LengthGroupedSampler(self.args.train_batch_size * self.args.gradient_accumulation_steps, lengths=sizes)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler | None:
        return SequentialSampler(eval_dataset)

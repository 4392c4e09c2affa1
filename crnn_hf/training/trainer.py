"""transformers' Trainer, which can group clips of like length without decoding all of them first."""

from typing import Any

from datasets import Dataset
from torch.utils.data import Sampler, SequentialSampler
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler

from crnn_hf.data.lengths import sizes_of


class DetectorTrainer(Trainer):
    """A Trainer for datasets whose rows become clips when they are asked for.

    With `train_sampling_strategy="group_by_length"` clips share a batch with others of about the size of their file.
    Evaluation goes through the clips in their order.
    """

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        sizes = sizes_of(self.train_dataset if train_dataset is None else train_dataset)
        return LengthGroupedSampler(self.args.train_batch_size * self.args.gradient_accumulation_steps, lengths=sizes)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler | None:
        if self.args.train_sampling_strategy == "group_by_length" and self.args.world_size <= 1:
            return SequentialSampler(eval_dataset)
        return super()._get_eval_sampler(eval_dataset)

"""What a training run draws beside its clips, and when it saves, such that it can be had again from any checkpoint."""

from typing import Any

import numpy as np
from transformers import TrainerCallback, set_seed
from transformers.trainer_utils import IntervalStrategy

from crnn_hf.training.sampling import EpochSampler


class RepeatableDraws(TrainerCallback):
    """Seeds each step of training and each epoch's sampler from the run's seed.

    Dropout, SpecAugment and whatever else draws from the global generators then draw the same at a step, whatever was
    drawn before it: whether the run was resumed, how often it was evaluated, by how many workers clips were read. The
    processes that share a step draw differently.
    """

    def __init__(self) -> None:
        self.sampler: EpochSampler | None = None

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # The loader of a resumed epoch of several processes does not hand the epoch on to its sampler.
        if self.sampler is not None:
            self.sampler.set_epoch(int(state.epoch or 0))

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        set_seed(step_seed(args.seed, state.global_step, args.process_index))


def step_seed(seed: int, step: int, process: int) -> int:
    """The seed of a step of training in one of its processes, in [0, 2 ** 32)."""
    return int(np.random.SeedSequence((seed, step, process)).generate_state(1)[0])


class SaveAfterEvaluation(TrainerCallback):
    """Puts off a checkpoint that is due at the last step of an epoch until the epoch's evaluation is done.

    The Trainer goes on from such a checkpoint with the next epoch, and the evaluation would never be.
    """

    def __init__(self) -> None:
        self._is_due = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        is_last = state.epoch == int(state.epoch) or control.should_training_stop
        if control.should_save and is_last and args.eval_strategy == IntervalStrategy.EPOCH:
            control.should_save = False
            self._is_due = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save |= self._is_due
        self._is_due = False

"""transformers' Trainer for clips: draws that repeat, several processes, evaluation sets, figures per attack."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import Trainer
from transformers.trainer_pt_utils import nested_gather
from transformers.trainer_utils import EvalLoopOutput, TrainOutput

from crnn_hf.augmentation import BatchAugmentation
from crnn_hf.data.lengths import sizes_of
from crnn_hf.training.attack_tables import REPLACEMENTS, AttackTables
from crnn_hf.training.averaging import MovingAverage
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.contrast import of_network_alone, without_opinion
from crnn_hf.training.figures import MAIN, attack_metrics, attacks_of, mean_figures, scored
from crnn_hf.training.finetuning import hold_frozen, spread_rates
from crnn_hf.training.processes import share_batch_norm, weight_ratio
from crnn_hf.training.repeating import RepeatableDraws, SaveAfterEvaluation
from crnn_hf.training.sampling import EpochSampler

LOSS_FILE = "running_loss.json"


class DetectorTrainer(Trainer):
    """A Trainer for `TrainingClips`, evaluated on datasets whose rows become clips when they are asked for.

    What it draws is decided by the seed, the epoch and the step: a run that goes on from a checkpoint ends as it would
    have unbroken, and several processes hear the clips that one would with their batches as one.

    With `train_sampling_strategy="group_by_length"` clips share a batch with others of about the size of their file.
    Evaluation goes through the clips in their order, each once, whatever the number of processes.

    Of several evaluation sets, a dictionary, the one named `MAIN` gives figures without its name, such as `eval_eer`,
    which `metric_for_best_model="eer"` means; a set codec gives `eval_codec_eer`. Where attacks are known, there is
    `attack_metrics` among them, and `AttackTables` tells it. Of several sets there are `mean_figures` as well.

    While training goes on the network is evaluated as it is trained, without a second opinion. That is the same all
    along: beside it, a network that has hardly learned and says little looks better than one that is surer than it
    may be, though once both are weighed it is worse.

    Args:
        batch_augmentations: what is done to each batch of training, in this order.
        average: of the weights, to be evaluated and saved in their place.
        sampling_weights: (clips,), as `sampling_weights` gives them.
        epoch_clips: how many an epoch hears; by default as many as there are.
        crop_seconds: the shortest and the longest stretch of a clip that a batch hears.
        layer_decay: by how much the learning rate falls from a layer to that below it; see `spread_rates`.
        args, kwargs: as `Trainer`.
    """

    def __init__(
        self,
        *args: Any,
        batch_augmentations: Sequence[BatchAugmentation] = (),
        average: MovingAverage | None = None,
        sampling_weights: NDArray | None = None,
        epoch_clips: int | None = None,
        crop_seconds: tuple[float, float] | None = None,
        layer_decay: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sampling_weights = sampling_weights
        self.epoch_clips = epoch_clips
        self.layer_decay = layer_decay
        self.crop_seconds = crop_seconds
        self.batch_augmentations = batch_augmentations
        self.average = average
        self.is_network_alone = False
        # The model's own loss smooths labels, which theirs would take the place of, class weights and all.
        self.label_smoother = None
        for theirs, ours in REPLACEMENTS.items():
            if self.pop_callback(theirs) is not None:
                self.add_callback(ours)
        self.add_callback(AttackTables)
        self.draws = RepeatableDraws()
        self.add_callback(self.draws)
        # Before the average, which looks whether a checkpoint is due.
        self.add_callback(SaveAfterEvaluation)
        if average is not None:
            self.add_callback(average)
        if self.args.world_size > 1:
            share_batch_norm(self.model)

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        """Trainer's, within which nothing is heard of a second opinion."""
        with self.network_alone():
            return super().train(*args, **kwargs)

    @contextmanager
    def network_alone(self) -> Iterator[None]:
        """Evaluate without a second opinion, and without measuring what that alone hears."""
        whole, self.data_collator = self.data_collator, of_network_alone(self.data_collator)
        self.is_network_alone = True
        try:
            yield
        finally:
            self.data_collator, self.is_network_alone = whole, False
            # Workers that stay alive between evaluations would go on as they began.
            self._eval_dataloaders = {}

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
        means = mean_figures(metrics, self.eval_dataset, metric_key_prefix)
        if means:
            self.log(dict(means))
        return metrics | means

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Trainer's pass over a set, with `attack_metrics` added to what it finds."""
        # Not for longer: a checkpoint has it.
        with without_opinion(self.model) if self.is_network_alone else nullcontext():
            output = super().evaluation_loop(
                dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
            )
        if output.predictions is None:
            return output
        scores, is_fake = scored(output.predictions, output.label_ids, self.model.config.label2id)
        # With dataloader_drop_last, the last clips are not among them.
        attacks = attacks_of(dataloader.dataset)[: len(scores)]
        metrics = attack_metrics(scores, is_fake, attacks)
        output.metrics.update({f"{metric_key_prefix}_{name}": value for name, value in metrics.items()})
        return output

    def training_step(self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Trainer's step, on a batch that has gone through its augmentations."""
        for augmentation in self.batch_augmentations:
            inputs = augmentation(inputs)
        return super().training_step(model, inputs, *args, **kwargs)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        # Before the Trainer's state, the last part of a whole checkpoint.
        if self.average is not None and self.args.should_save:
            self.average.save(output_dir)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Trainer's optimizer, with a rate for each layer if there is to be one."""
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if is_new and self.layer_decay != 1:
            spread_rates(optimizer, self.model if model is None else model, self.layer_decay)
        return optimizer

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Trainer's loss, of which in training the mean over the processes is the loss of all their clips."""
        labels = inputs["labels"]
        if model.training:
            hold_frozen(model)
        found = super().compute_loss(model, inputs, *args, **kwargs)
        weights = self.model.config.class_weights
        if not model.training or self.args.world_size == 1 or weights is None:
            return found
        ratio = weight_ratio(labels, weights)
        return (found[0] * ratio, found[1]) if isinstance(found, tuple) else found * ratio

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Trainer's step, whose loss is that of clips which no other process or step has."""
        found = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        clips = len(inputs["labels"])
        state = self.accelerator.gradient_state
        if not (self.args.world_size > 1 and state.end_of_dataloader and state.remainder > 0):
            return found
        # The last batches are filled up with clips from the beginning, so that all processes have as many.
        own = state.remainder - self.args.process_index * clips
        if 0 < own < clips:
            rest = {name: value[:own] for name, value in inputs.items()}
            return super().prediction_step(model, rest, True, ignore_keys)[0], *found[1:]
        return found

    def _get_train_sampler(self, train_dataset: TrainingClips | None = None) -> Sampler:
        clips = self.train_dataset if train_dataset is None else train_dataset
        is_grouped = self.args.train_sampling_strategy == "group_by_length"
        self.draws.sampler = EpochSampler(
            len(clips),
            self._train_batch_size * self.args.world_size,
            self.args.seed if self.args.data_seed is None else self.args.data_seed,
            weights=self.sampling_weights,
            sizes=sizes_of(clips.rows) if is_grouped else None,
            seconds=self.crop_seconds,
            length=self.epoch_clips,
            drop_last=self.args.dataloader_drop_last,
        )
        return self.draws.sampler

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler | None:
        return SequentialSampler(eval_dataset)

    def _save_rng_state(self, output_dir: str) -> None:
        """Save what the Trainer does not: the loss since the last line of the log."""
        super()._save_rng_state(output_dir)
        loss = nested_gather(self._tr_loss, self.args.parallel_mode).mean().item()
        if self.args.should_save:
            noted = {"loss": loss, "last_logged": self._globalstep_last_logged}
            (Path(output_dir) / LOSS_FILE).write_text(json.dumps(noted), encoding="utf-8")
        # The Trainer's state, which comes last, says that the checkpoint is whole, of every process.
        self.accelerator.wait_for_everyone()

    def _load_rng_state(self, checkpoint: str | None) -> None:
        super()._load_rng_state(checkpoint)
        if checkpoint is not None and (file := Path(checkpoint) / LOSS_FILE).is_file():
            noted = json.loads(file.read_text(encoding="utf-8"))
            self._tr_loss.fill_(noted["loss"])
            self._globalstep_last_logged = noted["last_logged"]
            # The summary of a run that went on is of the steps since then.
            self._total_loss_scalar -= noted["loss"]

"""What a training run can be told: the model, the data, and all that transformers' Trainer takes."""

from dataclasses import dataclass, field

import torch
from transformers import TrainingArguments

# Of all sets; whatever else there is, more is better.
LOWER_IS_BETTER = ("loss", "eer", "eer_macro", "min_dcf", "act_dcf", "cllr")


@dataclass
class ModelArguments:
    """The model, from scratch or from another one."""

    model: str | None = field(
        default=None,
        metadata={"help": "Folder or Hub name of a trained model to go on from. By default training is from scratch."},
    )
    new_head: bool = field(
        default=False,
        metadata={
            "help": "Go on from that model with a random head, whose labels are real and fake; its own may be any "
            "others. Its architecture may then differ in classifier_proj_size."
        },
    )
    freeze: list[str] | None = field(
        default=None,
        metadata={
            "help": "Parts of the model that stay as they are: convolutions, recurrence, or modules such as pooling "
            "and encoder.blocks.0"
        },
    )
    layer_decay: float = field(
        default=1.0,
        metadata={
            "help": "By how much the learning rate falls from each layer to the one below it, from the head to the "
            "first convolution: with 0.8 that of the layer below the head is 0.8 of learning_rate, the next 0.64."
        },
    )
    preset: str = field(
        default="default",
        metadata={
            "help": "The model to train from scratch: the small 'default', or the literature's 'reference'.",
            "choices": ["default", "reference"],
        },
    )
    architecture: str = field(
        default="{}",
        metadata={"help": "Fields of CRNNConfig that differ from the preset. One: --architecture.hidden_size 128"},
    )
    features: str = field(
        default="{}",
        metadata={"help": "Arguments of CRNNFeatureExtractor that differ from the preset. One: --features.n_fft 1024"},
    )


@dataclass
class DataArguments:
    """The corpus, and what training hears of it."""

    data: str = field(
        metadata={"help": "A corpus: a directory or address in ASVspoof 5's layout, 'hub', or own recordings."}
    )
    columns: str = field(
        default="{}",
        metadata={"help": "What own recordings' columns are called. One: --columns.label is_fake"},
    )
    training_sets: str = field(
        default="{}",
        metadata={
            "help": "Other corpora to learn from beside data, by name, of which real speech alone or fakes alone will "
            "do. One: --training_sets.calls DIRECTORY, whose train split is heard as if it were part of data's; own "
            'recordings whose columns are called otherwise: --training_sets.calls "{data: FILE, label: is_fake}"'
        },
    )
    replay: str = field(
        default="{}",
        metadata={
            "help": "A corpus to hear again, lest what was learned from it be forgotten: with --replay.data OLD "
            "--replay.share 0.3 three of ten clips of an epoch are from it, other ones in each, and its validation "
            "split is evaluated too, as eval_replayed_eer. Columns of recordings: --replay.label is_fake"
        },
    )
    crop_seconds: list[float] | None = field(
        default_factory=lambda: [4.0],
        metadata={
            "help": "Longest stretch of a clip that training hears at a time, begun anywhere; two numbers, such as "
            "4 10: drawn between them for each batch; null: all of it."
        },
    )
    sampling: str = field(
        default="natural",
        metadata={
            "help": "How often real clips and fakes are heard: 'natural', each clip once an epoch; or 'balanced', as "
            "many real clips as fakes. What is not balanced so, balance_classes balances in the loss.",
            "choices": ["natural", "balanced"],
        },
    )
    group_evenness: float = field(
        default=0.0,
        metadata={
            "help": "How evenly the attacks are heard, and the speakers of real clips, within their class: 0: as "
            "often as they have clips; 1: all alike; 0.5: as the square root of their clips."
        },
    )
    vocoding: str = field(
        default="{}",
        metadata={
            "help": "How fakes are made of the real clips of training, on the fly and before augmentation. One "
            "setting: --vocoding.probability 0.3 of real clips become fakes; none at all: --vocoding null"
        },
    )
    augmentation: str = field(
        default="{}",
        metadata={
            "help": "What is done to the clips of training and no other, in this order: names of augmentations with "
            "their settings. One setting: --augmentation.noise.probability 0.5; one with its defaults: "
            "--augmentation.noise null; none at all: --augmentation null"
        },
    )
    first_train_clips: int | None = field(
        default=None,
        metadata={"help": "Train on the first so many clips of data alone; its others are not even downloaded."},
    )
    first_validation_clips: int | None = field(
        default=None, metadata={"help": "Validate on the first so many clips of each set alone."}
    )
    evaluation_sets: str = field(
        default="{}",
        metadata={
            "help": "Other corpora to validate on beside data, by name. One: --evaluation_sets.codec DIRECTORY gives "
            "eval_codec_eer and so on, and metric_for_best_model can be codec_eer. Own recordings whose columns are "
            'called otherwise: --evaluation_sets.phone "{data: FILE, label: is_fake}". A copy of a corpus, of data if '
            "none is named, whose clips are all augmented: --evaluation_sets.coded.augmentation.codec null. Over "
            "several sets, metric_for_best_model can be mean_eer or mean_eer_macro."
        },
    )
    balance_classes: bool = field(
        default=True,
        metadata={"help": "Weight the classes in the loss by the inverse of their share in what is heard."},
    )
    mixup: float = field(
        default=0.0,
        metadata={"help": "Mix the clips and labels of a batch in pairs, in shares of Beta(mixup, mixup); 0: do not."},
    )


@dataclass
class DetectorTrainingArguments(TrainingArguments):
    """transformers' TrainingArguments, all of them, with other defaults: EER after each epoch, the best model kept."""

    output_dir: str | None = field(default="runs/crnn", metadata={"help": "Where the model and checkpoints go."})
    num_train_epochs: float = field(default=20, metadata={"help": "Total number of training epochs to perform."})
    per_device_train_batch_size: int = field(default=32, metadata={"help": "Clips in a training batch."})
    per_device_eval_batch_size: int = field(default=32, metadata={"help": "Clips in an evaluation batch."})
    learning_rate: float = field(default=1e-3, metadata={"help": "The highest learning rate."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "How the learning rate goes on from there."})
    warmup_steps: float = field(default=0.1, metadata={"help": "Steps, or share of them, that the rate rises."})
    weight_decay: float = field(default=0.01, metadata={"help": "AdamW's weight decay."})
    eval_strategy: str = field(default="epoch", metadata={"help": "When to evaluate: no, steps or epoch."})
    save_strategy: str = field(default="epoch", metadata={"help": "When to save a checkpoint."})
    save_total_limit: int | None = field(default=2, metadata={"help": "Checkpoints kept: the best and the last ones."})
    load_best_model_at_end: bool = field(default=True, metadata={"help": "Whether to end with the best checkpoint."})
    metric_for_best_model: str | None = field(
        default="eer", metadata={"help": "What the best checkpoint is best in: eer, or codec_eer of a set codec."}
    )
    greater_is_better: bool | None = field(
        default=None, metadata={"help": "Whether more of that is better; known of the metrics that there are."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "End after so many evaluations in a row that were not the best; null: do not."}
    )
    ema_decay: float | None = field(
        default=None,
        metadata={
            "help": "Evaluate and keep a moving average of the weights that forgets this slowly, such as 0.999; null: "
            "the weights themselves."
        },
    )
    calibrate: bool = field(
        default=False,
        metadata={
            "help": "Weigh the second opinion of the best model, if it has one, and calibrate it on the validation "
            "split, augmented copies included. They have chosen the model, so that its chances flatter a little "
            "there; crnn-hf calibrate does it on other clips."
        },
    )
    logging_steps: float = field(default=10, metadata={"help": "Steps between two lines of the log."})
    report_to: str | None = field(default="none", metadata={"help": "Where to log to: tensorboard or trackio."})
    project: str = field(default="crnn-hf", metadata={"help": "What trackio files the run under."})
    run_name: str | None = field(default=None, metadata={"help": "What trackio calls the run; null: as output_dir."})
    ddp_timeout: int = field(
        default=6 * 3600,
        metadata={"help": "Seconds that processes wait for one another, as while one of them copies the corpus."},
    )
    remove_unused_columns: bool = field(
        default=False, metadata={"help": "Must stay false: clips become features late."}
    )

    def __post_init__(self) -> None:
        # Without a GPU there is nothing to pin memory for, and PyTorch warns of it each epoch.
        self.dataloader_pin_memory &= torch.cuda.is_available()
        if self.remove_unused_columns:
            raise ValueError("remove_unused_columns must stay false: the columns are turned into features late")
        if self.greater_is_better is None and self.metric_for_best_model is not None:
            endings = tuple(f"_{name}" for name in LOWER_IS_BETTER)
            self.greater_is_better = not f"_{self.metric_for_best_model}".endswith(endings)
        # A run that goes on does so there too.
        self.run_name = self.run_name or self.output_dir
        super().__post_init__()

"""Write the embedded corpus: a small artificial anti-spoofing corpus in the exact layout of ASVspoof 5.

One clip goes one way, whatever its class:

    synthesise -> room -> [vocode, if spoof] -> scene (length, edge silence, tilt, noise floor, level) -> 16-bit FLAC

                                                                                         [-> codec, in eval]

and for every other spoof clip on average the vocoder comes before the room, as a fake may be made from a clean voice
and played in a room, or made from a recording with its room in it. Whatever is not the vocoder is drawn alike for both
classes, and the scene covers edges and floor, so that neither silence, level, length nor noise tells them apart.
"""

import gzip
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from crnn_hf.audio.coding import Codec, through_codec
from crnn_hf.audio.flac import as_flac
from crnn_hf.data.embedded.vocoders import VOCODERS
from crnn_hf.data.embedded.voice import (
    SAMPLING_RATE,
    Samples,
    Speaker,
    coloured_noise,
    draw_speaker,
    place_in_room,
    synthesize_utterance,
)

VERSION = 2  # raise it whenever the same parameters give other bytes
MANIFEST = "corpus.json"
PROTOCOLS = "ASVspoof5_protocols.tar.gz"
GRID = 640  # every length is a multiple of 40 ms, whose small prime factors keep the FFTs fast
CLIP_SECONDS = (2.0, 4.0)
EDGE_SECONDS = (0.05, 0.4)  # silence before and after the speech
LEVEL_DB = (-36.0, -24.0)  # RMS relative to full scale
TILT_DB = (-3.0, 3.0)  # per octave around 1 kHz
BANDWIDTH_HZ = (5500.0, 8000.0)
CUT_DB = 48.0  # per octave above the bandwidth
FLOOR_DB = (-60.0, -35.0)  # noise floor relative to the speech
ENROLMENT_CLIPS = 3  # in the dev tar but in no protocol, as in the original


@dataclass(frozen=True)
class Split:
    """One part of the corpus; all have speakers of their own, and none but train has those attacks.

    Attributes:
        letter: ``T``, ``D`` or ``E``, which begins every name.
        protocol: Name of the protocol file.
        folder: Of the clips in the tars.
        tars: Suffixes of the tars that the clips are spread over.
        speakers: How many there are, half of them women.
        attacks: Attack label to vocoder.
        codecs: Codec label to codec; the clips of both classes go through each of them, or none, in equal shares.
    """

    letter: str
    protocol: str
    folder: str
    tars: tuple[str, ...]
    speakers: int
    attacks: dict[str, str]
    codecs: dict[str, Codec] = field(default_factory=dict)


TRAIN = Split(
    letter="T",
    protocol="ASVspoof5.train.tsv",
    folder="flac_T",
    tars=("aa", "ab"),
    speakers=24,
    attacks={
        "A01": "mel_griffin_lim",
        "A02": "lpc_vocoder",
        "A03": "harmonic_plus_noise",
        "A04": "channel_vocoder",
    },
)
DEV = Split(
    letter="D",
    protocol="ASVspoof5.dev.track_1.tsv",
    folder="flac_D",
    tars=("aa",),
    speakers=12,
    attacks={
        "A09": "linear_griffin_lim",
        "A10": "residual_excited",
        "A11": "world_style",
        "A12": "phase_vocoder",
    },
)
# Whoever trains on train, chooses and calibrates on dev and measures on eval meets other voices and codecs there. The
# vocoders are those of dev again, for want of others.
EVAL = Split(
    letter="E",
    protocol="ASVspoof5.eval.track_1.tsv",
    folder="flac_E_eval",
    tars=("aa",),
    speakers=12,
    attacks={
        "A17": "linear_griffin_lim",
        "A18": "residual_excited",
        "A19": "world_style",
        "A20": "phase_vocoder",
    },
    codecs={
        "C01": Codec("libopus", "ogg", bit_rate=12_000),
        "C05": Codec("libmp3lame", "mp3", bit_rate=32_000),
        "C09": Codec("libopencore_amrnb", "amr", bit_rate=12_200, sampling_rate=8_000),
    },
)
SPLITS = (TRAIN, DEV, EVAL)


@dataclass(frozen=True)
class Clip:
    """What a clip is to be, before it sounds.

    Attributes:
        name: File name without extension, such as ``"T_0000000000"``.
        speaker: Who speaks.
        attack: ``"A01"`` and so on, or ``"bonafide"``.
        vocoder: Name in :data:`VOCODERS`, or None for bona fide.
        codec: ``"C01"`` and so on, or ``"-"``.
        quality: ``"-"`` in a split without codecs, ``"0"`` for a clip without and ``"1"`` for one with a codec.
    """

    name: str
    speaker: Speaker
    attack: str = "bonafide"
    vocoder: str | None = None
    codec: str = "-"
    quality: str = "-"

    @property
    def key(self) -> str:
        """``"bonafide"`` or ``"spoof"``."""
        return "spoof" if self.vocoder else "bonafide"

    @property
    def protocol_line(self) -> str:
        """Ten fields: speaker, file, gender, codec, its quality, its seed, attack tag, attack, key, and a dash."""
        coding = f"{self.codec} {self.quality} -"
        return f"{self.speaker.name} {self.name} {self.speaker.gender} {coding} - {self.attack} {self.key} -\n"


def _rng(seed: int, stream: str) -> np.random.Generator:
    """A generator for one purpose, so that neither order nor number of the clips reaches what another draws."""
    return np.random.default_rng([seed, *stream.encode()])


def _speaker(split: Split, number: int, seed: int) -> Speaker:
    name = f"{split.letter}_{number:04d}"
    return draw_speaker(_rng(seed, name), name, "FM"[number % 2])


def plan_clip(split: Split, index: int, seed: int) -> Clip:
    """Decide speaker and class of clip ``index``: one of every two clips is spoof, and the attacks take turns."""
    pair, place = divmod(index, 2)
    name = f"{split.letter}_{index:010d}"
    speaker = _speaker(split, int(_rng(seed, f"speaker of {name}").integers(split.speakers)), seed)
    # The attacks take turns, and the codecs with each of them.
    codecs = ["-", *split.codecs]
    codec = codecs[pair // len(split.attacks) % len(codecs)]
    quality = "-" if not split.codecs else "0" if codec == "-" else "1"
    if place != _rng(seed, f"spoof of {split.letter} {pair}").integers(2):
        return Clip(name, speaker, codec=codec, quality=quality)
    attack = list(split.attacks)[pair % len(split.attacks)]
    return Clip(name, speaker, attack, split.attacks[attack], codec, quality)


def make_clip(clip: Clip, seed: int) -> Samples:
    """The sound of a clip: float32 of shape (samples,) at 16 kHz, 2 to 4 s, within [-0.99, 0.99]."""
    speech_rng, room_rng, vocoder_rng, scene_rng = _rng(seed, clip.name).spawn(4)
    seconds = [scene_rng.uniform(*span) for span in (CLIP_SECONDS, EDGE_SECONDS, EDGE_SECONDS)]
    samples, lead, trail = (round(length * SAMPLING_RATE / GRID) * GRID for length in seconds)
    speech = synthesize_utterance(clip.speaker, (samples - lead - trail) / SAMPLING_RATE, speech_rng)
    if clip.vocoder is None:
        speech = place_in_room(speech, room_rng)
    elif vocoder_rng.random() < 0.5:
        speech = VOCODERS[clip.vocoder](place_in_room(speech, room_rng), SAMPLING_RATE, vocoder_rng)
    else:
        speech = place_in_room(VOCODERS[clip.vocoder](speech, SAMPLING_RATE, vocoder_rng), room_rng)
    scene = np.zeros(samples, dtype=np.float32)
    scene[lead : lead + len(speech)] = speech
    heard = set_scene(scene, scene_rng)
    if clip.codec == "-":
        return heard
    return np.clip(through_codec(heard, SAMPLING_RATE, EVAL.codecs[clip.codec]), -0.99, 0.99)


def set_scene(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Draw the recording channel: noise floor, spectral tilt, bandwidth and level; no DC.

    Args:
        waveform: Shape (samples,) at 16 kHz, not silent.
        rng: Draws the channel.

    Returns:
        Samples of shape (samples,) within [-0.99, 0.99]; a level that would push the peak beyond is lowered.
    """
    samples = len(waveform)
    floor = coloured_noise(samples, rng.uniform(0, 2), rng) * 10 ** (rng.uniform(*FLOOR_DB) / 20)
    spectrum = np.fft.rfft(waveform + floor * np.sqrt(np.mean(waveform**2)))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLING_RATE)
    tilt = rng.uniform(*TILT_DB) * np.log2(np.maximum(frequency, 125) / 1000)
    cut = CUT_DB * np.log2(np.maximum(1, frequency / rng.uniform(*BANDWIDTH_HZ)))
    spectrum *= 10 ** ((tilt - cut) / 20)
    spectrum[0] = 0
    scene = np.fft.irfft(spectrum, samples)
    scene *= 10 ** (rng.uniform(*LEVEL_DB) / 20) / np.sqrt(np.mean(scene**2))
    return (scene / max(1.0, np.abs(scene).max() / 0.99)).astype(np.float32)


def encode_clip(clip: Clip, seed: int) -> bytes:
    """A clip as a mono 16-bit FLAC file."""
    return as_flac(make_clip(clip, seed), SAMPLING_RATE, full_scale=32_767)


def write_embedded_corpus(
    directory: str | os.PathLike[str],
    *,
    train_clips: int = 480,
    dev_clips: int = 240,
    eval_clips: int = 0,
    seed: int = 0,
    workers: int | None = None,
) -> Path:
    """Write the corpus, or leave it alone where ``directory`` holds it already.

    The bytes depend on the parameters and the libraries, not on ``workers``; the first clips of a split do not depend
    on how many follow. An interrupted run leaves nothing under the name ``directory``.

    Args:
        directory: Where to; parents are made.
        train_clips: Clips in the training protocol, half of them spoof; at least 2.
        dev_clips: Clips in the development protocol, half of them spoof; at least 2.
        eval_clips: Clips in the evaluation protocol, half of them spoof, some through codecs; with 0 there is none.
        seed: At least 0.
        workers: Processes; None means one a core, and 1 stays in this process. As ever with :mod:`multiprocessing`, a
            script that calls this with more does so under ``if __name__ == "__main__"``.

    Returns:
        ``directory`` as a path.

    Raises:
        FileExistsError: If ``directory`` exists and is not this corpus with these parameters.
        ValueError: If a count, ``seed`` or ``workers`` is out of range.
    """
    workers = os.cpu_count() or 1 if workers is None else workers
    if min(train_clips, dev_clips) < 2 or eval_clips < 0 or eval_clips == 1 or seed < 0 or workers < 1:
        raise ValueError(
            "train_clips and dev_clips must be at least 2, eval_clips 0 or at least 2, seed at least 0 and workers at "
            f"least 1, not {train_clips}, {dev_clips}, {eval_clips}, {seed} and {workers}"
        )
    directory = Path(directory)
    counts = {"train_clips": train_clips, "dev_clips": dev_clips, "eval_clips": eval_clips}
    manifest = {"version": VERSION, **counts, "seed": seed}
    if directory.exists():
        if _manifest_of(directory) == manifest:
            return directory
        raise FileExistsError(f"{directory} exists and is not the embedded corpus with parameters {manifest}")

    plans = [
        (split, [plan_clip(split, index, seed) for index in range(count)])
        for split, count in zip(SPLITS, counts.values(), strict=True)
        if count
    ]
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}-") as temporary:
        corpus = Path(temporary) / directory.name
        corpus.mkdir()
        _write_tars(corpus, _shares(plans, seed), seed, workers)
        _write_protocols(corpus / PROTOCOLS, plans)
        (corpus / "README.md").write_text(_readme(manifest), encoding="utf-8")
        (corpus / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        corpus.rename(directory)
    return directory


def _manifest_of(directory: Path) -> object:
    """What the manifest in ``directory`` says, or None where there is no readable one."""
    try:
        return json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _shares(plans: list[tuple[Split, list[Clip]]], seed: int) -> list[tuple[Split, str, list[Clip]]]:
    """Share each split's clips among its tars, and add the enrolment clips to the last one of dev."""
    shares = []
    for split, clips in plans:
        size = -(-len(clips) // len(split.tars))
        shares += [(split, tar, clips[at * size : (at + 1) * size]) for at, tar in enumerate(split.tars)]
    last_of_dev = next(clips for split, tar, clips in shares if (split, tar) == (DEV, DEV.tars[-1]))
    last_of_dev.extend(
        Clip(f"{DEV.letter}_A{index:010d}", _speaker(DEV, index, seed)) for index in range(ENROLMENT_CLIPS)
    )
    return shares


def _write_tars(corpus: Path, shares: list[tuple[Split, str, list[Clip]]], seed: int, workers: int) -> None:
    clips = [clip for _, _, share in shares for clip in share]
    with _mapper(workers) as ordered_map:
        encoded = ordered_map(partial(encode_clip, seed=seed), clips)
        sounds = iter(tqdm(encoded, total=len(clips), desc="Writing the embedded corpus", unit="clip"))
        for split, suffix, share in shares:
            path = corpus / f"flac_{split.letter}_{suffix}.tar"
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for clip in share:
                    _add_file(tar, f"{split.folder}/{clip.name}.flac", next(sounds))


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[bytes]]]:
    """A ``map`` that keeps the order, in this process or in ``workers`` fresh ones."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield partial(pool.map, chunksize=4)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # do not finish the corpus when interrupted
            raise


def _write_protocols(path: Path, plans: list[tuple[Split, list[Clip]]]) -> None:
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for split, clips in plans:
            _add_file(tar, split.protocol, "".join(clip.protocol_line for clip in clips).encode())


def _add_file(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a regular file whose header says nothing of when or by whom."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _readme(manifest: dict[str, int]) -> str:
    attacks = "\n".join(
        f"| {attack} | {split.protocol} | `{vocoder}` |"
        for split in SPLITS
        for attack, vocoder in split.attacks.items()
    )
    parameters = ", ".join(f"{name} {value}" for name, value in manifest.items())
    return f"""# Embedded corpus

Artificial speech in the layout of ASVspoof 5, made by `crnn_hf.data.embedded` ({parameters}).

**Nobody speaks here.** The "bona fide" clips are nonsense syllables from a source-filter synthesiser, the "spoof"
clips are such syllables sent through a vocoder. The corpus shows that reading, training, evaluation and detection run.
An error rate measured on it says nothing about ASVspoof 5 or about any real deepfake, and a detector trained on it is
of no use on either.

| Attack | Protocol | Vocoder |
|---|---|---|
{attacks}

Half of the clips of a protocol are spoof. No two protocols share a speaker, and train shares no attack. Those of eval,
if there is one, are those of dev by other names, and three quarters of its clips went through a codec: C01 is Opus at
12 kbit/s, C05 MP3 at 32 kbit/s, and C09 AMR at 12.2 kbit/s and 8 kHz. The dev tar holds {ENROLMENT_CLIPS} more clips,
named `D_A...`, which no protocol lists, as the enrolment clips of the original.
"""

"""Any recording, as the one waveform the detector wants."""

import numpy as np

from crnn_hf.audio.decoding import decoded
from crnn_hf.audio.errors import AudioReadError, Fault
from crnn_hf.audio.resampling import resample
from crnn_hf.audio.sources import Source, name_of, opened


def read_audio(source: Source, sampling_rate: int = 16_000, *, name: str | None = None) -> np.ndarray:
    """Read a recording whole, or not at all.

    The content decides how it is read, never the name's extension. soundfile reads WAV, FLAC, Ogg (Vorbis, Opus),
    AIFF, AU, CAF and what else libsndfile knows; FFmpeg, by way of PyAV, reads MP3 (libsndfile's decoder passes over
    damaged frames in silence), M4A, WebM, AMR, WMA, the sound of videos, and the rest. Of several audio streams the
    best is taken, as FFmpeg ranks them; several channels are averaged.

    What a container declares must be there; a file that was cut is refused. Some files cannot tell that they were
    cut, and are read as they are:

    - WAV, AIFF and CAF from a writer that left the size open (0, all ones, or 0x7FFFF000), and AU with all ones;
    - FLAC that declares no number of samples, if cut between two frames;
    - MP3 without a Xing, Info or VBRI note, AAC (ADTS), AC-3 and AMR, if cut between two frames;
    - MPEG-TS and FLV, if cut between two packets;
    - WebM and Matroska of unknown size, as browsers record them, if cut between two blocks;
    - fragmented MP4 that states no duration, if cut between two fragments;
    - libsndfile's rarities: AVR, IRCAM, MAT4, MAT5, MPC 2000, PAF, PVF, VOC, WVE, XI.

    Args:
        source: a path, the content itself as bytes, or a binary stream, which is read from where it stands to its end,
            and left open.
        sampling_rate: the wanted sampling rate in Hz.
        name: what errors call a source that is bytes or a stream, such as a member of an archive.

    Returns:
        (samples,), float32. Integer full scale is 1.0, so values nominally lie in [-1, 1]; lossy codecs, resampling
        and float files may exceed that.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the path does not lead to a readable file.
        AudioReadError: the content is empty, is not audio, holds no samples, is cut off or damaged, has samples that
            are not finite numbers, or a sampling rate outside of 1 to 768 kHz; or several Ogg recordings follow one
            another in it.
    """
    with opened(source) as content:
        try:
            pieces, (rate, *_) = zip(*decoded(content), strict=True)
        except Fault as fault:
            raise AudioReadError(name or name_of(source), str(fault)) from fault.__cause__
    # Most clips come in one piece, which needs no copy.
    waveform = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
    return resample(waveform, rate, sampling_rate)

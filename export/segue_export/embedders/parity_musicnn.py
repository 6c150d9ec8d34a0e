"""What the original musicnn answers, for the tests to compare ours with.

Runs apart from the project, in an environment of its own, since the original needs TensorFlow:

    python3.11 -m venv tf && tf/bin/pip install tensorflow-cpu==2.15.1 librosa==0.11.0 soundfile soxr
    tf/bin/python export/segue_export/embedders/parity_musicnn.py \\
        musicnn-0.1.0-py3-none-any.whl examples/music/upbeat.flac tests/guidance/originals/musicnn.npz

It builds the graph with the wheel's own ``models.py``, restores the wheel's own checkpoints and hears four signals of
3 s. Two things are not as in the wheel's ``extractor.py``, for reasons that ``segue.guidance.embedders.musicnn_mel``
gives: mel powers keep float32, and ends are padded by reflection. The answers to rounded powers are recorded as well.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16000
FRAMES = 187
EVERY = 16
"""Of the original's log-mel frames, each sixteenth is kept."""
MODELS = ("MSD_musicnn", "MTT_musicnn")
MUSIC_AT = 12.0
"""Seconds into the music at which its 3 s begin."""


def synthetic() -> dict[str, np.ndarray]:
    """Signals of 3 s at 16 kHz, float32, that are the same wherever they are made."""
    t = np.arange(3 * RATE) / RATE
    noise = 0.1 * np.random.RandomState(0).standard_normal(t.size)  # numpy promises this stream for good
    sweep = 0.05 * np.sin(2 * np.pi * 40 * 3 / np.log(190) * (190 ** (t / 3) - 1))  # 40 to 7600 Hz
    beat = (t % 0.5) / 0.5
    chord = sum(np.sin(2 * np.pi * f * t) / (i + 1) for i, f in enumerate((110.0, 220.0, 277.18, 329.63, 554.37)))
    plucked = 0.1 * chord * np.exp(-6 * beat) + 0.05 * noise * np.exp(-60 * beat)
    return {name: x.astype(np.float32) for name, x in (("noise", noise), ("sweep", sweep), ("plucked", plucked))}


def music(path: Path) -> np.ndarray:
    """3 s of a file at 16 kHz mono, as librosa loads them: channels averaged, then soxr's HQ."""
    audio, rate = importlib.import_module("soundfile").read(path, dtype="float32", always_2d=True)
    start = round(MUSIC_AT * rate)
    mono = audio[start : start + 3 * rate].mean(1)
    heard: np.ndarray = importlib.import_module("soxr").resample(mono, rate, RATE, "HQ")
    return heard


def original_mel(audio: np.ndarray) -> np.ndarray:
    """Mel powers (frames, bands) of 16 kHz audio by librosa's defaults."""
    librosa: Any = importlib.import_module("librosa")
    mel: np.ndarray = librosa.feature.melspectrogram(
        y=audio, sr=RATE, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    )
    return mel.T[:FRAMES]


def original_answers(wheel: Path, model: str, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (patches, 50) and penultimate layer (patches, 200) from the wheel's own graph and checkpoint."""
    tf: Any = importlib.import_module("tensorflow").compat.v1
    tf.disable_eager_execution()
    models: Any = importlib.import_module("musicnn.models")
    tf.reset_default_graph()
    x, training = tf.placeholder(tf.float32, [None, FRAMES, 96]), tf.placeholder(tf.bool)
    logits, *_, penultimate = models.define_model(x, training, model, 50)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive, tf.Session() as session:
        names = [name for name in archive.namelist() if name.startswith(f"musicnn/{model}/")]
        archive.extractall(folder, names)
        tf.train.Saver().restore(session, f"{folder}/musicnn/{model}/")
        wanted = [tf.sigmoid(logits), penultimate]
        answers = [session.run(wanted, {x: patch[None], training: False}) for patch in patches]
    probabilities, embeddings = zip(*answers, strict=True)
    return np.concatenate(probabilities), np.concatenate(embeddings)


def record(wheel: Path, flac: Path, out: Path) -> None:
    """Hear all signals with both models and write what the tests compare."""
    sys.path.insert(0, str(wheel))
    signals = {**synthetic(), "music": music(flac)}
    mels = np.stack([original_mel(audio) for audio in signals.values()])
    patches = np.log10(10000 * mels + 1)
    halves = np.log10(10000 * mels.astype(np.float16).astype(np.float32) + 1)
    kept: dict[str, Any] = {"signals": np.array(list(signals)), "frames": patches[:, ::EVERY]}
    for model in MODELS:
        kept[f"{model}/probabilities"], kept[f"{model}/penultimate"] = original_answers(wheel, model, patches)
        kept[f"{model}/probabilities_in_half"], _ = original_answers(wheel, model, halves)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, **kept)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wheel", "flac", "out"):
        parser.add_argument(name, type=Path)
    a = parser.parse_args()
    record(a.wheel, a.flac, a.out)


if __name__ == "__main__":
    main()

"""How fast Segue is, as a Markdown table: ``make bench-speed``.

A bench, not a test: it always exits with 0. Figures beside limits that are passed are for a machine with nothing else
to do; ratios to torch are taken in alternating pairs, so that a busy machine slows both.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.speed import service
from tests.speed.rows import Row, ratio, seconds_of

EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"
STARTS = 7
SONG_SECONDS = 240
TOKENS = (96, 192)
STAGES = ("load", "recall", "sample", "decode", "seam")


def network_rows() -> Iterator[Row]:
    """The embedded bundle's graphs against the same network in eager torch, one thread each, batch 1."""
    import torch

    from segue.prior.bundle import Bundle
    from segue.prior.runtime import SessionSettings
    from segue_export.models.mel_transformer import MelTransformer
    from segue_export.train.settings import PriorSettings

    torch.set_num_threads(1)
    net = MelTransformer(PriorSettings().network).eval().requires_grad_(False)  # its weights do not change the time
    denoiser, channels = Bundle.open().denoiser(SessionSettings(threads=1)), net.settings.channels
    time_ = torch.full((1,), 0.5)
    for tokens in TOKENS:
        x_t, cot, context = torch.randn(3, 1, channels, tokens)
        mask = (torch.arange(tokens) < tokens // 2).float()[None, None]
        donors, presence = torch.randn(1, 2 * channels, tokens), torch.ones(1, 2, tokens)
        given = {"mask": mask, "context": context * mask, "donors": donors, "presence": presence}
        given |= {"consensus": donors[:, :channels], "agreed": presence[:, :1]}
        prior, eager = denoiser.bind(given), partial(net, **given)

        def plain(predict: Callable[..., torch.Tensor], x: torch.Tensor = x_t) -> None:
            with torch.no_grad():
                predict(x, time_)

        def guided(predict: Callable[..., torch.Tensor], x: torch.Tensor = x_t, cot: torch.Tensor = cot) -> None:
            variable = x.clone().requires_grad_(True)
            torch.autograd.grad(predict(variable, time_), variable, cot)

        for name, work, limit in (("denoise / forward", plain, 0.9), ("fw + bw / forward + backward", guided, 1.0)):
            value = ratio(partial(work, prior), partial(work, eager))
            yield Row(f"{name}, ONNX over eager torch, {tokens} tokens", value, "x", limit)


def render_rows() -> Iterator[Row]:
    """A 2 s gap in a 4-minute song with default settings, in a fresh process and again in the same one."""
    import numpy as np
    import soundfile

    audio, rate = soundfile.read(EXCERPT, dtype="int16", always_2d=True)
    with tempfile.TemporaryDirectory() as scratch:
        song = Path(scratch) / "song.wav"
        whole = np.tile(audio, (-(-SONG_SECONDS * rate // len(audio)), 1))[: SONG_SECONDS * rate]
        soundfile.write(song, whole, rate, subtype="PCM_16")
        start = time.time()
        child = subprocess.run(
            [sys.executable, "-m", "tests.speed.bench", str(song)], capture_output=True, text=True, check=True
        )
    cold, warm = (json.loads(line) for line in child.stdout.splitlines())
    yield Row("2 s in 4 minutes, fresh process", cold["ended"] - start, "s", 10.0)
    yield Row("2 s in 4 minutes, warm", warm["wall"], "s", 5.0)
    yield Row("its CPU time, all threads", warm["cpu"], "s")
    yield Row("its peak memory", warm["peak_gb"], "GB", 1.5)
    for stage in STAGES:
        yield Row(f"its share: {stage}", 100.0 * warm["seconds"].get(stage, 0.0) / warm["wall"], "%")
    rest = warm["wall"] - sum(warm["seconds"].values())
    yield Row("its share: files and the rest", 100.0 * rest / warm["wall"], "%")


def fill_twice(song: Path) -> None:
    """The child's part: one line of JSON for each fill."""
    import segue

    for number in range(2):
        start, used = time.perf_counter(), time.process_time()
        result = segue.fill_file(song, song.with_name(f"out-{number}.wav"), gaps=["120.0:122.0"])
        said = {
            "wall": time.perf_counter() - start,
            "cpu": time.process_time() - used,
            "ended": time.time(),
            "seconds": result.report["seconds"],
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        }
        print(json.dumps(said), flush=True)


def start_rows() -> Iterator[Row]:
    """What a person waits for before anything happens; each time a fresh process."""
    script = Path(sys.executable).with_name("segue")
    for what, command, limit in (
        ("import segue", [sys.executable, "-c", "import segue"], 0.3),
        ("segue --help", [str(script), "--help"], 0.5),
    ):

        def run(command: list[str] = command) -> None:
            subprocess.run(command, check=True, capture_output=True)

        yield Row(what, statistics.median(seconds_of(run) for _ in range(STARTS)), "s", limit)


def main() -> None:
    print("| what | measured | limit | |\n|---|---|---|---|")
    for rows in (start_rows, network_rows, render_rows, service.rows):
        for row in rows():
            print(row, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fill_twice(Path(sys.argv[1]))
    else:
        main()

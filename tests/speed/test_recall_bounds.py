"""What recall may cost: memory of a long song, time of the mosaic."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def test_a_five_minute_song_costs_at_most_three_times_its_audio() -> None:
    """The peak of a fresh process over what it held once everything was imported and run on a second of noise."""
    script = """
        import resource
        import numpy as np, torch
        from segue.clip.span import Span
        from segue.prior.codecs.mel import MelCodec, MelSettings
        from segue.recall.song import Song
        torch.set_num_threads(1)
        bands = MelSettings().bands
        codec = MelCodec(MelSettings(), torch.zeros(bands), torch.ones(bands))

        def listen(timeline):
            gap = Span(timeline.shape[1] // 2, timeline.shape[1] // 2 + 20_000)
            song = Song.of(timeline, [gap], codec)
            return song.frames, song.features, song.donors(gap)

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

        audio = np.random.default_rng(0).standard_normal((2, 300 * 44100), np.float32)
        listen(audio[:, : 10 * 44100])
        before = peak()
        listen(audio)
        print((peak() - before) / audio.nbytes)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert float(run.stdout) <= 3.0

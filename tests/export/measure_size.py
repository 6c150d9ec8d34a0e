"""What the published small configuration of Stable Audio 3 costs, with random weights: import, memory, seconds a step.

    python -m tests.export.measure_size FOLDER [--store fp16] [--no-text] [--denoiser] [--depth 20] [--threads 2]

It writes the model into FOLDER/model once (about 3 GB, in Stability's own format), imports it as a musician would (or
its denoiser alone, which takes the most), and runs what came of it; docs/priors.md has the table. Memory is that of the
process tree, five times a second: resident, and of that what no file backs. Nothing is downloaded; the tokenizer knows
a few words.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

GIB = 1 << 30
DIT = {"embed_dim": 1024, "num_heads": 16, "use_differential_attention": False}
SAME = {
    "patch_size": 256,
    "encoder_channels": 128,
    "encoder_c_mults": [6],
    "encoder_strides": [16],
    "encoder_transformer_depths": [6],
    "latent_dim": 256,
    "dim_heads": 64,
}
TEXT = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12}
TEXT |= {"num_key_value_heads": 12, "head_dim": 64, "vocab_size": 256000}
LONGEST, SECONDS = 5_292_032, 384.0
FRAMES = 66  # a window of 6 s, in pairs


@dataclass(frozen=True)
class Cost:
    """Seconds, and the most bytes: resident, and not backed by a file."""

    seconds: float
    resident: int
    private: int


def write_model(folder: Path, *, depth: int, text: bool) -> None:
    """The model with random weights; the published one has ``depth`` 20."""
    import torch
    from diffusers import StableAudio3DiTModel
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder

    from segue_export.importers.parts.same import make_same
    from tests.export.stability_format import model_config, write_native
    from tests.export.tiny_families import quiet, randomised, t5gemma, tokenizer

    with quiet(), torch.no_grad():
        transformer = randomised(StableAudio3DiTModel(**DIT, depth=depth), 1)
        vae = randomised(make_same(**SAME, chunk_size=32, chunk_shift=True, wide_output=True), 2)  # type: ignore[arg-type]
        duration = randomised(StableAudio3DurationEmbedder(768), 3)
        config = model_config(SAME, small=True, longest=LONGEST, seconds=SECONDS)
        write_native(folder, config, transformer.state_dict(), vae.state_dict(), duration.state_dict())
        if text:
            encoder: Any = randomised(t5gemma(**TEXT), 4)
            encoder.to(torch.bfloat16).save_pretrained(folder / "t5gemma-b-b-ul2")
            tokenizer(256).save_pretrained(folder / "t5gemma-b-b-ul2")


def watched(command: Sequence[str]) -> Cost:
    """Run a command; what it and its children took.

    Raises:
        SystemExit: it failed.
    """
    begun, resident, private = time.monotonic(), 0, 0
    child = psutil.Popen(command)
    while child.poll() is None:
        both = [_memory(p) for p in _family(child)]
        resident, private = max(resident, sum(r for r, _ in both)), max(private, sum(p for _, p in both))
        time.sleep(0.2)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(time.monotonic() - begun, resident, private)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> tuple[int, int]:
    try:
        found = process.memory_info()
    except psutil.NoSuchProcess:
        return 0, 0
    return found.rss, found.rss - found.shared


def export_alone(model: Path, folder: Path, store: str) -> None:
    """The denoiser's graphs, as an import makes them."""
    from segue_export.importers.parts.loading import quiet
    from segue_export.importing.run import ImportOptions, plan_import, write_denoiser

    plan = plan_import(model, ImportOptions(text=False, store=store))  # type: ignore[arg-type]
    with quiet():
        write_denoiser(plan, folder, None, lambda line: print(line, flush=True))


def run_graphs(model: Path, folder: Path, *, threads: int, guided: bool) -> dict[str, float]:
    """Median seconds of a step of a 6 s window, and of decoding it; the most memory of this process."""
    import torch

    from segue.prior.onnx_function import OnnxDenoiser
    from segue.prior.runtime import SessionSettings
    from segue.prior.signature import TensorSpec, codec_signatures, denoiser_signature
    from segue_export.graphs.export import load_function
    from segue_export.importing.run import ImportOptions, plan_import

    torch.set_num_threads(threads)
    facts, settings = plan_import(model, ImportOptions(text=False)).facts, SessionSettings(threads=threads)
    draws = torch.Generator().manual_seed(0)
    specs = [TensorSpec(name, shape) for name, shape in facts.conditioning]
    given = {spec.name: torch.randn(spec.sizes(1, FRAMES, 8), generator=draws) for spec in specs}
    signature = denoiser_signature(facts.channels, specs, facts.latent_multiple)
    prior = OnnxDenoiser(load_function(signature, folder, settings)).bind(given)
    x_t, t = torch.randn(1, facts.channels, FRAMES, generator=draws), torch.tensor([0.5])

    def step() -> None:
        with torch.set_grad_enabled(guided):
            variable = x_t.clone().requires_grad_(guided)
            output = prior(variable, t)
            if guided:
                torch.autograd.grad(output.square().sum(), variable)

    found = {**_median("step", step), "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)}
    _, decode = codec_signatures(facts.channels, facts.token, facts.latent_multiple)
    if not guided and (folder / f"{decode.graphs[0]}.onnx").exists():
        decoder = load_function(decode, folder, settings)
        found |= _median("decode", lambda: decoder(x_t, {}))
    return found


def _median(name: str, call: Callable[[], object], times: int = 3) -> dict[str, float]:
    """Of ``times`` calls, after one that makes the sessions: seconds by the clock, and of the processor."""
    call()
    found = []
    for _ in range(times):
        begun = time.monotonic(), time.process_time()
        call()
        found.append((time.monotonic() - begun[0], time.process_time() - begun[1]))
    wall, processor = (statistics.median(column) for column in zip(*found, strict=True))
    return {name: wall, f"{name}, processor": processor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", default="fp16", help="fp32, fp16 or int8")
    parser.add_argument("--no-text", action="store_true", help="leave the text encoder out")
    parser.add_argument("--denoiser", action="store_true", help="the denoiser alone")
    parser.add_argument("--depth", type=int, default=20, help="fewer layers of the transformer, where time is short")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["write", "export", "run", "guided"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    model = given.folder / "model"
    made = given.folder / f"{'denoiser' if given.denoiser else 'bundle'}-{given.store}"
    match given.only:
        case "write":
            write_model(model, depth=given.depth, text=not given.no_text)
        case "export":
            export_alone(model, made, given.store)
        case None:
            measure(model, made, given)
        case kind:
            print(kind, json.dumps(run_graphs(model, made, threads=given.threads, guided=kind == "guided")), flush=True)


def measure(model: Path, made: Path, given: argparse.Namespace) -> None:
    """Write the model and import it, each where that was not done before, and run it."""
    again = [sys.executable, "-m", "tests.export.measure_size", *sys.argv[1:], "--only"]
    if not model.exists():
        watched([*again, "write"])
    if not made.exists():
        whole = [sys.executable, "-m", "segue_export.cli.main", "import", str(model), "-o", str(made)]
        whole += ["--accept-licence", "--store", given.store, *(["--no-text"] if given.no_text else [])]
        cost = watched([*again, "export"] if given.denoiser else whole)
        stored = sum(f.stat().st_size for f in made.iterdir())
        print(
            f"import: {cost.seconds:.0f} s, {cost.resident / GIB:.2f} GiB resident, {cost.private / GIB:.2f} private; "
            f"{stored / GIB:.2f} GiB on disk",
            flush=True,
        )
    for kind in ("run", "guided"):
        subprocess.run([*again, kind], check=True)


if __name__ == "__main__":
    main()

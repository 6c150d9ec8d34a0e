"""The first load of a bundle happens in a child process, which may crash, hang or run out of memory in our stead.

``python -m segue.prior.quarantine FOLDER SHA256`` makes every session of the bundle and runs each function once on a
short input, within limits on memory, time and files. A digest that has passed is remembered in the user's cache folder,
together with the version of onnxruntime, so that later loads skip the child.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from segue.errors import BundleRejected, SegueError
from segue.prior.checks import check_graphs
from segue.prior.manifest import Manifest, read_manifest
from segue.prior.runtime import Graph, SessionSettings, open_session
from segue.prior.signature import Signature, TextSignature

FRAMES = 8
_SECONDS, _SECONDS_PER_GIB = 60.0, 60.0
_MEMORY, _MEMORY_PER_BYTE = 4 << 30, 8
_PASSED = 0
_MODULE = "segue.prior.quarantine"
_log = logging.getLogger(__name__)


def ensure_passed(folder: Path, manifest: Manifest, digest: str, cache: Path) -> None:
    """Run the bundle in a child process, unless its digest has passed before.

    Raises:
        BundleRejected: the child refused the bundle, crashed, or exceeded its time or memory; the message begins with
            MODEL_REJECTED.
    """
    mark = cache / "passed" / f"{digest}-{importlib.metadata.version(_runtime_name())}"
    if mark.is_file():
        return
    size = sum((folder / name).stat().st_size for name in manifest.files)
    limit = _SECONDS + _SECONDS_PER_GIB * size / 2**30
    # -P: modules are never taken from the working folder, which may be the bundle's.
    command = [sys.executable, "-P", "-B", "-m", _MODULE, str(folder), digest]
    try:
        child = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
            cwd=tempfile.gettempdir(),
        )
    except subprocess.TimeoutExpired as error:
        raise BundleRejected(f"MODEL_REJECTED {manifest.name}: its trial run took over {limit:.0f} s") from error
    if child.returncode != _PASSED:
        raise BundleRejected(f"MODEL_REJECTED {manifest.name}: its trial run in a child process {_why(child)}")
    _remember(mark)


def _runtime_name() -> str:
    """The installed distribution of onnxruntime: another version may crash where this one does not."""
    for name in ("onnxruntime-gpu", "onnxruntime"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return name
    return "segue"


def _why(child: subprocess.CompletedProcess[bytes]) -> str:
    if child.returncode < 0:
        return f"was ended by signal {-child.returncode}: do not use this bundle"
    lines = child.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"failed: {lines[-1][:500] if lines else f'exit status {child.returncode}'}"


def _remember(mark: Path) -> None:
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        _log.warning("cannot remember in %s that a bundle passed its trial run (%s): it will be run again", mark, error)


def _limit_resources(weights: int) -> None:
    """Cap memory beyond what is in use, CPU time, files written and core dumps; where the system knows such limits."""
    if sys.platform == "win32":  # no such limits there: the parent's time limit remains
        return
    import resource  # noqa: PLC0415  absent on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    seconds = int(_SECONDS + _SECONDS_PER_GIB * weights / 2**30)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    status = Path("/proc/self/statm")
    if status.exists():
        in_use = int(status.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        limit = in_use + _MEMORY + _MEMORY_PER_BYTE * weights
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _run(graph: Graph, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs of a graph by name."""
    session = open_session(graph, SessionSettings(threads=1))
    outputs = [o.name for o in session.get_outputs()]
    results = session.run(outputs, {i.name: values[i.name] for i in session.get_inputs()})
    return dict(zip(outputs, results, strict=True))


def _try_function(signature: Signature, graphs: Mapping[str, Graph]) -> None:
    """Run the three graphs on one short random input; their results must be finite and of the shapes stated."""
    generator = np.random.default_rng(0)
    frames = FRAMES * signature.frames_multiple
    specs = (*signature.inputs, signature.cotangent)
    values = {s.name: generator.standard_normal(s.sizes(1, frames), np.float32) for s in specs}
    if "time" in values:
        values["time"] = np.full(1, 0.5, np.float32)
    plain, forward, backward = (graphs[name] for name in signature.graphs)
    results = [_run(plain, values)[signature.output.name]]
    saved = _run(forward, values)
    results.append(saved[signature.output.name])
    results.append(_run(backward, {**values, **saved})[signature.gradient.name])
    expected = [s.sizes(1, frames) for s in (signature.output, signature.output, signature.gradient)]
    for name, result, shape in zip(signature.graphs, results, expected, strict=True):
        if result.shape != shape or not np.isfinite(result).all():
            raise BundleRejected(f"{name}.onnx: expected a finite result of shape {shape} from a short random input")


def _try_text(signature: TextSignature, graphs: Mapping[str, Graph], tokens: int) -> None:
    """Run the text encoder on ``tokens`` tokens of id 0; what it makes must be finite."""
    values = {s.name: np.full(s.sizes(1, 0, tokens), s.name == "token_mask", np.int64) for s in signature.inputs}
    for name, result in _run(graphs[signature.graph], values).items():
        if not np.isfinite(result).all():
            raise BundleRejected(f"{signature.graph}.onnx: expected a finite {name} from {tokens} tokens")


def main(folder: str, digest: str) -> int:
    """The child's work: check the files anew, then load and run everything. Returns the exit status."""
    try:
        manifest, text = read_manifest(Path(folder))
        if hashlib.sha256(text).hexdigest() != digest:
            raise BundleRejected("the manifest changed while it was being checked")
        graphs = check_graphs(Path(folder), manifest).graphs
        _limit_resources(sum((Path(folder) / name).stat().st_size for name in manifest.files))
        for signature in manifest.functions():
            _try_function(signature, graphs)
        if (encoder := manifest.text_signature()) is not None and manifest.text is not None:
            _try_text(encoder, graphs, manifest.text.pad_to or FRAMES)
    except SegueError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return _PASSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

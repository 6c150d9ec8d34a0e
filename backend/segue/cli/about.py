"""What ``segue info`` finds out. Imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segue.clip.analysis import integrated_loudness
from segue.clip.files import read_audio
from segue.clip.tags import read_recipe
from segue.errors import AudioFileError, InvalidRequest
from segue.prior.bundle import Bundle


def about_audio(path: Path) -> dict[str, Any]:
    """Format, duration in seconds, integrated loudness in LUFS (None under 0.4 s and for silence) and recipe.

    Raises:
        AudioFileError: the file cannot be read.
    """
    file = read_audio(path)
    clip = file.clip()
    loudness = integrated_loudness(clip.samples, clip.rate)
    facts: dict[str, Any] = {
        "path": str(path),
        "container": file.container,
        "subtype": file.subtype,
        "rate": file.rate,
        "channels": file.channels,
        "samples": file.length,
        "seconds": round(clip.seconds, 6),
        "loudness_lufs": None if loudness is None else round(loudness, 2),
    }
    try:
        facts["recipe"] = read_recipe(path).model_dump(mode="json")
    except AudioFileError:  # the file itself was read just now: it holds no recipe
        facts["recipe"] = None
    except InvalidRequest as error:
        facts |= {"recipe": None, "recipe_error": str(error)}
    return facts


def about_bundle(name: str) -> dict[str, Any]:
    """A bundle's manifest in short: what it is, whose music it learned from, its licence and its digest.

    Raises:
        BundleRejected, InvalidRequest: no such bundle, or a damaged one.
    """
    bundle = Bundle.open(name)
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "kind": manifest.kind,
        "licence": manifest.licence,
        "commercial_use": manifest.commercial_use,
        "digest": bundle.digest,
        "sample_rate": manifest.sample_rate,
        "window_seconds": round(manifest.window * manifest.token / manifest.sample_rate, 3),
        "codec": manifest.codec.kind,
        "sampling": manifest.sampling.model_dump(mode="json"),
        "conditioning": [one.name for one in manifest.conditioning],
        "prompts": {one.name: one.text for one in manifest.prompts},
        "reads_any_prompt": manifest.text is not None,
        "training_data": [f"{one.name} ({one.licence})" for one in manifest.training_data],
    }

"""The import: a local folder becomes a bundle, part by part, or nothing is written."""

from __future__ import annotations

import gc
import math
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.bundle import Bundle
from segue.prior.manifest import TOKENIZER
from segue.prior.signature import TensorSpec, TextSignature
from segue_export.bundle import write_bundle
from segue_export.graphs.export import export_codec, export_denoiser
from segue_export.graphs.parity import ParityCases
from segue_export.graphs.text import export_text
from segue_export.graphs.weights import Storage
from segue_export.importers.contract import GIVEN, PROMPT, Facts, Family, TextFacts
from segue_export.importers.parts.loading import quiet
from segue_export.importers.registry import open_source
from segue_export.importers.source import Source, check_parts
from segue_export.importing.licence import check_accepted, describe_licence
from segue_export.importing.preflight import Estimate, check_room, estimate
from segue_export.importing.prompts import encode, store

LICENCE_FILE = "LICENCE.txt"
_CASES = ParityCases(times=(0.02, 0.25, 0.75, 0.999), sizes=((1, 12), (2, 7)))
_CODEC_CASES = ParityCases(times=(0.5, 0.5), sizes=((1, 6), (2, 5)))
_LABEL = re.compile(r"[^\x00-\x1f]{1,64}")


@dataclass(frozen=True)
class ImportOptions:
    """What a musician chooses.

    ``store``: how large weights lie in the bundle; "int8" is for the denoiser's matrices, all else is float16 then.
    ``prompts`` by name are encoded now; with ``text`` False the bundle has no text encoder and knows only those.
    ``min_seconds`` allows windows shorter than the family's own least.
    """

    accept_licence: bool = False
    store: Storage = "fp16"
    text: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)
    min_seconds: float | None = None
    name: str | None = None
    replace: bool = False
    cache: Path | None = None

    @property
    def beside(self) -> Storage:
        """How the codec's and the text encoder's weights are stored."""
        return "fp32" if self.store == "fp32" else "fp16"


@dataclass(frozen=True)
class Plan:
    """An import that could be done: what was found, and what it will take."""

    source: Source
    family: Family
    facts: Facts
    options: ImportOptions
    needs: Estimate

    @property
    def has_text(self) -> bool:
        """Whether the folder has a text encoder and its tokenizer."""
        return self.source.has("text_encoder") and self.source.has("tokenizer")


Note = Callable[[str], object]


def plan_import(folder: Path, options: ImportOptions) -> Plan:
    """Look at a folder: its family, configurations and file headers; no weight is read.

    Raises:
        InvalidRequest: the folder, a part or an option is not what can be imported.
    """
    family, source = open_source(folder)
    check_parts(source, family.parts)
    try:
        facts = family.facts(source)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest(
            f"{folder}: a configuration is not as expected ({error!r}): get the model again"
        ) from error
    plan = Plan(source, family, facts, options, estimate(source, family, store=options.store, with_text=options.text))
    _check_options(plan)
    return plan


def _check_options(plan: Plan) -> None:
    options = plan.options
    if not plan.has_text and (options.prompts or options.text):
        raise InvalidRequest(
            f"{plan.source.folder} has no text encoder with its tokenizer: get both parts, or give --no-text and no "
            "--prompt for a prior that takes no prompt"
        )
    for name in options.prompts:
        if not _LABEL.fullmatch(name):
            raise InvalidRequest(f"a prompt's name has 1 to 64 printable letters, got {name!r}")
    if options.min_seconds is not None and not 0 < options.min_seconds <= _seconds(plan.facts, plan.facts.window):
        raise InvalidRequest(
            f"--min-seconds must be above 0 and at most {_seconds(plan.facts, plan.facts.window):.1f}, the model's own "
            f"window, got {options.min_seconds}"
        )


def _seconds(facts: Facts, frames: int) -> float:
    return frames * facts.token / facts.sample_rate


def import_folder(folder: Path, bundle: Path, options: ImportOptions, note: Note = lambda text: None) -> Bundle:
    """Make a bundle of a local model folder, or nothing.

    Raises:
        InvalidRequest: the folder, a part or an option cannot be imported, the licence was not acknowledged, the bundle
            exists, or a file changed meanwhile.
        ResourceError: too little disk or memory.
        ExportMismatch: a graph differs from torch.
    """
    plan = plan_import(folder, options)
    note(f"{plan.family.title}: {plan.needs.describe()}")
    check_accepted(plan.family, options.accept_licence)
    if bundle.exists() and not options.replace:
        raise InvalidRequest(f"{bundle} exists already: choose another -o, or give --replace")
    check_room(plan.needs, bundle)
    before = _stamps(plan.source)
    tokens = plan.family.tokens(plan.source) if plan.has_text else None
    note("hashing the model's files")
    description = describe(plan, bundle, tokens)

    def write(made: Path) -> None:
        write_parts(plan, made, tokens, note)
        if _stamps(plan.source) != before:
            raise InvalidRequest(f"a file in {folder} changed during the import: nothing was written, run it again")

    return write_bundle(bundle, description, write, replace=options.replace, cache=options.cache)


def _stamps(source: Source) -> dict[Path, tuple[int, int]]:
    """Size and time of every file."""
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in source.files()}


def describe(plan: Plan, bundle: Path, tokens: TextFacts | None) -> dict[str, Any]:
    """The manifest but for its digests."""
    facts, family, options = plan.facts, plan.family, plan.options
    min_window = facts.min_window
    if options.min_seconds is not None:
        frames = int(options.min_seconds * facts.sample_rate / facts.token)
        min_window = max(facts.latent_multiple, frames - frames % facts.latent_multiple)
    description: dict[str, Any] = {
        "name": options.name or _name(bundle, family),
        "version": "1.0",
        "kind": "latent",
        "sample_rate": facts.sample_rate,
        "channels": facts.channels,
        "token": facts.token,
        "window": facts.window,
        "min_window": min_window,
        "latent_multiple": facts.latent_multiple,
        "licence": family.licence.name,
        "commercial_use": family.licence.commercial_use,
        "description": f"{family.title}, imported from local weights. {family.licence.summary}",
        "sampling": dict(facts.sampling),
        "codec": {"kind": "onnx", "reach": facts.reach},
        "conditioning": [{"name": name, "shape": list(shape)} for name, shape in facts.conditioning],
        "prompting": dict(facts.prompting),
        "prompts": [{"name": name, "text": text} for name, text in options.prompts.items()],
        "origin": {
            "family": family.name,
            "pipeline": plan.source.pipeline,
            "url": family.weights,
            "digest": plan.source.digest(),
            "licence_url": family.licence.url,
            "licence_accepted": options.accept_licence,
        },
    }
    if options.text and tokens is not None:
        padding = {} if tokens.pad_to is None else {"pad_to": tokens.pad_to}
        description["text"] = {
            "max_length": tokens.max_length,
            "pad_id": tokens.pad_id,
            "template": tokens.template,
            "outputs": [PROMPT],
            **padding,
        }
    return description


def _name(bundle: Path, family: Family) -> str:
    """The output folder's own name where bundles may have it, else the family's."""
    name = bundle.name.lower()
    return name if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) else family.name


def write_parts(plan: Plan, folder: Path, tokens: TextFacts | None, note: Note) -> None:
    """Every graph and file of the bundle into an empty folder; one part in memory at a time."""
    source, family, facts = plan.source, plan.family, plan.facts
    unprompted = None
    with quiet():
        if tokens is not None:
            unprompted = _write_text(plan, folder, tokens, note)
            gc.collect()
        write_denoiser(plan, folder, unprompted, note)
        gc.collect()
        encoder, decoder = family.codec(source)
        codec: dict[str, Any] = {
            "channels": facts.channels,
            "token": facts.token,
            "latent_multiple": facts.latent_multiple,
            "store": plan.options.beside,
        }
        reports = export_codec(encoder, decoder, folder, **codec, cases=_CODEC_CASES, consume=True)
        note(f"codec: within {max(r.largest for r in reports):.1e} of torch")
    _write_licence(plan, folder)


def write_denoiser(plan: Plan, folder: Path, unprompted: Tensor | None, note: Note) -> None:
    """The denoiser's three graphs and their weights; it is the part that takes the most memory."""
    note("denoiser: loading, tracing, comparing with torch")
    facts = plan.facts
    report = export_denoiser(
        plan.family.denoiser(plan.source, unprompted),
        folder,
        channels=facts.channels,
        conditioning=facts.conditioning,
        latent_multiple=facts.latent_multiple,
        store=plan.options.store,
        cases=_CASES,
        sample=plausible(facts),
        consume=True,
    )
    note(f"denoiser: prediction within {report.forward:.1e} of torch, gradient {report.gradient:.1e}")


def _write_text(plan: Plan, folder: Path, tokens: TextFacts, note: Note) -> Tensor:
    """Stored prompts and, where wanted, the text encoder; the tokens of the empty prompt."""
    note("text encoder: loading")
    encoder = plan.family.text_encoder(plan.source)
    prompts = {name: encode(encoder, tokens, text) for name, text in plan.options.prompts.items()}
    if prompts:
        store(folder, prompts)
    unprompted = encode(encoder, tokens, "")
    if plan.options.text:
        tokens.tokenizer.save(str(folder / TOKENIZER))
        shape = dict(plan.facts.conditioning)[PROMPT]
        error = export_text(
            encoder,
            folder,
            TextSignature((TensorSpec(PROMPT, shape),)),
            vocabulary=_vocabulary(plan, tokens),
            length=tokens.pad_to,
            store=plan.options.beside,
        )
        note(f"text encoder: within {error:.1e} of torch")
    return unprompted


def _vocabulary(plan: Plan, tokens: TextFacts) -> int:
    """How many tokens both the tokenizer and the text encoder know."""
    config = plan.source.config("text_encoder")
    stated = config.get("vocab_size") or config.get("encoder", {}).get("vocab_size") or math.inf
    return int(min(tokens.tokenizer.get_vocab_size(), stated))


def plausible(facts: Facts) -> Callable[[int, int, torch.Generator], dict[str, Tensor]]:
    """Conditioning as a render gives it, for the comparison with torch: a gap, a prompt or none, seconds."""
    names = {name for name, _ in facts.conditioning}

    def sample(batch: int, frames: int, generator: torch.Generator) -> dict[str, Tensor]:
        known = torch.ones(batch, 1, frames)
        known[:, :, frames // 3 : 2 * frames // 3] = 0
        context = torch.randn(batch, facts.channels, frames, generator=generator) * known
        length = _seconds(facts, frames)
        values = {
            "mask": known,
            "context": context,
            GIVEN: (torch.rand(batch, 1, generator=generator) < 0.5).float(),
            "seconds": torch.tensor([[0.0, length]]).repeat(batch, 1),
        }
        return {name: value for name, value in values.items() if name in names}

    return sample


def _write_licence(plan: Plan, folder: Path) -> None:
    """The licence's summary, and its text where the model's folder has it."""
    texts = [describe_licence(plan.family)]
    for path in sorted(plan.source.folder.iterdir()):
        if path.is_file() and path.stem.upper() in ("LICENSE", "LICENCE") and path.stat().st_size < (1 << 19):
            shutil.copyfile(path, folder / f"LICENCE-{plan.family.name}.txt")
    (folder / LICENCE_FILE).write_text("\n\n".join(texts) + "\n")

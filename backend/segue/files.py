"""The verbs on files: read, render, write every candidate with its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from segue.clip.files import AudioFile, read_audio, target_of, write_assembled
from segue.clip.gaps import find_gap, parse_gap, seconds_to_samples
from segue.clip.recipe import Recipe
from segue.clip.span import Span
from segue.clip.tags import read_recipe
from segue.errors import AudioFileError, InvalidRequest
from segue.joint.job import joined, transition_job
from segue.joint.plan import JoinPlan
from segue.joint.propose import plan_transition
from segue.joint.settings import JointSettings
from segue.prior.bundle import Bundle
from segue.render import jobs
from segue.render.jobs import Job
from segue.render.run import FreedomLike, PathLike, freedom_of, run_job, warm_renderer
from segue.render.settings import FileResult, ProgressCallback, RenderSettings, candidate_path
from segue.style.resolve import Resolved
from segue.style.steering import Steering
from segue.style.style import Style, wished


def fill_file(
    path: PathLike,
    out: PathLike,
    *,
    gaps: Sequence[str] | None = None,
    style: Style | None = None,
    song: Sequence[PathLike] = (),
    sound_from: PathLike | None = None,
    settings: RenderSettings | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """Fill gaps of a file, written like "12.0:14.0"; without any, its longest inner silence.

    ``style``: a wish beyond fitting (:meth:`segue.Style.of`), or none; ``song`` and ``sound_from``: as in
    :func:`segue.fill`, by path. ``out`` keeps rate, channels and subtype of ``path``; further candidates go beside it
    as out-2, out-3, ...

    Raises:
        AudioFileError, InvalidRequest, Cancelled, NonFinite, ResourceError, BundleRejected: see :mod:`segue.errors`.
    """
    source, songs, sound = read_audio(Path(path)), _songs(song), _sound(sound_from)
    _check_out(source, out, settings, overwrite)
    job = jobs.sounding_like(jobs.infill(source, _parse(source, gaps), songs), sound)
    return _write(job, songs, out, settings, callback, style)


def regenerate_file(
    path: PathLike,
    out: PathLike,
    *,
    gaps: Sequence[str] | None = None,
    freedom: FreedomLike | None = None,
    style: Style | None = None,
    song: Sequence[PathLike] = (),
    sound_from: PathLike | None = None,
    settings: RenderSettings | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """Vary what stands in the gaps of a file. The rest as :func:`fill_file`."""
    source, songs, sound = read_audio(Path(path)), _songs(song), _sound(sound_from)
    _check_out(source, out, settings, overwrite)
    job = jobs.regenerate(source, _parse(source, gaps), freedom_of(freedom, style), songs)
    return _write(jobs.sounding_like(job, sound), songs, out, settings, callback, style)


def extend_file(
    path: PathLike,
    out: PathLike,
    *,
    seconds: float,
    backward: bool = False,
    style: Style | None = None,
    song: Sequence[PathLike] = (),
    sound_from: PathLike | None = None,
    settings: RenderSettings | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """Continue a file by ``seconds``. The rest as :func:`fill_file`."""
    source, songs, sound = read_audio(Path(path)), _songs(song), _sound(sound_from)
    _check_out(source, out, settings, overwrite)
    job = jobs.extend(source, seconds_to_samples(seconds, source.rate, "the continuation"), backward, songs)
    return _write(jobs.sounding_like(job, sound), songs, out, settings, callback, style)


def transition_file(
    left: PathLike,
    right: PathLike,
    out: PathLike,
    *,
    overlap: float = 2.5,
    joint: JointSettings | JoinPlan | None = None,
    freedom: FreedomLike | None = None,
    style: Style | None = None,
    song: Sequence[PathLike] = (),
    sound_from: PathLike | None = None,
    settings: RenderSettings | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """One file flows into another over ``overlap`` seconds. The rest as :func:`fill_file`.

    ``joint``: where, and what is matched: ``JointSettings()`` finds a downbeat of both and brings tempo and loudness of
    the one to those of the other, a plan of :func:`plan_transition_file` is followed; None joins end and start.
    """
    leaving, entering, songs = read_audio(Path(left)), read_audio(Path(right)), _songs(song)
    sound = _sound(sound_from)
    _check_out(leaving, out, settings, overwrite)
    job = transition_job(leaving, entering, overlap, freedom_of(freedom, style), joint, songs)
    return _write(jobs.sounding_like(job, sound), songs, out, settings, callback, style)


def plan_transition_file(
    left: PathLike, right: PathLike, joint: JointSettings | None = None, *, overlap: float = 2.5
) -> JoinPlan:
    """The plan that :func:`transition_file` would follow, to look at, to draw, or to hand to it; nothing is rendered.

    Raises:
        AudioFileError, InvalidRequest: see :func:`segue.joint.propose.plan_transition`.
    """
    return plan_transition(read_audio(Path(left)), read_audio(Path(right)), joint, overlap=overlap)


def restyle_file(
    path: PathLike,
    out: PathLike,
    *,
    gaps: Sequence[str] | None = None,
    style: Style | None = None,
    freedom: FreedomLike | None = None,
    song: Sequence[PathLike] = (),
    sound_from: PathLike | None = None,
    settings: RenderSettings | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """Give a file, or what stands in its gaps, another style. The rest as :func:`fill_file`, :func:`segue.restyle`."""
    asked = wished(style, needed=sound_from is None)
    source, songs, sound = read_audio(Path(path)), _songs(song), _sound(sound_from)
    _check_out(source, out, settings, overwrite)
    spans = _parse(source, gaps) if gaps else ()
    job = jobs.restyle(source, spans, freedom_of(freedom, asked), songs)
    return _write(jobs.sounding_like(job, sound), songs, out, settings, callback, asked)


def rerun_file(
    path: PathLike,
    out: PathLike,
    *,
    sources: Sequence[PathLike] = (),
    bundle: PathLike | None = None,
    overwrite: bool = False,
    callback: ProgressCallback | None = None,
) -> FileResult:
    """Render again from the recipe inside a file that Segue wrote: same recipe, same samples.

    Infill and continuation need the file alone. Regeneration, restyling, transitions, recall files, another song's
    sound and references need what they were made from: looked for beside ``path`` by name, or given in ``sources``;
    digests are compared.

    Raises:
        AudioFileError: no recipe. InvalidRequest: a source is missing or differs; another bundle. The rest as
        :func:`fill_file`.
    """
    recipe = read_recipe(Path(path))
    job, songs = _remade(recipe, Path(path), [Path(s) for s in sources])
    p = recipe.parameters
    job = jobs.sounding_like(job, _sound_of(recipe, len(songs), Path(path), [Path(s) for s in sources]))
    settings = RenderSettings(
        recipe.seed, _int(p, "steps"), str(p["sampler"]), _int(p, "candidates"), bundle, _method(p)
    )
    _check_out(job.source, out, RenderSettings(), overwrite)
    _check_bundle(recipe, warm_renderer(bundle).bundle)
    if job.digest != recipe.clip_digest:
        raise InvalidRequest(
            f"{job.source.name} is not what the recipe was made from: its audio outside the gaps was changed since; "
            "give the original with --source"
        )
    wish = _style(recipe, Path(path), [Path(s) for s in sources], settings)
    names = recipe.sources[: len(recipe.sources) - (0 if wish is None else len(wish.steering.references))]
    return _write(replace(job, names=names), songs, out, settings, callback, wish, recipe)


def _check_bundle(recipe: Recipe, bundle: Bundle) -> None:
    """Refuse a bundle that would give other samples than the recipe's.

    Raises:
        InvalidRequest: it is another.
    """
    if bundle.digest != recipe.bundle_digest:
        own, given = (
            f"{name} ({digest[:12]})"
            for name, digest in ((recipe.bundle, recipe.bundle_digest), (bundle.manifest.name, bundle.digest))
        )
        raise InvalidRequest(f"the recipe was made with the bundle {own}, got {given}: give its own with --bundle")


def _style(recipe: Recipe, path: Path, given: Sequence[Path], settings: RenderSettings) -> Resolved | None:
    """The wish of a recipe, with its references."""
    plain: Any = recipe.parameters.get("style")
    if plain is None:
        return None
    if not isinstance(plain, dict) or not isinstance(plain.get("references"), list):
        raise InvalidRequest("the recipe's style is damaged: the file was changed after it was written")
    count = len(plain["references"])
    names = recipe.sources[len(recipe.sources) - count :]
    steering = Steering.from_plain(plain, [_find(name, path, given) for name in names])
    prompt = recipe.parameters.get("prompt")
    return Resolved(steering, settings, None if prompt is None else str(prompt))


def _int(parameters: dict[str, Any], name: str) -> int:
    value = parameters.get(name)
    if not isinstance(value, int):
        raise InvalidRequest(
            f"the recipe has no number {name!r}, got {value!r}: the file was changed after it was written"
        )
    return value


def _method(parameters: dict[str, Any]) -> str | None:
    value = parameters.get("method")
    return None if value is None else str(value)


def _remade(recipe: Recipe, path: Path, given: Sequence[Path]) -> tuple[Job, list[AudioFile]]:
    """The job of a recipe."""
    p: dict[str, Any] = recipe.parameters
    own = _tracks(recipe)
    if len(recipe.sources) < own + len(p["songs"]):
        raise InvalidRequest(
            f"the recipe names {len(recipe.sources)} files and needs {own + len(p['songs'])}: the file was changed "
            "after it was written"
        )
    named = zip(recipe.sources[own : own + len(p["songs"])], p["songs"], strict=True)
    songs = [_find(name, path, given, digest, "the recall file the recipe names") for name, digest in named]
    freedom = [(float(t), float(v)) for t, v in p.get("freedom", [])]
    spans = [Span(int(a), int(b)) for a, b in p.get("gaps", [])]
    if recipe.task == "infill":
        return jobs.infill(read_audio(path), spans, songs), songs
    if recipe.task == "continuation":
        return jobs.extend(_without_addition(read_audio(path), p), _int(p, "added"), bool(p["backward"]), songs), songs
    first = _find(recipe.sources[0], path, given, recipe.clip_digest)
    if recipe.task == "regenerate":
        return jobs.regenerate(first, spans, freedom_of(freedom), songs), songs
    if recipe.task == "restyle":
        return jobs.restyle(first, spans, freedom_of(freedom), songs), songs
    if recipe.task == "transition":
        second = _find(recipe.sources[1], path, given, p.get("entering"), "the track the recipe enters with")
        if "joint" in p:
            return joined(first, second, JoinPlan.from_plain(p["joint"]), freedom_of(freedom), songs), songs
        return jobs.transition(first, second, _int(p, "overlap"), freedom_of(freedom), songs), songs
    raise InvalidRequest(f"the recipe's task {recipe.task!r} is unknown to this Segue: update it")


def _tracks(recipe: Recipe) -> int:
    """How many of a recipe's sources, the first ones, are the tracks themselves."""
    return 2 if recipe.task == "transition" else 1


def _sound_of(recipe: Recipe, songs: int, path: Path, given: Sequence[Path]) -> AudioFile | None:
    """The song a recipe takes the sound from; named behind the tracks and the ``songs`` to recall from."""
    digest = recipe.parameters.get("sound_from")
    if digest is None:
        return None
    name = next(iter(recipe.sources[_tracks(recipe) + songs :]), None)
    if name is None:
        raise InvalidRequest("the recipe does not name the song it takes the sound from: the file was changed since")
    return _find(name, path, given, str(digest), "the song the recipe takes the sound from")


def _without_addition(source: AudioFile, parameters: dict[str, Any]) -> AudioFile:
    added = _int(parameters, "added")
    kept = source.samples[:, added:] if parameters["backward"] else source.samples[:, : source.length - added]
    return replace(source, samples=kept)


def _find(
    name: str,
    path: Path,
    given: Sequence[Path],
    digest: str | None = None,
    what: str = "what the recipe was made from",
) -> AudioFile:
    """The file of this name with this ``digest`` (None: the first there is): of two tracks of one name each is found.

    Raises:
        InvalidRequest: there is none, or it is another than ``what`` is meant.
    """
    there = [one for one in (*(g for g in given if g.name == name), path.with_name(name)) if one.is_file()]
    for candidate in there:
        file = read_audio(candidate)
        if digest in (None, file.digest):
            return file
    if there:
        raise InvalidRequest(f"{name} is not {what}: give the original with --source")
    raise InvalidRequest(f"the recipe needs {name}, which is not beside {path.name}: give it with --source")


def _songs(paths: Sequence[PathLike]) -> list[AudioFile]:
    return [read_audio(Path(p)) for p in paths]


def _sound(path: PathLike | None) -> AudioFile | None:
    return None if path is None else read_audio(Path(path))


def _parse(source: AudioFile, gaps: Sequence[str] | None) -> tuple[Span, ...]:
    if not gaps:
        return (find_gap(source.clip()),)
    return tuple(parse_gap(text, source.rate, source.length) for text in gaps)


def _check_out(source: AudioFile, out: PathLike, settings: RenderSettings | None, overwrite: bool) -> None:
    """Refuse what could not be written, before the work is done."""
    target_of(Path(out), source)
    for rank in range(1, (settings or RenderSettings()).candidates + 1):
        path = candidate_path(Path(out), rank)
        if path.exists() and not overwrite:
            raise InvalidRequest(f"{path} exists: give another name, or allow overwriting (--force)")
        if path.exists() and not path.is_file():
            raise AudioFileError(f"expected a file name to write, {path} is something else: choose another name")
        if not path.parent.is_dir():
            raise InvalidRequest(f"the folder {path.parent} does not exist: make it first")


def _write(
    job: Job,
    songs: Sequence[AudioFile],
    out: PathLike,
    settings: RenderSettings | None,
    callback: ProgressCallback | None,
    style: Style | Resolved | None = None,
    again: Recipe | None = None,
) -> FileResult:
    """Render and write; ``again``: the recipe being rerun, of which only its own rank is written."""
    done = run_job(job, songs, settings or RenderSettings(), callback, style=style)
    ranks = range(len(done.recipes)) if again is None else [_int(again.parameters, "rank") - 1]
    paths, written = [], []
    for place, rank in enumerate(ranks, 1):
        path = candidate_path(Path(out), place)
        recipe = done.recipes[rank]
        report = write_assembled(path, job.source, done.pieces(rank), recipe, seed=recipe.seed)
        written.append(
            {"path": str(path), "subtype": report.subtype, "samples_over": report.over, "dropped": list(report.dropped)}
        )
        paths.append(path)
    done.report["files"] = written
    return FileResult(paths[0], tuple(paths), done.report, done.recipes[ranks[0]])

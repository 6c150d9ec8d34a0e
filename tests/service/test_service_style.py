"""Styles in jobs: they travel whole, are refused where they mean nothing, and render as the library does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import platformdirs
import pytest
import soundfile

import segue
from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import AudioFileError, InvalidRequest
from segue.guidance.curve import Curve
from segue.prior.folders import embedded_folder
from segue.prior.manifest import MANIFEST, PROMPTS
from segue.render.settings import RenderSettings
from segue.service.catalog import Catalog
from segue.service.header import describe, digests_of, material_key
from segue.service.jobs import TASK_USES, Job, complete
from segue.service.style import CURVES, MATCH, parts_of, style_in, style_of
from segue.service.wire import incoming, submit_of
from segue.service.worker.material import BUILDERS
from segue.style.preset import embedded_presets
from segue.style.style import Style
from segue.tasks.registry import TASKS
from segue_protocol.messages import Settings

RATE = 44100
HALF = Curve.constant(0.5)


def clip(seconds: float = 4.0, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).normal(0.0, 0.1, (2, int(seconds * RATE)))
    return Clip(noise.astype(np.float32), RATE)


def job(**more: object) -> Job:
    given: dict[str, object] = {"gaps": (Span(RATE, 2 * RATE),), **more}
    return Job("restyle", clip(), RenderSettings(), **given)  # type: ignore[arg-type]


def there_and_back(sent: Job) -> Job:
    """Through SUBMIT, all audio known to the renderer."""
    submit = submit_of(sent, "j", 1)
    audio = list(sent.audio.values())
    rooms = iter(audio)
    return incoming(submit, lambda name: name, lambda stream: next(rooms).samples).job


STYLE = Style.of(
    "warm tape",
    reference=[(clip(3.0, 1).samples, RATE)],
    match="chroma",
    follow={"loudness": ((0.0, -20.0), (2.0, -10.0))},
    amount=0.6,
    guidance=((0.0, 2.0), (1.0, 0.0)),
)


def test_a_style_comes_out_of_a_job_as_it_went_in() -> None:
    parts = parts_of(STYLE)
    sent = job(preset=parts.preset, prompt=parts.prompt, references=parts.references, curves=dict(parts.curves or {}))
    back = there_and_back(sent)
    assert (back.preset, back.prompt, dict(back.curves)) == (sent.preset, sent.prompt, dict(sent.curves))
    assert back.references[0].samples.tobytes() == STYLE.references[0].samples.tobytes()
    again = style_of(back.preset, back.prompt, STYLE.references, back.curves)
    assert again == STYLE


def test_tags_travel_as_the_prompt() -> None:
    parts = parts_of(Style.of(tags="rock, guitar:0.25"))
    assert parts.prompt is not None
    steering = segue.Style.of(prompt=parts.prompt)
    from segue.style.resolve import resolve

    terms = resolve(steering, RenderSettings(), reads_text=False).steering.terms
    assert terms[0].wanted == (("rock", 1.0), ("guitar", 0.25))  # type: ignore[attr-defined]


def test_what_cannot_travel_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    for style, message in (
        (Style.of(tmp_path / "x.toml"), "presets folder of the renderer"),
        (Style.of(tags="rock", strength=0.5), "into a preset"),
        (Style.of(tags="rock", mode="exact"), "into a preset"),
        (Style.of(tags="rock", prompt="soft"), "got both"),
    ):
        with pytest.raises(InvalidRequest, match=message):
            parts_of(style)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "restyle needs a preset"),
        ({"preset": "../secret"}, "by name"),
        ({"preset": "calm", "curves": {"style": Curve.constant(1.5)}}, "style in 0 to 1"),
        ({"preset": "calm", "curves": {"guidance": Curve.constant(2.5)}}, "guidance in 0 to 2"),
        ({"preset": "calm", "curves": {"loudness": Curve.constant(5.0)}}, "LUFS"),
        ({"preset": "calm", "curves": {MATCH + "chroma": HALF}}, "to be 1"),
        ({"preset": "calm", "curves": {"mood": HALF}}, "has no curve mood"),
        ({"prompt": "rock", "curves": {"freedom": Curve.constant(2.0)}}, "freedom"),
    ],
)
def test_jobs_whose_style_means_nothing_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        job(**given)


def test_a_preset_nobody_has_is_refused_when_it_arrives() -> None:
    with pytest.raises(InvalidRequest, match="unknown preset 'no such style'"):
        there_and_back(job(preset="no such style"))


def test_the_audio_a_preset_names_is_read_when_the_job_is_completed_and_not_when_it_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / name)
    presets = tmp_path / "segue" / "presets"
    presets.mkdir(parents=True)
    (presets / "mine.toml").write_text('about = "x"\nreferences = ["heard.wav"]\n')
    arrived = there_and_back(job(preset="mine"))
    assert (arrived.references, arrived.nbytes) == ((), job(preset="mine").nbytes)
    with pytest.raises(AudioFileError, match=r"heard\.wav is not there"):
        complete(arrived)
    heard = np.linspace(-0.5, 0.5, 3 * RATE, dtype=np.float32)
    soundfile.write(presets / "heard.wav", heard, RATE, subtype="FLOAT")
    whole = complete(arrived)
    assert whole.references[0].samples.tobytes() == heard.tobytes()
    assert whole.nbytes == arrived.nbytes + heard.nbytes
    assert whole.names == (*arrived.names, "heard.wav")
    own = job(preset="mine", references=(clip(3.0),))
    assert complete(own) is own, "the preset's are not used where the client sends some"


def test_all_tasks_take_a_style_and_every_task_of_the_service_can_be_built() -> None:
    assert set(TASK_USES) == set(BUILDERS) == set(TASKS.names)
    assert all(uses.curves >= CURVES for uses in TASK_USES.values())


def test_guidance_is_another_request_on_the_same_material_and_freedom_is_not() -> None:
    def key(given: Job) -> str:
        return material_key(describe(given, digests_of(given)))

    plain = key(job(preset="calm"))
    assert key(job(preset="calm", curves={"guidance": HALF})) == plain
    assert key(job(preset="calm", curves={"freedom": HALF})) != plain
    assert key(job(preset="calm", curves={"style": HALF})) != plain  # it scales the preset's freedom


def test_the_header_holds_the_presets_text_so_that_no_renderer_needs_the_file() -> None:
    sent = job(preset="calm", curves={"guidance": HALF})
    header = describe(sent, digests_of(sent))
    assert header["style"]["text"] == (embedded_presets() / "calm.toml").read_text()
    style = style_in(header, {})
    assert style.guidance == HALF and getattr(style.preset, "name", None) == "calm"


def test_the_catalogue_lists_presets_the_users_own_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / name)
    catalog = Catalog(folder=tmp_path / "bundles")
    assert "warm tape" in catalog.presets and "mine" not in catalog.presets
    (tmp_path / "segue" / "presets").mkdir(parents=True)
    (tmp_path / "segue" / "presets" / "mine.toml").write_text('about = "x"\n[tags]\nrock = 1.0\n')
    assert "mine" in catalog.presets


def test_stored_prompts_are_listed_with_the_presets_and_become_the_prompt_they_are(tmp_path: Path) -> None:
    """A bundle of the user's folder, by its manifest alone: what plug-ins offer as presets needs no change there."""
    folder = tmp_path / "spoken"
    folder.mkdir()
    text = (embedded_folder() / MANIFEST).read_text().replace('format = "1.0"', 'format = "1.1"')
    words = f'[[prompts]]\nname = "dusty piano"\ntext = "dusty upright piano"\n[files]\n"{PROMPTS}" = "{"0" * 64}"\n'
    (folder / MANIFEST).write_text(text.replace("[files]\n", words))
    catalog = Catalog(folder=tmp_path)
    assert "dusty piano" in catalog.presets
    asked = Settings(seed=0, candidates=1, preset="dusty piano", bundle="spoken")
    heard = catalog.heard(asked)
    assert (heard.preset, heard.prompt) == (None, "dusty piano")
    assert catalog.heard(asked.model_copy(update={"bundle": None})).preset == "dusty piano"
    calm = asked.model_copy(update={"preset": "calm"})
    assert catalog.heard(calm) == calm
    with pytest.raises(InvalidRequest, match="got both"):
        catalog.heard(asked.model_copy(update={"prompt": "rain"}))

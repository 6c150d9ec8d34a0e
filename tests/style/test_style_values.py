"""Styles as values: what they refuse, what a preset and a musician add up to, and that JSON gives them back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.embedders.guide import guide_tags
from segue.render.settings import RenderSettings
from segue.style.effects import EFFECTS, Effect
from segue.style.features import FEATURES
from segue.style.preset import load_preset
from segue.style.resolve import SAMPLER, STEPS, freedom_for, resolve, tags_in
from segue.style.steering import Steering
from segue.style.style import Style, wished
from segue.style.tags import parse_tags, write_tags
from segue.style.terms import Follow, Match, Reference, Tags, from_plain, to_plain

SETTINGS = RenderSettings()


def clip(seed: int = 0) -> AudioFile:
    noise = np.random.default_rng(seed).normal(size=(2, 44100)).astype(np.float32)
    return AudioFile.of(Clip(0.1 * noise, 44100), f"clip-{seed}")


tags = st.dictionaries(st.sampled_from(guide_tags()), st.floats(0.0, 1.0), min_size=1, max_size=5)
points = st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 1.0)), min_size=1, max_size=6)
Points = list[tuple[float, float]]


def drawn(points: Points) -> Curve:
    return Curve(tuple(sorted(points, key=lambda point: point[0])))


@given(tags)
def test_tags_written_are_read_again(wanted: dict[str, float]) -> None:
    assert parse_tags(write_tags(wanted)) == wanted


def test_tags_are_known_in_any_case_and_others_are_refused_by_name() -> None:
    assert parse_tags("ROCK, hip-hop:0.25") == {"rock": 1.0, "Hip-Hop": 0.25}
    for text in ("polka", "rock:loud", "rock:1.5", "rock, rock", ""):
        with pytest.raises(InvalidRequest):
            parse_tags(text)


@settings(deadline=None)  # it hashes a second of audio each time
@given(tags, points, points, st.floats(0.0, 1.0))
def test_a_steering_comes_back_from_the_json_of_its_recipe(
    wanted: dict[str, float], pull: Points, much: Points, strength: float
) -> None:
    files, guidance, amount = (clip(),), drawn(pull), drawn(much)
    terms = (
        Tags(wanted=tuple(wanted.items())),
        Reference(weight=2.0),
        Match(feature="chroma"),
        Follow(feature="loudness", points=((0.0, -20.0), (1.5, -14.0))),
    )
    effects = (Effect("reverb", {"room_size": 0.25}), Effect("lowpass"))
    whole = Steering(terms, strength, "exact", 0.25, guidance, amount, effects, False, files, "mine")
    again = Steering.from_plain(json.loads(json.dumps(whole.plain())), files)
    assert again.plain() == whole.plain()
    assert again.terms == whole.terms and again.guidance == guidance and again.amount == amount
    with pytest.raises(InvalidRequest, match="not those the recipe names"):
        Steering.from_plain(whole.plain(), (clip(1),))


@pytest.mark.parametrize(
    "plain",
    [
        {"kind": "spell"},
        {"kind": "tags", "wanted": []},
        {"kind": "tags", "wanted": [["rock", 2.0]]},
        {"kind": "match", "feature": "smell"},
        {"kind": "match", "feature": "chroma", "shift": 1.0},
        {"kind": "follow", "feature": "chroma", "points": [[0, 1]]},
        {"kind": "follow", "feature": "brightness", "points": [[0, 5.0]]},
        {"kind": "reference", "weight": -1.0},
        {"kind": "reference", "weight": 1.0, "colour": "red"},
    ],
)
def test_terms_that_mean_nothing_are_refused(plain: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        from_plain(plain)


def test_every_kind_of_term_has_an_aim() -> None:
    from segue.style.aims.registry import AIMS
    from segue.style.terms import TERMS

    assert set(AIMS) == set(TERMS)
    assert all(to_plain(one)["kind"] in AIMS for one in (Reference(), Match(feature="onsets")))


def test_effects_refuse_what_they_do_not_have_and_what_is_out_of_range() -> None:
    assert Effect("reverb").values["room_size"] == EFFECTS["reverb"].parameters["room_size"].default
    for kind, parameters in (
        ("echo", {}),
        ("delay", {"mud": 1.0}),
        ("delay", {"mix": 1.5}),
    ):
        with pytest.raises(InvalidRequest):
            Effect(kind, parameters)


def test_what_a_musician_says_goes_before_the_preset_and_the_rest_of_it_stays() -> None:
    preset = load_preset("ambient wash")
    style = Style.of(preset, tags="rock", match="brightness", strength=0.5)
    steering = resolve(style, SETTINGS, reads_text=False).steering
    assert Tags(wanted=(("rock", 1.0),)) in steering.terms
    assert Match(feature="brightness") in steering.terms
    kept = [term for term in preset.terms if isinstance(term, Match) and term.feature == "onsets"]
    assert kept[0] in steering.terms and Match(feature="chroma", original=True) in steering.terms
    assert len(steering.terms) == 4
    assert steering.strength == 0.5 and steering.chain == preset.chain and steering.preset == "ambient wash"


def test_a_guided_render_takes_a_sampler_that_gradients_want_unless_one_is_named() -> None:
    guided = resolve(Style.of(tags="rock"), SETTINGS, reads_text=False).settings
    assert (guided.sampler, guided.steps) == (SAMPLER, STEPS)
    named = resolve(Style.of(tags="rock"), RenderSettings(sampler="ddim", steps=3), reads_text=False).settings
    assert (named.sampler, named.steps) == ("ddim", 3)
    effects_alone = resolve(Style.of("telephone"), SETTINGS, reads_text=False).settings
    assert (effects_alone.sampler, effects_alone.steps) == (None, None)


def test_a_prompt_goes_to_a_bundle_that_reads_one_and_elsewhere_stands_for_its_tags() -> None:
    style = Style.of(prompt="a Mellow indie rock song")
    reading = resolve(Style.of(prompt="a song", tags="rock"), SETTINGS, reads_text=True)
    assert reading.prompt == "a song" and not reading.notes
    deaf = resolve(style, SETTINGS, reads_text=False)
    assert deaf.prompt is None
    assert deaf.steering.terms == (Tags(wanted=(("indie rock", 1.0), ("Mellow", 1.0))),)
    assert "reads no text" in deaf.notes[0] and "indie rock" in deaf.notes[0]
    both = resolve(Style.of(prompt="sad guitar rock", tags="rock:0.5"), SETTINGS, reads_text=False).steering.terms
    assert both == (Tags(wanted=(("rock", 0.5), ("guitar", 1.0), ("sad", 1.0))),)
    assert "left out" in resolve(Style.of("telephone", prompt="xyz"), SETTINGS, reads_text=False).notes[0]
    with pytest.raises(InvalidRequest, match="names none of the tags"):
        resolve(Style.of(prompt="xyz"), SETTINGS, reads_text=False)


def test_a_list_of_tags_keeps_its_probabilities_and_no_tag_hides_in_another_word() -> None:
    assert tags_in("rock, guitar:0.5") == (("rock", 1.0), ("guitar", 0.5))
    assert tags_in("rocket science") == ()


@given(points, points)
def test_the_product_of_curves_is_right_beside_every_point_and_step(first: Points, second: Points) -> None:
    one, two = drawn([(float(round(t)), v) for t, v in first]), drawn([(float(round(t)), v) for t, v in second])
    product = one.times(two)
    for t, _ in (*one.points, *two.points):
        beside = np.array([t - 1e-9, t + 1e-9])
        np.testing.assert_allclose(product.at(beside), one.at(beside) * two.at(beside), atol=1e-7)


def test_freedom_is_what_was_given_else_the_presets_as_far_as_the_style_is_wanted() -> None:
    given_, usual = Curve.constant(0.3), 0.85
    assert freedom_for(Style(), given_, usual) == given_
    assert freedom_for(Style(), None, usual).points == ((0.0, usual),)
    half = Style.of("telephone", amount=0.5)
    freedom = load_preset("telephone").sampling.freedom
    assert freedom is not None
    assert freedom_for(half, None, usual).points == ((0.0, 0.5 * freedom),)
    with pytest.raises(InvalidRequest, match="freedom"):
        freedom_for(Style(), Curve.constant(1.5), usual)


def test_styles_out_of_range_are_refused() -> None:
    refusals = {
        "style": lambda: Style.of(tags="rock", amount=1.2),
        "guidance": lambda: Style.of(tags="rock", guidance=2.5),
        "unknown feature": lambda: Style.of(match="loudness,smell"),
        "cannot be drawn": lambda: Style.of(follow={"chroma": 1.0}),
        "loudness in LUFS": lambda: Style.of(follow={"loudness": 3.0}),
        "at most 16 references": lambda: Style.of(reference=(clip(),) * 17),
        "needs a style": lambda: wished(None),
        "got both": lambda: wished(Style.of(tags="rock"), tags="jazz"),
        "asks for nothing": lambda: resolve(Style.of(), SETTINGS, reads_text=False),
        "guidance strength": lambda: Steering(strength=2.0),
        "together": lambda: Steering(references=(clip(),)),
    }
    for message, attempt in refusals.items():
        with pytest.raises(InvalidRequest, match=message):
            attempt()


def test_references_are_taken_as_arrays_files_or_paths() -> None:
    audio = np.zeros((1, 10), np.float32)
    one, two = Style.of(reference=(audio, 8000)), Style.of(reference=[(audio, 8000), clip()])
    assert [file.rate for file in one.references] == [8000]
    assert [file.length for file in two.references] == [10, 44100]


def test_what_can_be_drawn_has_a_unit_and_a_range() -> None:
    for feature in FEATURES.values():
        assert (feature.asked is None) == (feature.unit == "") == (feature.low == feature.high)

"""Parts of the front by themselves: outbox, keys, catalogue, assembly, logs."""

from __future__ import annotations

import io
import json
import logging
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zmq.utils.z85
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import BundleRejected, InvalidRequest, ResourceError
from segue.prior.folders import embedded_folder
from segue.sampling.registry import SAMPLERS as REGISTRY
from segue.service import logs, wire
from segue.service.catalog import SAMPLERS, Catalog
from segue.service.front.known import KnownAudio
from segue.service.front.outbox import Line, Outbox
from segue.service.front.settings import FrontSettings
from segue.service.jobs import Job
from segue.service.keys import ClientKeys, KeyRing
from segue.service.zap import Throttle
from segue_protocol import limits, messages
from segue_protocol.codec import pack, parse
from segue_protocol.messages import Sender, Stream
from segue_protocol.streams import Intake, Shape
from tests.pools import fill, song

PONG = messages.Pong(token=1)


def sent(outbox: Outbox) -> list[messages.Message]:
    """All that may go now."""
    gone = []
    while (frames := outbox.next()) is not None:
        assert frames is outbox.next(), "the same frames until they are out"
        gone.append(parse(frames, Sender.RENDERER).message)
        outbox.sent()
    return gone


def outbox() -> Outbox:
    return Outbox(pack)


def progress(fraction: float) -> messages.Progress:
    return messages.Progress(job="a", generation=0, stage="x", step=0, steps=1, fraction=fraction)


def test_small_messages_and_progress_go_before_audio_and_progress_takes_the_place_of_older() -> None:
    box, line = outbox(), Line("a", 0, credits=9)
    box.open_line(line)
    line.stream(0, np.zeros((1, 8), np.float32))
    box.progress(progress(0.1))
    box.progress(progress(0.2))
    box.say(PONG)
    first, second, third = sent(box)
    assert first == PONG
    assert second == progress(0.2)
    assert isinstance(third, messages.Chunk)
    assert not box.waits


@given(samples=st.integers(1, 600_000), channels=st.integers(1, 2), credit=st.lists(st.integers(1, 3), max_size=4))
def test_audio_leaves_in_chunks_that_an_intake_takes_and_never_beyond_the_credit(
    samples: int, channels: int, credit: list[int]
) -> None:
    audio = np.arange(channels * samples, dtype=np.float32).reshape(channels, samples)
    line = Line("a", 0, credits=0)
    line.stream(3, audio)
    intake, got = Intake({3: Shape(channels, samples)}, 0), np.empty_like(audio)
    for more in [*credit, limits.MAX_CREDITS]:
        assert line.next() is None or line.held == 0
        line.credits += more
        intake.grant(more)
        while (letter := line.next()) is not None:
            assert isinstance(letter.message, messages.Chunk)
            intake.take(letter.message, letter.payload)
            wire.put_chunk(got, letter.message, letter.payload)
    assert intake.complete
    assert got.tobytes() == audio.tobytes()
    assert line.held == 0


def test_what_one_job_holds_is_not_counted_against_its_client_but_a_second_one_is() -> None:
    box = outbox()
    for name in "ab":
        line = Line(name, 0, credits=0)
        line.stream(0, np.zeros((2, 1000), np.float32))
        box.open_line(line)
        assert box.held == (0 if name == "a" else 8000)
    assert box.nbytes == 16000


def test_pings_make_no_room_for_results_only_credit_and_chunks_do() -> None:
    now = 0.0
    box = Outbox(pack, lambda: now)
    lines = [Line(name, 0, credits=0) for name in "ab"]
    for line in lines:
        line.stream(0, np.zeros((2, 300_000), np.float32))
        box.open_line(line)

    def stuck_after(seconds: float) -> bool:
        """With a PONG taken before each look."""
        nonlocal now
        for _ in range(10):
            now += seconds / 10
            box.say(PONG)
            assert PONG in sent(box)
            if box.stuck(bound=1_000_000, stall=30.0):
                return True
        return False

    assert not stuck_after(0.9)
    box.credited()
    assert not stuck_after(0.9)
    lines[0].credits = 1
    assert not stuck_after(0.9), "a chunk was taken"
    assert stuck_after(0.9)
    assert not box.stuck(bound=1_000_000_000, stall=30.0)
    now += 40.0
    assert box.stuck(bound=1_000_000_000, stall=30.0), "it takes nothing at all"


def test_replies_that_wait_are_bounded_however_much_of_them_is_read() -> None:
    now = 0.0
    box = Outbox(pack, lambda: now)

    def stuck() -> bool:
        return box.stuck(bound=1 << 30, stall=30.0)

    for _ in range(16_000):
        box.say(PONG)
    assert not stuck()
    now = 0.9
    box.next()
    box.sent()
    now = 1.8
    assert not stuck(), "one was taken"
    now = 2.0
    assert stuck()
    box.clear()
    assert not stuck()
    for _ in range(40_000):
        box.say(PONG)
    box.next()
    box.sent()
    assert stuck()


def test_a_reply_may_be_made_when_it_is_sent() -> None:
    box, made = outbox(), list[int]()

    def make() -> messages.Pong:
        made.append(1)
        return PONG

    box.say(make)
    assert not made
    assert sent(box) == [PONG]
    assert made == [1]


def test_keys_are_private_stay_the_same_and_a_removed_client_is_unknown_at_once(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    studio = ring.add("studio-b")
    assert KeyRing(tmp_path / "keys").renderer == ring.renderer
    assert ring.add("studio-b") == studio
    assert [client.name for client in ring.clients] == ["local", "studio-b"]
    public = zmq.utils.z85.decode(studio.public)
    assert ring.find(public) == studio
    KeyRing(tmp_path / "keys").remove("studio-b")
    assert ring.find(public) is None
    assert studio.secret not in repr(studio)
    with pytest.raises(InvalidRequest):
        ring.remove("studio-b")
    (tmp_path / "keys" / "renderer.json").chmod(0o644)
    with pytest.raises(ResourceError, match="read by others"):
        KeyRing(tmp_path / "keys")


def test_a_key_file_that_cannot_be_used_locks_out_its_own_client_alone_and_counts_again_once_repaired(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ring = KeyRing(tmp_path)
    bystander, folder = ring.add("studio-a"), tmp_path / "clients"
    public = zmq.utils.z85.decode(bystander.public)
    text = ring.add("studio-b").model_dump_json()
    for number, damaged in enumerate(("{}", "", text.replace('"public":"', '"public":"~')[:-1], text[:40])):
        bad = folder / f"bad-{number}.json"
        bad.write_text(damaged)
        bad.chmod(0o600)
    odd = ClientKeys.model_validate_json(text).model_copy(update={"public": "~" * 40})
    (folder / "bad-4.json").write_text(odd.model_dump_json())
    (folder / "bad-4.json").chmod(0o600)
    (folder / "studio-b.json").chmod(0o644)
    (folder / "gone.json").symlink_to(folder / "nothing.json")
    for _ in range(3):
        assert ring.find(public) == bystander
    assert [client.name for client in ring.clients] == ["local", "studio-a"]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 6, "each is told of once"
    assert sum("studio-b is locked out" in line and "read by others" in line for line in said) == 1
    repaired = zmq.utils.z85.decode(ClientKeys.model_validate_json(text).public)
    assert ring.find(repaired) is None
    (folder / "studio-b.json").chmod(0o600)  # the folder itself is as it was
    assert ring.find(repaired) is not None


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "A", "a" * 65, "x\0"])
def test_names_of_clients_are_no_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="client's name"):
        KeyRing(tmp_path).add(name)


def test_the_catalogue_lists_folders_and_zips_by_name_and_finds_new_ones(tmp_path: Path) -> None:
    catalog = Catalog(folder=tmp_path / "bundles")
    assert [bundle.name for bundle in catalog.bundles] == ["embedded", "waveform"]
    folder = tmp_path / "bundles" / "mine"
    folder.mkdir(parents=True)
    shutil.copy(embedded_folder() / "manifest.toml", folder)
    with zipfile.ZipFile(tmp_path / "bundles" / "zipped.zip", "w") as archive:
        archive.write(folder / "manifest.toml", "manifest.toml")
    (tmp_path / "bundles" / "broken.zip").write_bytes(b"no zip")
    assert [bundle.name for bundle in catalog.bundles] == ["embedded", "mine", "zipped", "waveform"]
    assert catalog.resolve("embedded") is None
    assert catalog.resolve("mine") == "mine"
    assert catalog.resolve("waveform") == "waveform"
    with pytest.raises(BundleRejected, match="embedded, mine, zipped, waveform"):
        catalog.resolve("../mine")


def test_no_file_in_the_bundles_folder_keeps_the_catalogue_from_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = (embedded_folder() / "manifest.toml").read_text()
    for name, manifest in (("fine", text), ("locked", text), ("garbled", text), ("exotic", text), ("long", "9" * 5000)):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.toml", manifest if name != "long" else f"format = {manifest}")

    def change(name: str, at: int, *values: int) -> None:
        """Bytes of the file's local header, and the same ones of the central one."""
        raw = bytearray((tmp_path / f"{name}.zip").read_bytes())
        for start in (0, raw.find(b"PK\x01\x02") + 2):
            raw[start + at : start + at + len(values)] = bytes(values)
        (tmp_path / f"{name}.zip").write_bytes(raw)

    change("locked", 6, 1)  # encrypted: RuntimeError
    change("exotic", 8, 97)  # a way to compress that zipfile does not know: NotImplementedError
    raw = bytearray((tmp_path / "garbled.zip").read_bytes())
    raw[45:75] = b"\xff" * 30  # zlib.error
    (tmp_path / "garbled.zip").write_bytes(raw)
    catalog = Catalog(folder=tmp_path)
    for _ in range(2):
        assert [bundle.name for bundle in catalog.bundles] == ["embedded", "fine", "waveform"]
    assert "warm tape" in catalog.presets
    said = " ".join(record.getMessage() for record in caplog.records)
    assert all(said.count(f"{name}.zip is left out") == 1 for name in ("locked", "garbled", "exotic", "long")), said
    assert all(kind in said for kind in ("RuntimeError", "NotImplementedError", "error: Error -3", "ValueError")), said


def test_the_default_of_a_renderer_may_be_a_bundle_of_the_package_by_name(tmp_path: Path) -> None:
    catalog = Catalog("waveform", tmp_path / "bundles")
    assert [(bundle.name, bundle.kind) for bundle in catalog.bundles] == [
        ("waveform", "waveform"),
        ("embedded", "latent"),
    ]
    assert catalog.resolve("waveform") is None
    assert catalog.resolve("embedded") == "embedded"


def test_the_samplers_told_to_clients_are_those_of_the_registry() -> None:
    assert set(SAMPLERS) == set(REGISTRY.names)


def test_a_job_is_the_same_job_after_its_way_over_the_wire() -> None:
    job = fill(songs=(song(6.0),), generation=4)
    submit = wire.submit_of(job, "a", 8)
    got = wire.incoming(submit, lambda name: name, lambda stream: None)
    for room, clip in zip(got.rooms, job.audio.values(), strict=True):
        room[:] = clip.samples
    for name in ("task", "settings", "gaps", "added", "backward", "overlap", "generation"):
        assert getattr(got.job, name) == getattr(job, name)
    assert [clip.samples.tobytes() for clip in got.job.audio.values()] == [
        clip.samples.tobytes() for clip in job.audio.values()
    ]
    assert got.needs == (0, 1)
    assert Sender.CLIENT in submit.SENDER


@pytest.mark.parametrize("drain", [-1.0, float("inf"), float("nan")])
def test_a_drain_that_never_ends_is_no_setting(drain: float) -> None:
    with pytest.raises(InvalidRequest, match=f"drain must be 0 s or more, and end some time, got {drain}"):
        FrontSettings(bind=("ipc://here",), drain=drain)


def test_known_audio_is_each_clients_own_and_bounded() -> None:
    known, audio = KnownAudio(10_000), np.zeros((1, 1000), np.float32)

    def stream(digit: str, rate: int = 44100) -> Stream:
        return Stream(role="track", name="x", rate=rate, channels=1, samples=1000, digest=digit * 64)

    known.keep("one", stream("a"), audio)
    assert known.find("one", stream("a")) is audio
    assert known.find("two", stream("a")) is None
    assert known.find("one", stream("a", rate=48000)) is None
    for digit in "bc":
        known.keep("one", stream(digit), audio.copy())
    assert known.find("one", stream("a")) is None
    assert known.find("one", stream("c")) is not None


def test_patches_take_their_places_in_every_task() -> None:
    clip, patch = song(), np.full((2, 441), 0.5, np.float32)
    forward = wire.assemble(Job("continuation", clip, added=441), [patch])
    backward = wire.assemble(Job("continuation", clip, added=441, backward=True), [patch])
    crossed = wire.assemble(Job("transition", clip, other=clip, overlap=441), [patch])
    assert np.array_equal(forward, np.concatenate([clip.samples, patch], axis=1))
    assert np.array_equal(backward, np.concatenate([patch, clip.samples], axis=1))
    assert np.array_equal(crossed, np.concatenate([clip.samples[:, :-441], patch, clip.samples[:, 441:]], axis=1))


def test_a_report_too_long_for_a_message_says_that_it_was_shortened() -> None:
    gaps = [{"gap_seconds": [0, 1], "candidates": [{"how": "x" * 5000}] * 20} for _ in range(20)]
    text = wire.report_text({"task": "infill", "gaps": gaps})
    assert len(text) <= limits.MAX_PAYLOAD_BYTES
    report = json.loads(text)
    assert "shortened" in report["note"]
    assert [len(gap["candidates"]) for gap in report["gaps"]] == [1] * 20


def test_the_same_is_said_once_a_minute_with_how_often_it_happened() -> None:
    now = 0.0
    throttle = Throttle(60.0, lambda: now)
    assert throttle("a") == ""
    assert [throttle("a") for _ in range(3)] == [None] * 3
    assert throttle("b") == ""
    now = 61.0
    assert throttle("a") == " (3 more since it was last said)"
    now = 130.0
    assert throttle("a") == ""


def test_a_log_line_is_json_with_the_job_and_a_defect_s_trace() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    logger = logging.getLogger("tests.front")
    logger.propagate = False
    logger.addHandler(handler)
    logger.warning("ended with %s", "RESULT", extra={"job": "a1"})
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("a defect")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["job"], first["level"], first["message"]) == ("a1", "warning", "ended with RESULT")
    assert "ValueError: why" in second["trace"]

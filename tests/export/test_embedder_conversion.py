"""Reading TensorFlow's checkpoints, and musicnn's weights out of one."""

from __future__ import annotations

import json
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from segue.errors import BundleRejected
from segue.guidance.embedders.guide import GUIDE_WEIGHTS, HEADER
from segue.guidance.embedders.musicnn import Musicnn
from segue_export.embedders.musicnn import WHEEL_SHA256, Checkpoint, convert, labels, open_wheel
from segue_export.embedders.tensor_bundle import MAGIC, masked_crc32c, read_index, read_tensor

Tensors = dict[str, np.ndarray]


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A LevelDB block with its trailer; each key is written as what it shares with the one before, and the rest."""
    body, before = b"", b""
    for key, value in pairs:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b), min(len(key), len(before))
        )
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    body += struct.pack("<II", 0, 1) + b"\0"  # one restart point, at 0; not compressed
    return body + struct.pack("<I", masked_crc32c(body))


def bundle(tensors: Tensors, header: bytes = field(1, 1)) -> tuple[bytes, bytes]:
    """The .index and the .data of a checkpoint, made by hand."""
    data, pairs = b"", [(b"", header)]
    for name, tensor in sorted(tensors.items()):
        raw = tensor.astype("<f4").tobytes()
        shape = b"".join(field(2, field(1, size)) for size in tensor.shape)
        entry = field(1, 1) + field(2, shape) + field(4, len(data)) + field(5, len(raw))
        pairs.append((name.encode(), entry + varint(6 << 3 | 5) + struct.pack("<I", masked_crc32c(raw))))
        data += raw
    half = len(pairs) // 2 + 1
    index, places = b"", []
    for part in (pairs[:half], pairs[half:]):
        written = block(part) if part else b""
        if written:
            places.append((part[-1][0], varint(len(index)) + varint(len(written) - 5)))
        index += written
    places_at = len(index)
    written = block(places)
    footer = varint(0) + varint(0) + varint(places_at) + varint(len(written) - 5)
    return index + written + footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC), data


TINY: Tensors = {
    "dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "dense/bias": np.array([1.5, -2.0, 1e-20], np.float32),
    "dense_1/kernel": np.ones((3, 1), np.float32),
    "step": np.array(7.0, np.float32),
}


def test_crc32c_is_that_of_the_iscsi_standard() -> None:
    """RFC 3720, B.4: 32 bytes of zeros give 8A9136AA; the mask is LevelDB's."""
    rotated = (0x8A9136AA >> 15 | 0x8A9136AA << 17) & 0xFFFFFFFF
    assert masked_crc32c(bytes(32)) == (rotated + 0xA282EAD8) & 0xFFFFFFFF


def test_a_bundle_made_by_hand_is_read_back() -> None:
    index, data = bundle(TINY)
    entries = read_index(index)
    assert entries.keys() == TINY.keys()
    for name, entry in entries.items():
        np.testing.assert_array_equal(read_tensor(data, name, entry), TINY[name])


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_an_index_with_one_flipped_bit_is_refused_or_unharmed(at: int, bit: int) -> None:
    index, _ = bundle(TINY)
    broken = bytearray(index)
    broken[at % len(index)] ^= 1 << bit
    with suppress(BundleRejected):
        assert read_index(bytes(broken)) == read_index(index)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_index_are_refused(content: bytes) -> None:
    with pytest.raises(BundleRejected):
        read_index(content + struct.pack("<Q", MAGIC))


def test_a_damaged_or_cut_data_file_is_refused_by_name() -> None:
    index, data = bundle(TINY)
    entry = read_index(index)["dense/kernel"]
    broken = bytearray(data)
    broken[entry.offset] ^= 1
    with pytest.raises(BundleRejected, match="dense/kernel: the checksum"):
        read_tensor(bytes(broken), "dense/kernel", entry)
    with pytest.raises(BundleRejected, match="the file ends at"):
        read_tensor(data[: entry.offset + 3], "dense/kernel", entry)


def test_a_checkpoint_in_several_shards_is_refused() -> None:
    with pytest.raises(BundleRejected, match="one shard"):
        read_index(bundle(TINY, header=field(1, 2))[0])


def numbered(name: str, i: int) -> str:
    return f"{name}_{i}" if i else name


def musicnn_variables() -> Tensors:
    """Random variables of the original's graph: names and shapes as TensorFlow has them."""
    random = np.random.default_rng(0)
    kernels = [(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51), (7, 561, 1, 64)]
    kernels += [(7, 64, 1, 64)] * 2
    shapes: dict[str, tuple[int, ...]] = {numbered("conv2d", i): kernel for i, kernel in enumerate(kernels)}
    shapes |= {"dense": (1506, 200), "dense_1": (200, 50)}
    made = {f"{name}/kernel": 0.01 * random.standard_normal(shape) for name, shape in shapes.items()}
    made |= {f"{name}/bias": random.standard_normal(shape[-1]) for name, shape in shapes.items()}
    for i, channels in enumerate([1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200]):
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            made[f"{numbered('batch_normalization', i)}/{part}"] = random.uniform(0.5, 1.5, channels)
    return {name: array.astype(np.float32) for name, array in made.items()}


def test_variables_find_their_places_and_batch_norms_are_folded() -> None:
    made = musicnn_variables()
    state = convert(Checkpoint(*bundle(made)))
    network = Musicnn("MSD_musicnn", ("tag",) * 50)
    network.load_state_dict(state)
    x = np.linspace(-1, 1, 200)
    norm = {
        part: made[f"batch_normalization_10/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    expected = norm["gamma"] * (x - norm["moving_mean"]) / np.sqrt(norm["moving_variance"] + 1e-3) + norm["beta"]
    folded = state["dense_norm.scale"].numpy() * x + state["dense_norm.shift"].numpy()
    np.testing.assert_allclose(folded, expected, rtol=1e-5)
    np.testing.assert_array_equal(state["dense.weight"], made["dense/kernel"].T)
    np.testing.assert_array_equal(state["front.1.conv.weight"][5, 0], made["conv2d_1/kernel"][:, :, 0, 5])
    np.testing.assert_array_equal(state["mid.0.conv.weight"][3], made["conv2d_5/kernel"][:, :, 0, 3].T)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(BundleRejected, match="of another network than musicnn"):
        convert(Checkpoint(*bundle(TINY)))


def test_another_file_than_the_wheel_is_refused_with_its_digest(tmp_path: Path) -> None:
    other = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("musicnn/configuration.py", "MSD_LABELS = []")
    with pytest.raises(BundleRejected, match=r"expected musicnn-0\.1\.0.*SHA-256 f38a4890"):
        open_wheel(other)
    with pytest.raises(BundleRejected, match="nothing in it"):
        open_wheel(tmp_path / "missing.whl")


def test_labels_are_read_from_source_that_is_not_run() -> None:
    source = "raise SystemExit\nMTT_LABELS = ['guitar', 'slow']\nMSD_LABELS = ['rock']\n"
    assert labels(source, "MTT_musicnn") == ("guitar", "slow")
    with pytest.raises(BundleRejected, match="MSD_LABELS"):
        labels("x = 1", "MSD_musicnn")


def test_the_licence_lies_beside_the_weights_and_in_them() -> None:
    licence = (GUIDE_WEIGHTS.parent / "LICENSE-musicnn.md").read_text()
    with safe_open(GUIDE_WEIGHTS, "pt") as file:
        header = json.loads(file.metadata()[HEADER])
    assert header["licence"] == licence
    assert licence.startswith("Copyright (c) Music Technology Group")
    assert header["source_sha256"] == WHEEL_SHA256

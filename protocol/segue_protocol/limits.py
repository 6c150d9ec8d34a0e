"""The protocol's version and the sizes it never exceeds. A renderer may promise less in WELCOME, never more."""

from __future__ import annotations

MAJOR, MINOR = 1, 0
PROTOCOL_VERSION = f"{MAJOR}.{MINOR}"
"""Version of spec.md; the C++ twin carries the same, and a test compares all three."""

SEAL_BYTES = 40
"""The first frame: sequence number (8 bytes) and MAC (32 bytes)."""
MAX_HEADER_BYTES = 64 * 1024
MAX_PAYLOAD_BYTES = 1 << 20
SOCKET_MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + 1024
"""What to set ZMQ_MAXMSGSIZE to: CURVE adds 33 bytes to a frame before libzmq compares."""
MAX_DEPTH = 8
"""Maps and arrays inside one another, the header's own map included."""

NONCE_BYTES = SECRET_BYTES = KEY_BYTES = MAC_BYTES = 32
SAMPLE_BYTES = 4

MIN_RATE, MAX_RATE = 8_000, 768_000  # hertz
MAX_CHANNELS = 2
MAX_SAMPLES = 1 << 40  # a stream; times channels and bytes it stays far from overflow
MAX_COUNT = (1 << 53) - 1  # whole numbers a double holds exactly, for languages that have nothing else
MAX_SEED = (1 << 63) - 1
MAX_STEPS = 1000
MAX_CANDIDATES = 16
MAX_STREAMS = 34  # a track, the right track of a transition, 32 songs
MAX_GAPS = 256
MAX_CURVES = 8
MAX_CURVE_POINTS = 2048  # of all curves of a job together: they must fit the header
MAX_MARKS = 64
MAX_SECONDS = 86_400.0
MAX_CREDITS = 1024
MAX_LISTED = 128  # jobs, devices and bundles of one reply
MAX_PRESETS = 512

HEARTBEAT_INTERVAL_MS = 500
HEARTBEAT_TIMEOUT_MS = 2000
"""ZMQ_HEARTBEAT_IVL and _TIMEOUT: a dead peer is known within 3 s."""

// The protocol's version and the sizes it never exceeds; see spec.md, "Limits".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace segue::protocol {

inline constexpr int major_version = 1;
inline constexpr std::string_view protocol_version = "1.0";

inline constexpr std::size_t seal_bytes = 40;
inline constexpr std::size_t max_header_bytes = 64 * 1024;
inline constexpr std::size_t max_payload_bytes = std::size_t{1} << 20;
inline constexpr std::int64_t socket_max_frame_bytes = (std::int64_t{1} << 20) + 1024;  // for ZMQ_MAXMSGSIZE
inline constexpr std::size_t max_depth = 8;

inline constexpr std::size_t nonce_bytes = 32;
inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t mac_bytes = 32;
inline constexpr std::int64_t sample_bytes = 4;

inline constexpr std::int64_t min_rate = 8'000;
inline constexpr std::int64_t max_rate = 768'000;
inline constexpr std::int64_t max_channels = 2;
inline constexpr std::int64_t max_samples = std::int64_t{1} << 40;
inline constexpr std::int64_t max_count = (std::int64_t{1} << 53) - 1;
inline constexpr std::int64_t max_seed = INT64_MAX;
inline constexpr std::int64_t max_steps = 1000;
inline constexpr std::int64_t max_candidates = 16;
inline constexpr std::size_t max_streams = 34;
inline constexpr std::size_t max_gaps = 256;
inline constexpr std::size_t max_curves = 8;
inline constexpr std::size_t max_curve_points = 2048;
inline constexpr std::size_t max_marks = 64;
inline constexpr double max_seconds = 86'400.0;
inline constexpr std::int64_t max_credits = 1024;
inline constexpr std::size_t max_listed = 128;
inline constexpr std::size_t max_presets = 512;

inline constexpr int heartbeat_interval_ms = 500;
inline constexpr int heartbeat_timeout_ms = 2000;

}  // namespace segue::protocol

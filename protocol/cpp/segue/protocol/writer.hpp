// A message's fields as msgpack.
#pragma once

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack/pack.hpp>
#include <msgpack/sbuffer.hpp>
#include <msgpack/unpack.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "messages.hpp"

namespace segue::protocol::detail {

// Visits fields to know how many will be written.
class Counter {
public:
    std::uint32_t count = 0;

    template <class T, class Rule>
    void must(const char*, const T&, const Rule&) { ++count; }
    template <class T, class Rule>
    void may(const char*, const T&, const Rule&) { ++count; }
    template <class T, class Rule>
    void optional(const char*, const std::optional<T>& value, const Rule&) { count += value.has_value(); }
};

class Writer {
public:
    explicit Writer(msgpack::sbuffer& out) : out_(out), packer_(out) {}

    // A whole map; messages have a type, parts have none.
    template <class Part>
    void map(const Part& part, std::string_view type = {}) {
        Counter counter;
        Part::fields(counter, part);
        packer_.pack_map(counter.count + (type.empty() ? 0U : 1U));
        if (!type.empty()) {
            text("type");
            text(type);
        }
        Part::fields(*this, part);
    }

    template <class T, class Rule>
    void must(const char* name, const T& value, const Rule&) {
        text(name);
        write(value);
    }
    template <class T, class Rule>
    void may(const char* name, const T& value, const Rule& rule) { must(name, value, rule); }
    template <class T, class Rule>
    void optional(const char* name, const std::optional<T>& value, const Rule& rule) {
        if (value) must(name, *value, rule);
    }

private:
    void text(std::string_view value) {
        packer_.pack_str(static_cast<std::uint32_t>(value.size()));
        packer_.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
    }
    void write(const std::string& value) { text(value); }
    void write(std::int64_t value) { packer_.pack_int64(value); }
    void write(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
    void write(const Nonce& value) {
        packer_.pack_bin(static_cast<std::uint32_t>(value.size()));
        packer_.pack_bin_body(reinterpret_cast<const char*>(value.data()), static_cast<std::uint32_t>(value.size()));
    }
    // not pack_double, which writes whole numbers as integers: allowed, but then equal messages differ in bytes
    void write(double value) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        char bytes[9] = {static_cast<char>(0xCB)};
        for (std::size_t i = 0; i < 8; ++i) bytes[8 - i] = static_cast<char>(bits >> (8 * i) & 0xFF);
        out_.write(bytes, sizeof bytes);
    }
    template <class T>
    void write(const std::pair<T, T>& value) {
        packer_.pack_array(2);
        write(value.first);
        write(value.second);
    }
    template <class T>
    void write(const std::vector<T>& values) {
        packer_.pack_array(static_cast<std::uint32_t>(values.size()));
        for (const T& value : values) write(value);
    }
    template <class Part, class = std::enable_if_t<std::is_class_v<Part>>>
    void write(const Part& part) { map(part); }

    msgpack::sbuffer& out_;
    msgpack::packer<msgpack::sbuffer> packer_;
};

}  // namespace segue::protocol::detail

// A message's fields from msgpack, with their types and ranges. A wrong type or a missing field is MALFORMED, a value
// out of its range INVALID; where a message has both, it is MALFORMED.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "writer.hpp"

namespace segue::protocol::detail {

// The first of each kind of complaint about a message.
struct Complaints {
    std::optional<std::string> malformed;
    std::optional<std::string> invalid;

    [[nodiscard]] bool any() const noexcept { return malformed || invalid; }
};

inline const msgpack::object* find(const msgpack::object_map& map, std::string_view name) noexcept {
    for (std::uint32_t i = 0; i < map.size; ++i) {
        const msgpack::object_str& key = map.ptr[i].key.via.str;  // scan() let only strings through
        if (std::string_view(key.ptr, key.size) == name) return &map.ptr[i].val;
    }
    return nullptr;
}

template <class Part, class = void>
struct HasWhole : std::false_type {};
template <class Part>
struct HasWhole<Part, std::void_t<decltype(&Part::whole)>> : std::true_type {};

class Reader {
public:
    Reader(const msgpack::object_map& map, std::string where, Complaints& complaints)
        : map_(map), where_(std::move(where)), complaints_(complaints) {}

    // All fields of a message or part, then what they say together.
    template <class Part>
    void part(Part& part) {
        const bool fine = !complaints_.any();
        Part::fields(*this, part);
        if constexpr (HasWhole<Part>::value) {
            if (fine && !complaints_.any()) invalid("", part.whole());
        }
    }

    template <class T, class Rule>
    void must(const char* name, T& value, const Rule& rule) {
        if (const msgpack::object* object = find(map_, name)) {
            read(name, *object, value, rule);
        } else {
            malformed(name, "expected this field, got none");
        }
    }
    template <class T, class Rule>
    void may(const char* name, T& value, const Rule& rule) {
        if (const msgpack::object* object = find(map_, name)) read(name, *object, value, rule);
    }
    template <class T, class Rule>
    void optional(const char* name, std::optional<T>& value, const Rule& rule) {
        const msgpack::object* object = find(map_, name);
        value.reset();
        if (object == nullptr || object->type == msgpack::type::NIL) return;
        read(name, *object, value.emplace(), rule);
    }

private:
    void malformed(std::string_view name, std::string_view what) {
        if (!complaints_.malformed) complaints_.malformed = place(name) + std::string(what);
    }
    void invalid(std::string_view name, const Complaint& complaint) {
        if (complaint && !complaints_.invalid) complaints_.invalid = place(name) + *complaint;
    }
    [[nodiscard]] std::string place(std::string_view name) const {
        return where_ + (name.empty() ? "" : ".") + std::string(name) + ": ";
    }

    template <class Rule>
    void read(std::string_view name, const msgpack::object& object, std::string& value, const Rule& rule) {
        if (object.type != msgpack::type::STR) return malformed(name, "expected a string");
        value.assign(object.via.str.ptr, object.via.str.size);
        invalid(name, rule(value));
    }
    template <class Rule>
    void read(std::string_view name, const msgpack::object& object, std::int64_t& value, const Rule& rule) {
        if (object.type == msgpack::type::POSITIVE_INTEGER) {
            if (object.via.u64 > static_cast<std::uint64_t>(INT64_MAX))
                return invalid(name, "expected a number below 2^63, got a larger one");
            value = static_cast<std::int64_t>(object.via.u64);
        } else if (object.type == msgpack::type::NEGATIVE_INTEGER) {
            value = object.via.i64;
        } else {
            return malformed(name, "expected a whole number");
        }
        invalid(name, rule(value));
    }
    template <class Rule>
    void read(std::string_view name, const msgpack::object& object, double& value, const Rule& rule) {
        switch (object.type) {
            case msgpack::type::FLOAT32:
            case msgpack::type::FLOAT64: value = object.via.f64; break;
            case msgpack::type::POSITIVE_INTEGER: value = static_cast<double>(object.via.u64); break;
            case msgpack::type::NEGATIVE_INTEGER: value = static_cast<double>(object.via.i64); break;
            default: return malformed(name, "expected a number");
        }
        invalid(name, rule(value));
    }
    void read(std::string_view name, const msgpack::object& object, bool& value, const Anything&) {
        if (object.type != msgpack::type::BOOLEAN) return malformed(name, "expected true or false");
        value = object.via.boolean;
    }
    void read(std::string_view name, const msgpack::object& object, Nonce& value, const Anything&) {
        if (object.type != msgpack::type::BIN) return malformed(name, "expected a binary");
        if (object.via.bin.size != value.size()) return invalid(name, "expected 32 bytes");
        std::memcpy(value.data(), object.via.bin.ptr, value.size());
    }
    template <class T, class Rule>
    void read(std::string_view name, const msgpack::object& object, std::pair<T, T>& value, const Rule& rule) {
        if (object.type != msgpack::type::ARRAY || object.via.array.size != 2)
            return malformed(name, "expected two numbers");
        read(name, object.via.array.ptr[0], value.first, rule);
        read(name, object.via.array.ptr[1], value.second, rule);
    }
    template <class T, class Rule>
    void read(std::string_view name, const msgpack::object& object, std::vector<T>& values, const Many<Rule>& rule) {
        if (object.type != msgpack::type::ARRAY) return malformed(name, "expected an array");
        if (const Complaint complaint = rule(object.via.array.size)) return invalid(name, complaint);
        values.assign(object.via.array.size, T{});
        for (std::uint32_t i = 0; i < object.via.array.size; ++i)
            read(std::string(name) + "." + std::to_string(i), object.via.array.ptr[i], values[i], rule.entry);
    }
    template <class Part, class = std::enable_if_t<std::is_class_v<Part>>>
    void read(std::string_view name, const msgpack::object& object, Part& value, const Anything&) {
        if (object.type != msgpack::type::MAP) return malformed(name, "expected a map");
        Reader(object.via.map, where_ + "." + std::string(name), complaints_).part(value);
    }

    const msgpack::object_map& map_;
    std::string where_;
    Complaints& complaints_;
};

}  // namespace segue::protocol::detail

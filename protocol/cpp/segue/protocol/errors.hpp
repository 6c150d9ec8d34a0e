// What can go wrong on the wire, and a value-or-failure to return it in.
#pragma once

#include <array>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "limits.hpp"

namespace segue::protocol {

using Nonce = std::array<std::uint8_t, nonce_bytes>;

enum class Code {
    malformed,
    unverified,
    out_of_order,
    unsupported,
    version,
    invalid,
    busy,
    timeout,
    resource,
    model_rejected,
    nonfinite,
    internal,
    lost,
    connection,
};

struct CodeText {
    Code code;
    std::string_view name;
    std::string_view remedy;
};

inline constexpr std::array<CodeText, 14> code_texts{{
    {Code::malformed, "MALFORMED", "the sender has a defect or is not a Segue client: update it"},
    {Code::unverified, "UNVERIFIED", "connect again with the renderer's present connection file"},
    {Code::out_of_order, "OUT_OF_ORDER", "connect again: messages were lost or repeated on the way"},
    {Code::unsupported, "UNSUPPORTED", "use only what WELCOME lists, or update the older side"},
    {Code::version, "VERSION", "install the plug-in and the renderer from the same release"},
    {Code::invalid, "INVALID", "change the value the message names"},
    {Code::busy, "BUSY", "try again after retry_after seconds"},
    {Code::timeout, "TIMEOUT", "give a later deadline, a shorter gap or fewer steps"},
    {Code::resource, "RESOURCE",
     "give a shorter clip or fewer candidates, or free memory or disk on the renderer's machine"},
    {Code::model_rejected, "MODEL_REJECTED",
     "choose another bundle, or get this one again from where it was published"},
    {Code::nonfinite, "NONFINITE", "try another seed, a smaller guidance strength or another bundle"},
    {Code::internal, "INTERNAL", "try again; if it comes back, report it with the renderer's log"},
    {Code::lost, "LOST", "submit the job again once the renderer is back"},
    {Code::connection, "CONNECTION", "start the renderer (segue serve), or copy its connection file again"},
}};

inline const CodeText& text_of(Code code) noexcept {
    return code_texts[static_cast<std::size_t>(code)];
}

// The code of that name; INTERNAL for names this version does not know.
inline Code code_named(std::string_view name) noexcept {
    for (const CodeText& text : code_texts)
        if (text.name == name) return text.code;
    return Code::internal;
}

// Why something was refused: `message` says what was expected and what came, `remedy` what to do.
struct Failure {
    Code code = Code::internal;
    std::string message;
    std::string remedy;
    std::optional<std::string> job;  // the job the refused message named, where that could be read
    std::optional<Nonce> nonce;      // of a refused HELLO
};

inline Failure failure(Code code, std::string message, std::string_view remedy = {}) {
    return {code, std::move(message), std::string(remedy.empty() ? text_of(code).remedy : remedy), {}, {}};
}

// A value, or why there is none.
template <class T>
class Expected {
public:
    Expected(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    Expected(Failure why) : held_(std::in_place_index<1>, std::move(why)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return held_.index() == 0; }
    [[nodiscard]] T& operator*() noexcept { return *std::get_if<0>(&held_); }
    [[nodiscard]] const T& operator*() const noexcept { return *std::get_if<0>(&held_); }
    [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&held_); }
    [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&held_); }
    [[nodiscard]] const Failure& error() const noexcept { return *std::get_if<1>(&held_); }

private:
    std::variant<T, Failure> held_;
};

// Runs `body` so that no exception gets out of it.
template <class T, class Body>
Expected<T> guarded(Body&& body) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
        return Failure{Code::resource, "out of memory", {}, {}, {}};
    } catch (...) {
        return Failure{Code::internal, "unexpected", {}, {}, {}};
    }
}

}  // namespace segue::protocol

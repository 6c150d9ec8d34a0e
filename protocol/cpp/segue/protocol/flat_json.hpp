// The JSON of a connection file: one flat object of strings and whole numbers, and nothing more.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace segue::protocol::detail {

using FlatValue = std::variant<std::string, std::int64_t>;
using FlatObject = std::map<std::string, FlatValue, std::less<>>;

class FlatJson {
public:
    // The object, or nothing where the text is anything else.
    static std::optional<FlatObject> parse(std::string_view text) {
        FlatJson json(text);
        return json.object();
    }

private:
    explicit FlatJson(std::string_view text) : text_(text) {}

    std::optional<FlatObject> object() {
        FlatObject fields;
        if (!take('{')) return {};
        if (!take('}')) {
            do {
                skip_space();
                auto key = string();
                if (!key || !take(':')) return {};
                auto value = this->value();
                if (!value || !fields.emplace(*key, *value).second) return {};
            } while (take(','));
            if (!take('}')) return {};
        }
        skip_space();
        if (at_ != text_.size()) return {};
        return fields;
    }

    std::optional<FlatValue> value() {
        skip_space();
        if (peek() == '"') {
            if (auto text = string()) return FlatValue(*text);
            return {};
        }
        std::int64_t number = 0;
        const char* begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
        if (error != std::errc()) return {};
        at_ += static_cast<std::size_t>(end - begin);
        return FlatValue(number);
    }

    std::optional<std::string> string() {
        if (peek() != '"') return {};
        std::string out;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return out;
            }
            if (static_cast<unsigned char>(c) < 0x20) return {};
            if (c != '\\') {
                out += c;
            } else if (!escape(out)) {
                return {};
            }
        }
        return {};
    }

    bool escape(std::string& out) {
        if (++at_ >= text_.size()) return false;
        constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
        const std::size_t place = names.find(text_[at_]);
        if (place != std::string_view::npos) {
            out += values[place];
            return true;
        }
        auto point = hex4();
        if (!point) return false;
        if (*point >= 0xD800 && *point < 0xDC00) {
            if (text_.substr(at_ + 1, 2) != "\\u") return false;
            at_ += 2;
            const auto low = hex4();
            if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
            point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
        } else if (*point >= 0xDC00 && *point <= 0xDFFF) {
            return false;
        }
        append(out, *point);
        return true;
    }

    // The four digits behind \u, where the place is at the u; leaves it at the last digit.
    std::optional<std::uint32_t> hex4() {
        if (peek() != 'u' || text_.size() - at_ < 5) return {};
        std::uint32_t point = 0;
        const char* begin = text_.data() + at_ + 1;
        const auto [end, error] = std::from_chars(begin, begin + 4, point, 16);
        if (error != std::errc() || end != begin + 4) return {};
        at_ += 4;
        return point;
    }

    static void append(std::string& out, std::uint32_t point) {
        const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
        if (point < 0x80) return put(point);
        if (point < 0x800) {
            put(0xC0 | point >> 6);
        } else {
            if (point < 0x10000) {
                put(0xE0 | point >> 12);
            } else {
                put(0xF0 | point >> 18);
                put(0x80 | (point >> 12 & 0x3F));
            }
            put(0x80 | (point >> 6 & 0x3F));
        }
        put(0x80 | (point & 0x3F));
    }

    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char wanted) {
        skip_space();
        if (peek() != wanted) return false;
        ++at_;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace segue::protocol::detail

#include "core/base64.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>

#include "core/crc32.hpp"

using namespace segue::plugin;

TEST_CASE("base64 gives the vectors of RFC 4648, both ways") {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},           {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        CHECK(to_base64(bytes) == text);
        CHECK(from_base64(text) == bytes);
    }
}

TEST_CASE("any bytes come back from base64, and no other text stands for them") {
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 100; ++size) {
        std::string bytes(size, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        std::string text = to_base64(bytes);
        CHECK(from_base64(text) == bytes);
        for (char& letter : text) {
            const char was = letter;
            letter = static_cast<char>(random());
            const auto other = from_base64(text);
            if (letter != was && other) CHECK(to_base64(*other) == text);
            letter = was;
        }
    }
    for (const char* text : {"Zg=", "Zg", "Zg===", "Zh==", "Zm9=", "=", "====", "Z===", "Zm9v\n", " Zm9v", "Zm=v",
                             "\xAF\xAF\xAF\xAF"}) {
        CHECK(!from_base64(text));
    }
}

TEST_CASE("CRC-32 gives the check value of its catalogue, in one piece or two") {
    CHECK(crc32("123456789") == 0xCBF43926U);
    CHECK(crc32("56789", crc32("1234")) == 0xCBF43926U);
    CHECK(crc32("") == 0U);
}

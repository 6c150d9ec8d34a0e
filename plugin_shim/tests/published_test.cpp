#include "core/published.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>

using segue::plugin::Published;

namespace {

struct Record {
    std::uint64_t number = 0;
    std::uint64_t twice = 0;
    bool odd = false;
    std::uint64_t inverse = ~std::uint64_t{0};

    static Record of(std::uint64_t n) { return {n, 2 * n, n % 2 == 1, ~n}; }
    [[nodiscard]] bool whole() const {
        return twice == 2 * number && odd == (number % 2 == 1) && inverse == ~number;
    }
};

}  // namespace

TEST_CASE("what was written last is read") {
    Published<Record> published;
    CHECK(published.read().whole());
    published.write(Record::of(41));
    CHECK(published.read().number == 41);
}

TEST_CASE("two readers never see half of two records, nor an older one after a newer") {
    constexpr std::uint64_t count = 300'000;
    Published<Record> published;
    std::atomic<std::uint64_t> wrong{0};
    const auto read = [&] {
        for (std::uint64_t last = 0; last < count;) {
            const Record record = published.read();
            if (!record.whole() || record.number < last) ++wrong;
            last = record.number;
        }
    };
    std::thread first(read);
    std::thread second(read);
    for (std::uint64_t i = 1; i <= count; ++i) published.write(Record::of(i));
    first.join();
    second.join();
    CHECK(wrong == 0);
}

// Denormal numbers count as zero while one of these lives: they would make an audio thread a hundred times slower.
#pragma once

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
#include <xmmintrin.h>
#endif
#include <cstdint>

namespace segue::plugin {

class FlushDenormals {
public:
    FlushDenormals() noexcept : before_(read()) { write(before_ | flush_bits); }
    ~FlushDenormals() { write(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
    using Register = unsigned int;
    static constexpr Register flush_bits = 0x8040;  // results (FTZ) and operands (DAZ)
    static Register read() noexcept { return _mm_getcsr(); }
    static void write(Register value) noexcept { _mm_setcsr(value); }
#elif defined(__aarch64__)
    using Register = std::uint64_t;
    static constexpr Register flush_bits = Register{1} << 24;  // FZ of FPCR: results and operands
    static Register read() noexcept {
        Register value = 0;
        asm volatile("mrs %0, fpcr" : "=r"(value));
        return value;
    }
    static void write(Register value) noexcept { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
#error "this processor's way to flush denormals is not known: add it here"
#endif

    Register before_;
};

}  // namespace segue::plugin

// Sound files in memory, for libsndfile.
#pragma once

#include <sndfile.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace segue::plugin {

struct CloseSound {
    void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

// Must stay where it is while a Sound is open over it.
class MemoryFile {
public:
    MemoryFile() = default;
    explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    // `mode`: SFM_READ or SFM_WRITE. Empty: sf_strerror(nullptr) says why.
    [[nodiscard]] Sound open(int mode, SF_INFO& about);
    [[nodiscard]] std::string take() noexcept { return std::move(bytes_); }  // once no Sound is open

private:
    static sf_count_t size(void* self) noexcept;
    static sf_count_t seek(sf_count_t offset, int whence, void* self) noexcept;
    static sf_count_t read(void* to, sf_count_t count, void* self) noexcept;
    static sf_count_t write(const void* from, sf_count_t count, void* self) noexcept;
    static sf_count_t tell(void* self) noexcept;

    std::string bytes_;
    std::size_t at_ = 0;
};

}  // namespace segue::plugin

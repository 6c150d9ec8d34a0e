#include "core/memory_file.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

namespace segue::plugin {

Sound MemoryFile::open(int mode, SF_INFO& about) {
    SF_VIRTUAL_IO calls{&size, &seek, &read, &write, &tell};
    at_ = 0;
    return Sound(sf_open_virtual(&calls, mode, &about, this));
}

sf_count_t MemoryFile::size(void* self) noexcept {
    return static_cast<sf_count_t>(static_cast<MemoryFile*>(self)->bytes_.size());
}

sf_count_t MemoryFile::seek(sf_count_t offset, int whence, void* self) noexcept {
    auto& file = *static_cast<MemoryFile*>(self);
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(self) : size(self);
    if (base + offset < 0) return -1;
    file.at_ = static_cast<std::size_t>(base + offset);
    return base + offset;
}

sf_count_t MemoryFile::read(void* to, sf_count_t count, void* self) noexcept {
    auto& file = *static_cast<MemoryFile*>(self);
    if (file.at_ >= file.bytes_.size() || count <= 0) return 0;
    const std::size_t there = std::min(file.bytes_.size() - file.at_, static_cast<std::size_t>(count));
    std::memcpy(to, file.bytes_.data() + file.at_, there);
    file.at_ += there;
    return static_cast<sf_count_t>(there);
}

sf_count_t MemoryFile::write(const void* from, sf_count_t count, void* self) noexcept {
    auto& file = *static_cast<MemoryFile*>(self);
    if (count <= 0) return 0;
    const std::size_t end = file.at_ + static_cast<std::size_t>(count);
    try {
        if (end > file.bytes_.size()) file.bytes_.resize(end);
    } catch (const std::bad_alloc&) {
        return 0;  // no exception goes through libsndfile, which reports an incomplete write
    }
    std::memcpy(file.bytes_.data() + file.at_, from, static_cast<std::size_t>(count));
    file.at_ = end;
    return count;
}

sf_count_t MemoryFile::tell(void* self) noexcept {
    return static_cast<sf_count_t>(static_cast<MemoryFile*>(self)->at_);
}

}  // namespace segue::plugin

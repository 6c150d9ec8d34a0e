// What the UI asks for. SegueUI hands it on to host and engine.
#pragma once

#include <cstdint>

#include "core/parameters.hpp"
#include "core/transport.hpp"

namespace segue::plugin::ui {

class Actions {
public:
    virtual ~Actions() = default;

    // Parameters go through the host, each change between the begin and the end of an edit.
    virtual void begin_edit(Parameter parameter) = 0;
    virtual void set(Parameter parameter, float value) = 0;
    virtual void end_edit(Parameter parameter) = 0;

    virtual void render() = 0;
    virtual void cancel() = 0;
    virtual void undo() = 0;
    virtual void redo() = 0;
    virtual void remove(std::uint64_t region) = 0;
    virtual void set_marks(const Span& marks) = 0;  // empty: none
    virtual void forget_capture() = 0;
    virtual void browse_song() = 0;
    virtual void clear_song() = 0;
    virtual void reveal() = 0;
    virtual void reconnect() = 0;
};

}  // namespace segue::plugin::ui

// The plug-in's UI in a plain X11 window, for screenshots.
#pragma once

#include <clap/ext/gui.h>

#include <cstdint>
#include <string>

#include "session.hpp"

namespace segue::host {

class Window {
public:
    // `scale`: of the screen, 1 or 2; throws std::runtime_error where there is no UI or no screen.
    Window(Session& session, const std::string& title, double scale);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    void idle(double seconds);  // lets the UI live, while the plug-in processes
    void picture(const std::string& path) const;  // as a PPM
    void resize(std::uint32_t width, std::uint32_t height);  // as the host does it; throws too
    void scale(double factor);
    void measure();  // what width and height are now
    [[nodiscard]] std::uint32_t width() const noexcept { return width_; }
    [[nodiscard]] std::uint32_t height() const noexcept { return height_; }
    [[nodiscard]] unsigned long id() const noexcept { return window_; }

private:
    Session& session_;
    const clap_plugin_gui_t* gui_ = nullptr;
    void* display_ = nullptr;
    unsigned long window_ = 0;
    std::uint32_t width_ = 0;
    std::uint32_t height_ = 0;
};

}  // namespace segue::host

#include "window.hpp"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <clap/ext/timer-support.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace segue::host {

Window::Window(Session& session, const std::string& title, double scale) : session_(session) {
    const clap_plugin_t* plugin = session.plugin();
    gui_ = static_cast<const clap_plugin_gui_t*>(plugin->get_extension(plugin, CLAP_EXT_GUI));
    display_ = XOpenDisplay(nullptr);
    if (gui_ == nullptr || display_ == nullptr) {
        throw std::runtime_error(gui_ == nullptr ? "this plug-in was built without a UI" : "there is no X11 display");
    }
    if (!gui_->create(plugin, CLAP_WINDOW_API_X11, false)) {
        throw std::runtime_error("the plug-in does not make its UI");
    }
    gui_->set_scale(plugin, scale);
    gui_->get_size(plugin, &width_, &height_);
    auto* display = static_cast<Display*>(display_);
    window_ = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, width_, height_, 0, 0, 0);
    XStoreName(display, window_, title.c_str());
    XMapWindow(display, window_);
    XSync(display, False);
    clap_window_t parent{};
    parent.api = CLAP_WINDOW_API_X11;
    parent.x11 = window_;
    if (!gui_->set_parent(plugin, &parent) || !gui_->show(plugin)) {
        throw std::runtime_error("the plug-in does not show its UI");
    }
    gui_->get_size(plugin, &width_, &height_);
    XResizeWindow(display, window_, width_, height_);
    XSync(display, False);
}

Window::~Window() {
    auto* display = static_cast<Display*>(display_);
    gui_->destroy(session_.plugin());
    XDestroyWindow(display, window_);
    XCloseDisplay(display);
}

void Window::resize(std::uint32_t width, std::uint32_t height) {
    if (!gui_->set_size(session_.plugin(), width, height)) {
        throw std::runtime_error("the plug-in's UI keeps its size");
    }
}

void Window::scale(double factor) { gui_->set_scale(session_.plugin(), factor); }

void Window::measure() { gui_->get_size(session_.plugin(), &width_, &height_); }

void Window::idle(double seconds) {
    using Clock = std::chrono::steady_clock;
    const clap_plugin_t* plugin = session_.plugin();
    const auto* timer =
        static_cast<const clap_plugin_timer_support_t*>(plugin->get_extension(plugin, CLAP_EXT_TIMER_SUPPORT));
    auto* display = static_cast<Display*>(display_);
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) {
        while (XPending(display) != 0) {
            XEvent event;
            XNextEvent(display, &event);
        }
        for (const clap_id each : std::vector<clap_id>(session_.timers)) {
            timer->on_timer(plugin, each);
        }
        session_.roll(256, {256});  // what the UI edits arrives with a block
        session_.main_thread();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void Window::picture(const std::string& path) const {
    auto* display = static_cast<Display*>(display_);
    XImage* image = XGetImage(display, window_, 0, 0, width_, height_, AllPlanes, ZPixmap);
    if (image == nullptr) {
        throw std::runtime_error("the window is not to be seen");
    }
    std::ofstream file(path, std::ios::binary);
    file << "P6\n" << width_ << ' ' << height_ << "\n255\n";
    for (std::uint32_t row = 0; row < height_; ++row) {
        for (std::uint32_t column = 0; column < width_; ++column) {
            const unsigned long pixel = XGetPixel(image, static_cast<int>(column), static_cast<int>(row));
            for (const unsigned shift : {16U, 8U, 0U}) {
                file.put(static_cast<char>((pixel >> shift) & 255U));
            }
        }
    }
    XDestroyImage(image);
}

}  // namespace segue::host

// Draws every state of the UI: segue_plugin_screens FOLDER WIDTH HEIGHT SCALE writes NAME.ppm and NAME.json for each.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "Application.hpp"
#include "NanoVG.hpp"
#include "music.hpp"
#include "record.hpp"
#include "scenes.hpp"
#include "ui/nano_canvas.hpp"
#include "ui/screen.hpp"
#include "ui/words.hpp"

namespace segue::plugin::screens {
namespace {

// A window that has not appeared by then is an error; software OpenGL on a busy machine takes its time.
constexpr std::chrono::seconds patience{60};

class Window final : public DGL_NAMESPACE::StandaloneWindow, public DGL_NAMESPACE::NanoVG {
public:
    Window(DGL_NAMESPACE::Application& application, float width, float height, float scale)
        : StandaloneWindow(application), NanoVG(CREATE_ANTIALIAS), width_(width), height_(height), scale_(scale) {
        if (!loadSharedResources()) throw std::runtime_error("DPF's font could not be loaded");
        setSize(static_cast<uint>(std::lround(width * scale)), static_cast<uint>(std::lround(height * scale)));
        done();
    }

    // The next time the window is drawn, it shows this.
    void show_picture(const Picture& picture) {
        picture_ = &picture;
        drawn_ = false;
        DGL_NAMESPACE::Window::repaint();
    }
    [[nodiscard]] bool drawn() const noexcept { return drawn_; }
    [[nodiscard]] const std::string& record() const noexcept { return record_; }
    [[nodiscard]] const std::vector<unsigned char>& pixels() const noexcept { return pixels_; }

protected:
    void onDisplay() override {
        const uint columns = DGL_NAMESPACE::Window::getWidth();
        const uint rows = DGL_NAMESPACE::Window::getHeight();
        if (picture_ == nullptr || drawn_ || columns != static_cast<uint>(std::lround(width_ * scale_))) return;
        NanoVG::beginFrame(columns, rows);
        draw();
        NanoVG::endFrame();
        pixels_.resize(std::size_t{3} * columns * rows);
        glPixelStorei(GL_PACK_ALIGNMENT, 1);
        glReadPixels(0, 0, static_cast<int>(columns), static_cast<int>(rows), GL_RGB, GL_UNSIGNED_BYTE, pixels_.data());
        drawn_ = complete(columns, rows);
        if (!drawn_) DGL_NAMESPACE::Window::repaint();
    }

private:
    // Whether all four corners are there: a window that has just been made is smaller than it was asked to be.
    [[nodiscard]] bool complete(std::size_t columns, std::size_t rows) const {
        const auto expected = static_cast<int>(std::lround(ui::theme::bar.red * 255.0F));
        for (const std::size_t row : {std::size_t{0}, rows - 1}) {
            for (const std::size_t column : {std::size_t{0}, columns - 1}) {
                if (std::abs(pixels_[(row * columns + column) * 3] - expected) > 1) return false;
            }
        }
        return true;
    }

    void draw() {
        Peaks peaks;
        const ui::Scene scene{picture_->snapshot, peaks, picture_->values, picture_->state};
        const ui::Layout layout = ui::make_layout(width_, height_, !ui::words::notice(scene).empty());
        const auto parts = static_cast<std::uint32_t>(layout.of(ui::Widget::waveform).w * scale_);
        const bool original = scene.value(Parameter::compare) >= 0.5F;
        peaks = peaks_of(picture_->snapshot, picture_->state.view.span(), picture_->hole, parts, original);
        ui::NanoCanvas canvas(*this, scale_);
        RecordingCanvas recording(canvas, layout.window);
        ui::draw_screen(recording, layout, scene);
        record_ = record_of(picture_->name, scale_, layout, scene, recording.texts());
    }

    float width_;
    float height_;
    float scale_;
    const Picture* picture_ = nullptr;
    bool drawn_ = false;
    std::string record_;
    std::vector<unsigned char> pixels_;
};

void write_file(const std::filesystem::path& path, const std::string& head, const std::vector<unsigned char>& body) {
    std::ofstream out(path, std::ios::binary);
    out << head;
    out.write(reinterpret_cast<const char*>(body.data()), static_cast<std::streamsize>(body.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

void write_picture(const std::filesystem::path& stem, const Window& window, std::size_t columns, std::size_t rows) {
    // OpenGL counts rows from the bottom
    const std::vector<unsigned char>& pixels = window.pixels();
    std::vector<unsigned char> upright;
    upright.reserve(pixels.size());
    for (std::size_t row = rows; row-- > 0;) {
        const auto* first = pixels.data() + row * columns * 3;
        upright.insert(upright.end(), first, first + columns * 3);
    }
    const std::string head = "P6 " + std::to_string(columns) + " " + std::to_string(rows) + " 255\n";
    write_file(stem.string() + ".ppm", head, upright);
    write_file(stem.string() + ".json", window.record(), {});
}

void draw_all(const std::filesystem::path& folder, float width, float height, float scale) {
    const std::vector<Picture> pictures = all_pictures();
    DGL_NAMESPACE::Application application(true);
    Window window(application, width, height, scale);
    window.show();
    for (const Picture& picture : pictures) {
        window.show_picture(picture);
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!window.drawn()) {
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("the window was never drawn: is there an X server with OpenGL?");
            application.idle();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the X server needs a processor, too
        }
        write_picture(folder / picture.name, window, window.getWidth(), window.getHeight());
    }
    window.close();
}

}  // namespace
}  // namespace segue::plugin::screens

int main(int count, char** arguments) {
    if (count != 5) {
        std::fputs("usage: segue_plugin_screens FOLDER WIDTH HEIGHT SCALE\n", stderr);
        return 2;
    }
    try {
        segue::plugin::screens::draw_all(arguments[1], std::strtof(arguments[2], nullptr),
                                         std::strtof(arguments[3], nullptr), std::strtof(arguments[4], nullptr));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "segue_plugin_screens: %s\n", error.what());
        return 1;
    }
}

#include "core/presets.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/engine.hpp"
#include "core/parameters.hpp"
#include "folder_double.hpp"
#include "lone_engine.hpp"
#include "renderer_double.hpp"
#include "surroundings.hpp"

using namespace segue::plugin;
using namespace segue::plugin::testing;

namespace {

using Names = std::vector<std::string>;

// What an engine shows once it has opened `state` and met a renderer that offers these; and its state then.
struct Met {
    Met(const Names& offered, const std::string& state) {
        const Folder folder;
        RendererDouble renderer(folder.path);
        renderer.presets = offered;
        EngineSettings settings = settings_in(folder);
        settings.connection_file = renderer.file;
        Engine engine(settings);
        if (!state.empty()) REQUIRE(engine.load(state));
        REQUIRE(engine.activate(48'000.0, 256));
        REQUIRE(until([&] { return engine.snapshot()->link.state == LinkState::online; }, 60.0));
        shown = engine.snapshot()->link.presets;
        saved = engine.save();
    }

    Names shown;
    std::string saved;
};

}  // namespace

TEST_CASE("presets keep their numbers when others come between them, and when theirs goes") {
    Presets presets;
    CHECK(presets.text().empty());
    presets.offer({"dub", "warm tape"});
    CHECK(presets.names() == Names{"dub", "warm tape"});
    presets.offer({"bright", "dub", "warm tape"});
    CHECK(presets.names() == Names{"dub", "warm tape", "bright"});
    presets.offer({"warm tape"});
    CHECK(presets.names() == Names{"dub", "warm tape", "bright"});
}

TEST_CASE("a session's presets keep their numbers with another renderer, whichever is met first") {
    Presets saved;
    saved.offer({"dub", "warm tape"});
    const Names expected{"dub", "warm tape", "bright"};
    Presets opened;
    opened.restore(saved.text());
    CHECK(opened.names() == Names{"dub", "warm tape"});
    opened.offer({"bright", "warm tape"});
    CHECK(opened.names() == expected);
    Presets online;
    online.offer({"bright", "warm tape"});
    online.restore(saved.text());
    CHECK(online.names() == expected);
    online.restore("");  // of a session that knows none
    CHECK(online.names() == Names{"bright", "warm tape"});
}

TEST_CASE("a session that is opened where the renderer lists one preset more means the same ones") {
    const Met before({"dub", "warm tape"}, {});
    CHECK(before.shown == Names{"dub", "warm tape"});
    CHECK(Met({"bright", "dub", "warm tape"}, before.saved).shown == Names{"dub", "warm tape", "bright"});
}

TEST_CASE("there are never more presets than the parameter has numbers") {
    Presets presets;
    std::string text = "0";
    Names many;
    for (int i = 1; i < 100; ++i) text += "\n" + std::to_string(i);
    for (int i = 200; i < 300; ++i) many.push_back(std::to_string(i));
    presets.offer(many);
    CHECK(presets.names().size() == max_presets);
    presets.restore(text);
    CHECK(presets.names().size() == max_presets);
    CHECK(presets.names().back() == std::to_string(max_presets - 1));
}

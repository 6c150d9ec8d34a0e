#include "ui/widgets/progress.hpp"

#include <algorithm>

#include "ui/scene.hpp"

namespace segue::plugin::ui {
namespace {

void draw_stripes(Canvas& canvas, const Rect& box) {
    const float step = 12.0F;
    for (float x = box.x; x < box.right(); x += step) {
        canvas.fill({x, box.y, std::min(step / 2.0F, box.right() - x), box.h}, theme::gap, 0.0F);
    }
}

}  // namespace

void draw_progress(Canvas& canvas, const Rect& box, const JobView& job) {
    canvas.fill(box, theme::well, box.h / 2.0F);
    if (!busy(job)) return;
    if (job.state == JobState::armed || job.state == JobState::waiting) {
        draw_stripes(canvas, box);
        return;
    }
    const auto fraction = static_cast<float>(std::clamp(job.fraction, 0.0, 1.0));
    canvas.fill({box.x, box.y, std::max(box.h, box.w * fraction), box.h}, theme::accent, box.h / 2.0F);
}

}  // namespace segue::plugin::ui

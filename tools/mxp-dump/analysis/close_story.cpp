#include "mxp-dump/analysis/close_story.h"

#include "common/escape.h"

namespace mxp::dump {

void CloseStory::add(const PacketRecord& record, std::int64_t time_ns) {
  for (const Frame& frame : record.frames) {
    if (const auto* drain = std::get_if<DrainFrame>(&frame)) {
      drained = drained || drain->state == DrainFrame::State::agrees;
      continue;
    }
    const auto* close = std::get_if<CloseFrame>(&frame);
    if (close == nullptr || first) continue;
    const std::string_view reason(reinterpret_cast<const char*>(close->reason.data()), close->reason.size());
    first = Close{record.frame, time_ns,           record.direction,     close->application,
                  close->code,  close->frame_type, tools::escape(reason)};
  }
}

}  // namespace mxp::dump

#include "mxp-dump/page/page_places.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mxp::dump {

void PagePlaces::add(const PacketRecord& record) {
  if (record.duplicate || record.damaged) return;  // which makes no place
  if (!start_ns_) start_ns_ = static_cast<std::int64_t>(record.time_ns.value_or(0));
  PagePlot* here = place_of(record);
  if (here == nullptr) ++not_placed_;
  for (PagePlot& plot : plots_) {
    if (&plot == here) plot.add(record);
    else plot.add_elsewhere(record);
  }
}

// All places are asked whether they know the addresses before any takes the packet for that of a client that moved.
PagePlot* PagePlaces::place_of(const PacketRecord& record) {
  auto found = std::ranges::find_if(plots_, [&](const PagePlot& plot) { return plot.knows(record); });
  if (found == plots_.end()) found = std::ranges::find_if(plots_, [&](PagePlot& plot) { return plot.follow(record); });
  if (found != plots_.end()) return &*found;
  if (plots_.size() == kMaxPlaces) return nullptr;
  return &plots_.emplace_back(record, *start_ns_);
}

nlohmann::json PagePlaces::to_json() const {
  nlohmann::json json{{"places", nlohmann::json::array()}, {"not_placed", not_placed_}};
  for (const PagePlot& plot : plots_) json["places"].push_back(plot.to_json());
  return json;
}

}  // namespace mxp::dump

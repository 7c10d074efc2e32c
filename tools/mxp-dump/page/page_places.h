// The plots of one connection, one for each place at which the capture saw it: a capture of both sides of a relay or NAT
// has each packet twice, and what is between the two sides shows only where they are not mixed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "mxp-dump/dissect/connection_table.h"
#include "mxp-dump/page/page_plot.h"

namespace mxp::dump {

class PagePlaces {
 public:
  static constexpr std::size_t kMaxPlaces = kMaxPaths;

  void add(const PacketRecord& record);
  // {"places": [a plot, …], "not_placed": packets at further places}: the place of the first packet comes first.
  nlohmann::json to_json() const;

 private:
  PagePlot* place_of(const PacketRecord& record);  // nullptr: there are too many already

  std::optional<std::int64_t> start_ns_;
  std::vector<PagePlot> plots_;
  std::uint64_t not_placed_ = 0;
};

}  // namespace mxp::dump

// The names of the congestion control algorithms, as --cc takes them and JSON gives them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mxp/config.h"

namespace mxp::tools {

inline constexpr std::array kCongestionNames = {
    std::pair{std::string_view("bbr"), CongestionControl::bbr},
    std::pair{std::string_view("cubic"), CongestionControl::cubic},
    std::pair{std::string_view("newreno"), CongestionControl::newreno},
    std::pair{std::string_view("none"), CongestionControl::none},
};

enum class OfferNone : std::uint8_t { no, yes };  // "none" is for calibration, not for networks

// What --cc may be followed by.
inline std::vector<std::string> congestion_names(OfferNone none) {
  std::vector<std::string> names;
  for (const auto& [name, algorithm] : kCongestionNames)
    if (algorithm != CongestionControl::none || none == OfferNone::yes) names.emplace_back(name);
  return names;
}

// REQUIRES: one of the names above.
inline CongestionControl congestion_control(std::string_view name) {
  for (const auto& [known, algorithm] : kCongestionNames)
    if (known == name) return algorithm;
  return CongestionControl::bbr;
}

inline std::string_view to_string(CongestionControl algorithm) {
  for (const auto& [name, known] : kCongestionNames)
    if (known == algorithm) return name;
  return {};
}

}  // namespace mxp::tools

// The text of a drop list: "1-3,7,h2". Numbers count the packets of each flow in one direction, from 1; with an h
// before them they count those of MXP's handshake alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netem/spec.h"

namespace mxp::netem {

inline constexpr std::size_t kMostDropRanges = 1000;  // each packet is held against all of them

// std::nullopt for anything else than such a list.
std::optional<DropList> parse_drop_list(std::string_view text);
std::string drop_list_text(const DropList& list);

}  // namespace mxp::netem

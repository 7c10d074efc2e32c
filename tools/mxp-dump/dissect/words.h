// The words for what a packet is and has, the same in text, JSON, fields, findings and files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

std::string hex(ConnectionId id);
std::string suite_word(std::uint8_t suite);
std::string_view direction_word(TrafficDirection direction);
// "no key", …; empty where there is nothing to say.
std::string_view protection_word(Protection protection);
// The name of a frame's type in JSON and in fields, such as "stream" or "max_data".
std::string_view frame_word(const Frame& frame);
// All of them.
std::span<const std::string_view> frame_words();
// "begins"
std::string_view state_word(DrainFrame::State state);

}  // namespace mxp::dump

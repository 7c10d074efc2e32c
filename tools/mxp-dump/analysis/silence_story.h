// Spans in which nothing came from one side although the other one went on asking, spans in which nobody spoke, and
// what the first packets after them say of the reason.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mxp-dump/analysis/finding.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct SilenceStory {
  // Our choices: shorter silences are the business of the probe timer; more of them need no description.
  static constexpr std::int64_t kLeastNs = 1'000'000'000;
  static constexpr std::size_t kMaxSpans = 16;

  struct Span {
    std::int64_t from_ns = 0, to_ns = 0;
    std::uint64_t frame_before = 0, frame_after = 0;
    std::uint64_t asked = 0;            // packets of the other side meanwhile
    std::int64_t longest_pause_ns = 0;  // between two of them, or before the first
    bool repaired = false;              // what came first after it was sent again, or filled a hole
    enum class UnderWay : std::uint8_t { no, likely, yes } under_way = UnderWay::no;  // data, before it
    std::int64_t length_ns() const { return to_ns - from_ns; }
  };
  // Whether the asking went on all the while. One leap of the time between two packets is a clock or a hole.
  static bool asked_steadily(const Span& span) {
    return span.asked >= 2 && span.longest_pause_ns * 5 <= span.length_ns() * 4;
  }
  struct Voice {  // of one side
    std::int64_t last_ns = 0;
    std::uint64_t last_frame = 0;
    std::uint64_t asked_since = 0;  // packets of the other side since
    std::int64_t first_asked_ns = 0, last_asked_ns = 0, longest_pause_ns = 0;
  };
  std::array<Voice, 2> voices;
  std::vector<Span> unanswered;  // one side was silent, and the other one asked at least twice
  std::vector<Span> both;        // neither side spoke

  // `under_way`: before this packet a side had data in flight, or had just sent a full packet. `repairs`: it is sent
  // again, or fills a hole.
  void add(const PacketRecord& record, std::int64_t time_ns, Span::UnderWay under_way, bool repairs);
};

}  // namespace mxp::dump

// The time on the way in each direction, of questions that the client asks the server about its clock: when did this
// come, and when did your answer leave? Two clocks that nobody has set tell it only up to their distance, and that is
// known up to an error (RFC 5905 §8 has the same four times): if no packet arrives before it was sent, the server's clock
// is ahead of the client's by at least `left - back` and at most `came - sent`, for every question. All questions of a
// test together leave the shortest span; its middle is taken, and half of it is the error's bound. Clocks that drift
// apart leave no span at all in the end: then the questions are divided in time until there is one in each part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-perf/result.h"

namespace mxp::perf {

// Nanoseconds, each by the clock of the side where it was read.
struct ClockSample {
  std::int64_t sent = 0;  // client
  std::int64_t came = 0;  // server
  std::int64_t left = 0;  // server
  std::int64_t back = 0;  // client
};

class ClockProbe {
 public:
  // False: times that cannot be, and are not taken.
  bool add(const ClockSample& sample);
  // Nothing without samples.
  std::optional<OneWayDelay> delays() const;

 private:
  std::vector<ClockSample> samples_;
};

// The lines of question and answer on the control stream.
nlohmann::json clock_question(std::int64_t sent);
nlohmann::json clock_answer(std::int64_t sent, std::int64_t came, std::int64_t left);
// Nothing: it is no such line.
std::optional<std::int64_t> parse_clock_question(const std::string& line);
std::optional<ClockSample> parse_clock_answer(const std::string& line, std::int64_t back);

}  // namespace mxp::perf

// What is wrong with a connection, as far as a capture shows it. Each kind of finding has an id, which is the name of
// its page in the runbook; the list is in catalog.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxp::dump {

// The frames that show something: the first few, and how many there were.
class Evidence {
 public:
  static constexpr std::size_t kMaxFrames = 8;  // our choice: a line on a screen
  void add(std::uint64_t frame) {
    ++count_;
    if (frames_.size() < kMaxFrames && (frames_.empty() || frames_.back() != frame)) frames_.push_back(frame);
  }
  const std::vector<std::uint64_t>& frames() const { return frames_; }
  std::uint64_t count() const { return count_; }

 private:
  std::vector<std::uint64_t> frames_;
  std::uint64_t count_ = 0;
};

struct Finding {
  std::string_view id;    // of the catalog
  double confidence = 0;  // 0..1: that it is this and nothing else
  double severity = 0;    // 0..1: how much of the trouble it explains
  std::string what;       // the numbers, as a sentence
  std::vector<std::uint64_t> frames;
  std::string confirm;  // what would confirm it
  // Findings are told in descending order of this.
  double score() const { return confidence * severity; }
};

}  // namespace mxp::dump

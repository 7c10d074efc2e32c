// How the text of a link is read: words, one function for each keyword, each reading its values from the words that
// follow. The first error wins; it names the keyword, what stood there, and an example that works.
#pragma once

#include <fmt/format.h>

#include <array>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netem/spec.h"
#include "netem/spec_units.h"
#include "netem/words.h"

namespace mxp::netem {

// Whether a word can only be meant as a number. A mistyped number is then an error and not taken for the next keyword.
bool looks_like_number(std::string_view word);

class SpecParser {
 public:
  // `base`: what holds where the text says nothing.
  SpecParser(std::string_view text, const LinkSpec& base)
      : words_(words_of(text)), reorder_given_(base.reorder.gap > 0), spec_(base) {}

  std::expected<LinkSpec, std::string> parse();

 private:
  struct Keyword {
    std::string_view name;
    void (SpecParser::*read)();
    std::string_view means;  // a second keyword with the same meaning is refused under this name
  };
  static const std::array<Keyword, 21> kKeywords;

  // As tc does it: a word may be cut anywhere, and where that leaves a choice the first in its order is meant.
  static bool abbreviates(std::string_view word, std::string_view whole) {
    return !word.empty() && whole.starts_with(word);
  }

  static const Keyword* keyword_of(std::string_view word);

  void keyword();
  // "delay 40 ms", as people write it elsewhere.
  bool is_lone_unit() const;
  // An error if a keyword that means the same came before.
  bool comes_once(std::string_view name, std::string_view means);
  // Checks that need more than one keyword.
  void check_whole();

  // --- values ---------------------------------------------------------------------------------------------------

  bool at_number() const { return error_.empty() && position_ < words_.size() && looks_like_number(words_[position_]); }

  bool accept(std::string_view word) {
    if (!error_.empty() || position_ >= words_.size() || words_[position_] != word) return false;
    ++position_;
    return true;
  }

  // A keyword that may also stand among the values of another keyword.
  bool accept_keyword(std::string_view name) {
    if (!error_.empty() || position_ >= words_.size()) return false;
    const Keyword* known = keyword_of(words_[position_]);
    if (known == nullptr || known->name != name) return false;
    ++position_;
    return true;
  }

  bool accept_abbreviated(std::string_view word) {
    if (!error_.empty() || position_ >= words_.size() || !abbreviates(words_[position_], word)) return false;
    ++position_;
    return true;
  }

  template <typename T>
  T value(std::optional<T> (*parse_value)(std::string_view), std::string_view what, std::string_view example) {
    if (!error_.empty()) return T{};
    if (position_ >= words_.size()) {
      fail("'{}' needs {}, such as '{}'", keyword_, what, example);
      return T{};
    }
    const std::string_view word = words_[position_++];
    const auto parsed = parse_value(word);
    if (parsed) return *parsed;
    fail("'{}': '{}' is not {}, such as '{}'", keyword_, word, what, example);
    return T{};
  }

  Duration time(std::string_view example) { return value(parse_time, "a time (up to 24 hours)", example); }
  double percent(std::string_view example) { return value(parse_percent, "a percentage from 0 to 100", example); }
  void percent_if_any(double& target, std::string_view example) {
    if (at_number()) target = percent(example);
  }
  std::uint32_t count(std::string_view example) { return value(parse_count, "a whole number", example); }

  Chance chance(std::string_view example) {
    Chance result;
    result.p = percent(example);
    percent_if_any(result.correlation, example);
    return result;
  }

  // --- keywords (spec_keywords.cpp) ----------------------------------------------------------------------------------

  void read_delay();
  void read_distribution();
  Distribution distribution(DelayTable& table);
  void read_loss();
  void read_gemodel();
  void read_states();
  void read_ecn();
  void read_duplicate();
  void read_corrupt();
  void read_reorder();
  void read_gap();
  void read_rate();
  void read_limit();
  void read_slot();
  void read_order();
  void read_mtu();
  void read_trace();
  void read_rebind();
  void read_outage();
  void read_queue();
  void read_codel();
  void read_red();
  void read_marks();
  void read_droplist();

  template <typename... Args>
  void fail(fmt::format_string<Args...> text, Args&&... args) {
    if (error_.empty()) error_ = fmt::format(text, std::forward<Args>(args)...);
  }

  std::vector<std::string_view> words_;
  std::size_t position_ = 0;
  std::string_view keyword_;
  std::vector<std::string_view> seen_;
  bool reorder_given_;
  bool distribution_given_ = false;
  std::string error_;
  LinkSpec spec_;
};

}  // namespace mxp::netem

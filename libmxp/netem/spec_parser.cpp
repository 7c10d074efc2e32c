// The grammar of netem/spec.h: one function for each keyword, each reading its values from the words that follow. The
// first error wins; it names the keyword, what stood there, and an example that works.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "netem/spec.h"
#include "netem/spec_units.h"

namespace mxp::netem {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<std::string_view> words;
  for (std::size_t start = text.find_first_not_of(kBlank); start != std::string_view::npos;
       start = text.find_first_not_of(kBlank, start)) {
    const std::size_t end = std::min(text.find_first_of(kBlank, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

// Whether a word can only be meant as a number. A mistyped number is then an error and not taken for the next keyword.
bool looks_like_number(std::string_view word) {
  return !word.empty() && ((word[0] >= '0' && word[0] <= '9') || word[0] == '.' || word[0] == '-' || word[0] == '+');
}

std::optional<Distribution> distribution_of(std::string_view name) {
  if (name == "uniform") return Distribution::uniform;
  if (name == "normal") return Distribution::normal;
  if (name == "pareto") return Distribution::pareto;
  if (name == "paretonormal") return Distribution::paretonormal;
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : words_(words_of(text)) {}

  std::expected<LinkSpec, std::string> parse() {
    while (error_.empty() && position_ < words_.size()) keyword();
    if (error_.empty()) check_whole();
    if (!error_.empty()) return std::unexpected(error_);
    return std::move(spec_);
  }

 private:
  struct Keyword {
    std::string_view name;
    void (Parser::*read)();
    std::string_view means;  // a second keyword with the same meaning is refused under this name
  };
  static const std::array<Keyword, 18> kKeywords;

  // As tc does it: a word may be cut anywhere, and where that leaves a choice the first in its order is meant.
  static bool abbreviates(std::string_view word, std::string_view whole) {
    return !word.empty() && whole.starts_with(word);
  }

  static const Keyword* keyword_of(std::string_view word) {
    const auto found =
        std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& k) { return abbreviates(word, k.name); });
    return found == kKeywords.end() ? nullptr : &*found;
  }

  void keyword() {
    const std::string_view word = words_[position_];
    if (const Keyword* known = keyword_of(word)) {
      ++position_;
      for (const std::string_view earlier : seen_) {
        if (earlier == known->means) return fail("'{}' is given twice: keep one of them", known->name);
      }
      seen_.push_back(known->means);
      keyword_ = known->name;
      (this->*known->read)();
      return;
    }
    if (word == "seed") return fail("'seed' is not part of the link: use the option --seed");
    std::string names;
    for (const Keyword& known : kKeywords) {
      if (known.name == known.means) names += (names.empty() ? "" : ", ") + std::string(known.name);
    }
    if (looks_like_number(word) && !keyword_.empty())
      return fail("'{}' is one value too many for '{}'", word, keyword_);
    fail("'{}' is unknown: expected one of {}", word, names);
  }

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
  std::uint32_t count(std::string_view example) { return value(parse_count, "a whole number", example); }

  Distribution distribution() {
    return value(distribution_of, "a distribution (uniform, normal, pareto or paretonormal)", "distribution normal");
  }

  Chance chance(std::string_view example) {
    Chance result;
    result.p = percent(example);
    if (at_number()) result.correlation = percent(example);
    return result;
  }

  // --- keywords -------------------------------------------------------------------------------------------------

  void read_delay() {
    spec_.delay.mean = time("delay 40ms");
    if (at_number()) {
      spec_.delay.jitter = time("delay 40ms 5ms");
      if (at_number()) spec_.delay.correlation = percent("delay 40ms 5ms 25%");
    }
    if (accept_keyword("distribution")) read_distribution();
  }

  // tc also takes it as a keyword of its own, after others.
  void read_distribution() {
    spec_.delay.distribution = distribution();
    distribution_given_ = true;
  }

  void read_loss() {
    if (accept("gemodel")) return read_gemodel();
    if (accept("state")) return read_states();
    accept("random");
    spec_.loss = chance("loss 1%");
  }

  void read_gemodel() {
    GilbertElliott model;
    model.p = percent("loss gemodel 1% 25%");
    model.r = 1 - model.p;
    if (at_number()) model.r = percent("loss gemodel 1% 25%");
    if (at_number()) model.loss_in_bad = percent("loss gemodel 1% 25% 90%");
    if (at_number()) model.loss_in_good = percent("loss gemodel 1% 25% 90% 0.1%");
    spec_.loss = model;
  }

  void read_states() {
    FourStateLoss model;
    model.p13 = percent("loss state 1% 25%");
    model.p31 = 1 - model.p13;
    if (at_number()) model.p31 = percent("loss state 1% 25%");
    if (at_number()) model.p32 = percent("loss state 1% 25% 10%");
    if (at_number()) model.p23 = percent("loss state 1% 25% 10% 50%");
    if (at_number()) model.p14 = percent("loss state 1% 25% 10% 50% 0.1%");
    constexpr double kRounding = 1e-9;
    if (model.p13 + model.p14 > 1 + kRounding)
      return fail("'loss state': P13 and P14 leave the same state, so together at most 100%");
    if (model.p31 + model.p32 > 1 + kRounding)
      return fail("'loss state': P31 and P32 leave the same state, so together at most 100%");
    spec_.loss = model;
  }

  void read_ecn() { spec_.ecn = true; }
  void read_duplicate() { spec_.duplicate = chance("duplicate 1%"); }
  void read_corrupt() { spec_.corrupt = chance("corrupt 0.1%"); }

  void read_reorder() {
    spec_.reorder.chance = chance("reorder 25% 50%");
    reorder_given_ = true;
    if (accept_keyword("gap")) {
      for (const std::string_view earlier : seen_) {
        if (earlier == "gap") return fail("'gap' is given twice: keep one of them");
      }
      seen_.push_back("gap");
      read_gap();
    }
  }

  void read_gap() { spec_.reorder.gap = count("reorder 25% gap 5"); }

  void read_rate() {
    spec_.rate = value(parse_rate, "a rate (8bit to 1tbit; kbit = 1000 bit/s, kbps = 1000 byte/s)", "rate 10mbit");
    if (at_number()) spec_.framing.overhead_bytes = value(parse_signed, "an overhead in bytes", "rate 10mbit 18");
    if (at_number()) spec_.framing.cell_bytes = count("rate 10mbit 0 48 5");
    if (at_number())
      spec_.framing.cell_overhead_bytes = value(parse_signed, "a cell overhead in bytes", "rate 10mbit 0 48 5");
    constexpr std::int32_t kLargestFraming = 65535;
    const auto& framing = spec_.framing;
    if (framing.overhead_bytes > kLargestFraming || framing.overhead_bytes < -kLargestFraming ||
        framing.cell_bytes > kLargestFraming || framing.cell_overhead_bytes > kLargestFraming ||
        framing.cell_overhead_bytes < -kLargestFraming) {
      fail("'rate': overheads and cells are at most {} bytes", kLargestFraming);
    }
  }

  void read_limit() {
    if (accept("auto")) {
      spec_.limit.automatic = true;
      return;
    }
    spec_.limit.packets = value(parse_count, "a number of packets or 'auto'", "limit 1000");
    if (error_.empty() && spec_.limit.packets == 0)
      fail("'limit 0' would drop everything: use 'limit auto' or a number above 0");
  }

  void read_slot() {
    if (accept("distribution")) {
      spec_.slot.drawn = true;
      spec_.slot.distribution = distribution();
      spec_.slot.delay = time("slot distribution normal 20ms 5ms");
      spec_.slot.jitter = time("slot distribution normal 20ms 5ms");
    } else {
      spec_.slot.min = time("slot 10ms 20ms");
      spec_.slot.max = spec_.slot.min;
      if (at_number()) spec_.slot.max = time("slot 10ms 20ms");
      if (error_.empty() && spec_.slot.max < spec_.slot.min)
        return fail("'slot': the second time must not be less than the first");
    }
    if (error_.empty() && !spec_.slot.enabled()) return fail("'slot' needs a time above 0, such as 'slot 10ms'");
    for (;;) {
      if (accept_abbreviated("packets")) {
        spec_.slot.packets = count("slot 10ms packets 8");
      } else if (accept_abbreviated("bytes")) {
        spec_.slot.bytes = value(parse_size, "a number of bytes", "slot 10ms bytes 16k");
      } else {
        return;
      }
    }
  }

  void read_order() {
    if (accept("keep")) {
      spec_.order = Order::keep;
    } else if (accept("time")) {
      spec_.order = Order::time;
    } else {
      fail("'order' is 'keep' (jitter alone does not reorder) or 'time' (it does)");
    }
  }

  void read_mtu() {
    spec_.mtu = count("mtu 1400");
    constexpr std::uint32_t kLeast = 68;  // RFC 791: every module must forward 68 octets
    if (error_.empty() && spec_.mtu < kLeast)
      fail("'mtu': at least {} bytes, the smallest IP packet that every link takes", kLeast);
  }

  void read_trace() {
    if (position_ >= words_.size()) return fail("'trace' needs a file with one millisecond number a line");
    spec_.trace.file = std::string(words_[position_++]);
  }

  void read_rebind() {
    spec_.rebind_every = time("rebind 30s");
    if (error_.empty() && spec_.rebind_every.count() == 0) fail("'rebind' needs a time above 0, such as 'rebind 30s'");
  }

  void read_outage() {
    spec_.outage.length = time("outage 2s every 30s");
    if (!error_.empty()) return;
    if (!accept("every")) return fail("'outage' needs its period, such as 'outage 2s every 30s'");
    spec_.outage.every = time("outage 2s every 30s");
    if (!error_.empty()) return;
    if (spec_.outage.length.count() == 0) return fail("'outage' needs a time above 0, such as 'outage 2s every 30s'");
    if (spec_.outage.every <= spec_.outage.length) fail("'outage': the period must be longer than the outage");
  }

  // Checks that need more than one keyword.
  void check_whole() {
    auto& reorder = spec_.reorder;
    if (reorder.gap > 0 && !reorder_given_) reorder.chance.p = 1;  // as the kernel: a gap alone reorders every gap-th
    if (reorder.chance.p > 0 && spec_.delay.mean.count() == 0) {
      return fail("'reorder' needs a delay to overtake, such as 'delay 10ms reorder 25%'");
    }
    if (distribution_given_ && spec_.delay.jitter.count() == 0) {
      return fail("'distribution' needs a jitter, such as 'delay 40ms 5ms distribution normal'");
    }
    if (spec_.ecn && std::holds_alternative<NoLoss>(spec_.loss)) {
      return fail("'ecn' marks instead of losing, so it needs a loss, such as 'loss 1% ecn'");
    }
    if (!spec_.trace.file.empty() && !spec_.rate.is_zero()) {
      return fail("'trace' and 'rate' both say when packets leave: keep one of them");
    }
  }

  template <typename... Args>
  void fail(fmt::format_string<Args...> text, Args&&... args) {
    if (error_.empty()) error_ = fmt::format(text, std::forward<Args>(args)...);
  }

  std::vector<std::string_view> words_;
  std::size_t position_ = 0;
  std::string_view keyword_;
  std::vector<std::string_view> seen_;
  bool reorder_given_ = false;
  bool distribution_given_ = false;
  std::string error_;
  LinkSpec spec_;
};

// Words that share their first letters stand in tc's order: "l" is limit, "d" delay, "r" reorder. Those past tc follow,
// so that they take no abbreviation from it.
const std::array<Parser::Keyword, 18> Parser::kKeywords = {{
    {"delay", &Parser::read_delay, "delay"},
    {"limit", &Parser::read_limit, "limit"},
    {"latency", &Parser::read_delay, "delay"},
    {"loss", &Parser::read_loss, "loss"},
    {"drop", &Parser::read_loss, "loss"},
    {"ecn", &Parser::read_ecn, "ecn"},
    {"reorder", &Parser::read_reorder, "reorder"},
    {"corrupt", &Parser::read_corrupt, "corrupt"},
    {"gap", &Parser::read_gap, "gap"},
    {"duplicate", &Parser::read_duplicate, "duplicate"},
    {"distribution", &Parser::read_distribution, "distribution"},
    {"rate", &Parser::read_rate, "rate"},
    {"slot", &Parser::read_slot, "slot"},
    {"order", &Parser::read_order, "order"},
    {"mtu", &Parser::read_mtu, "mtu"},
    {"trace", &Parser::read_trace, "trace"},
    {"rebind", &Parser::read_rebind, "rebind"},
    {"outage", &Parser::read_outage, "outage"},
}};

}  // namespace

std::expected<LinkSpec, std::string> parse_link_spec(std::string_view text) { return Parser(text).parse(); }

}  // namespace mxp::netem

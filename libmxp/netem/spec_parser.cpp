// The grammar of netem/spec.h as a whole: which words there are, which may be cut short, and what must agree.
#include "netem/spec_parser.h"

#include <algorithm>

namespace mxp::netem {

// Whether a word can only be meant as a number. A mistyped number is then an error and not taken for the next keyword.
bool looks_like_number(std::string_view word) {
  return !word.empty() && ((word[0] >= '0' && word[0] <= '9') || word[0] == '.' || word[0] == '-' || word[0] == '+');
}

std::expected<LinkSpec, std::string> SpecParser::parse() {
  while (error_.empty() && position_ < words_.size()) keyword();
  if (error_.empty()) check_whole();
  if (!error_.empty()) return std::unexpected(error_);
  return std::move(spec_);
}

const SpecParser::Keyword* SpecParser::keyword_of(std::string_view word) {
  const auto found =
      std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& k) { return abbreviates(word, k.name); });
  return found == kKeywords.end() ? nullptr : &*found;
}

void SpecParser::keyword() {
  const std::string_view word = words_[position_];
  if (const Keyword* known = keyword_of(word)) {
    ++position_;
    if (!comes_once(known->name, known->means)) return;
    keyword_ = known->name;
    (this->*known->read)();
    return;
  }
  if (is_lone_unit()) return fail("'{}' stands apart from its number: write '{}{}'", word, words_[position_ - 1], word);
  if (word == "seed") return fail("'seed' is not part of the link: use the option --seed");
  std::string names;
  for (const Keyword& known : kKeywords) {
    if (known.name == known.means) names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  if (looks_like_number(word) && !keyword_.empty()) return fail("'{}' is one value too many for '{}'", word, keyword_);
  fail("'{}' is unknown: expected one of {}", word, names);
}

bool SpecParser::is_lone_unit() const {
  if (position_ == 0 || !looks_like_number(words_[position_ - 1]) || looks_like_number(words_[position_])) return false;
  const std::string one = "1" + std::string(words_[position_]);
  return parse_time(one) || parse_rate(one) || parse_size(one) || one == "1%";
}

bool SpecParser::comes_once(std::string_view name, std::string_view means) {
  if (std::find(seen_.begin(), seen_.end(), means) != seen_.end()) {
    fail("'{}' is given twice: keep one of them", name);
    return false;
  }
  seen_.push_back(means);
  return true;
}

void SpecParser::check_whole() {
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
  if (spec_.queue.discipline != QueueDiscipline::droptail && spec_.rate.is_zero() && spec_.trace.file.empty()) {
    return fail("'queue {}' needs a rate or a trace: without one nothing waits", to_string(spec_.queue.discipline));
  }
  if (!spec_.trace.file.empty() && !spec_.rate.is_zero()) {
    return fail("'trace' and 'rate' both say when packets leave: keep one of them");
  }
}

// Words that share their first letters stand in tc's order: "l" is limit, "d" delay, "r" reorder. Those past tc follow,
// so that they take no abbreviation from it.
const std::array<SpecParser::Keyword, 21> SpecParser::kKeywords = {{
    {"delay", &SpecParser::read_delay, "delay"},
    {"limit", &SpecParser::read_limit, "limit"},
    {"latency", &SpecParser::read_delay, "delay"},
    {"loss", &SpecParser::read_loss, "loss"},
    {"drop", &SpecParser::read_loss, "loss"},
    {"ecn", &SpecParser::read_ecn, "ecn"},
    {"reorder", &SpecParser::read_reorder, "reorder"},
    {"corrupt", &SpecParser::read_corrupt, "corrupt"},
    {"gap", &SpecParser::read_gap, "gap"},
    {"duplicate", &SpecParser::read_duplicate, "duplicate"},
    {"distribution", &SpecParser::read_distribution, "distribution"},
    {"rate", &SpecParser::read_rate, "rate"},
    {"slot", &SpecParser::read_slot, "slot"},
    {"order", &SpecParser::read_order, "order"},
    {"mtu", &SpecParser::read_mtu, "mtu"},
    {"trace", &SpecParser::read_trace, "trace"},
    {"rebind", &SpecParser::read_rebind, "rebind"},
    {"outage", &SpecParser::read_outage, "outage"},
    {"queue", &SpecParser::read_queue, "queue"},
    {"marks", &SpecParser::read_marks, "marks"},
    {"droplist", &SpecParser::read_droplist, "droplist"},
}};

std::expected<LinkSpec, std::string> parse_link_spec(std::string_view text) { return SpecParser(text, {}).parse(); }

std::expected<LinkSpec, std::string> change_link_spec(const LinkSpec& base, std::string_view text) {
  return SpecParser(text, base).parse();
}

}  // namespace mxp::netem

// The text of a link: what each word means, and what is refused with which words.
#include "netem/spec.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "netem/drop_list.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

BOOST_AUTO_TEST_SUITE(netem_spec)

namespace {

LinkSpec spec(std::string_view text) {
  auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text << ": " << (parsed ? "" : parsed.error()));
  return *parsed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(empty_text_is_the_perfect_link) {
  BOOST_TEST((spec("") == LinkSpec{}));
  BOOST_TEST((spec(" \t ") == LinkSpec{}));
  BOOST_TEST(to_string(LinkSpec{}) == "");
}

BOOST_AUTO_TEST_CASE(delay_reads_jitter_correlation_and_distribution) {
  const auto delay = spec("delay 40ms 5ms 25% distribution normal").delay;
  BOOST_TEST((delay.mean == 40ms));
  BOOST_TEST((delay.jitter == 5ms));
  BOOST_TEST(delay.correlation == 0.25);
  BOOST_TEST((delay.distribution == Distribution::normal));
  BOOST_TEST((spec("latency 1s 2us distribution paretonormal").delay.distribution == Distribution::paretonormal));
  BOOST_TEST((spec("delay 3ms 1ms").delay.distribution == Distribution::uniform));
}

BOOST_AUTO_TEST_CASE(bare_times_are_microseconds_and_bare_rates_bits_as_in_tc) {
  BOOST_TEST((spec("delay 1500").delay.mean == 1500us));
  BOOST_TEST((spec("delay 1.5msec").delay.mean == 1500us));
  BOOST_TEST((spec("delay 7ns").delay.mean == 7ns));
  BOOST_TEST(spec("rate 8000").rate.bits_per_second() == 8000u);
  BOOST_TEST(spec("rate 10mbit").rate.bits_per_second() == 10'000'000u);
  BOOST_TEST(spec("rate 1.5Gbit").rate.bits_per_second() == 1'500'000'000u);
  BOOST_TEST(spec("rate 100kbps").rate.bytes_per_second() == 100'000u);
  BOOST_TEST(spec("rate 1mibit").rate.bits_per_second() == 1'048'576u);
}

BOOST_AUTO_TEST_CASE(loss_models_have_the_defaults_of_tc) {
  BOOST_TEST((std::get<RandomLoss>(spec("loss 1%").loss) == RandomLoss{.p = 0.01}));
  BOOST_TEST((std::get<RandomLoss>(spec("loss random 2 25%").loss) == RandomLoss{.p = 0.02, .correlation = 0.25}));
  BOOST_TEST((std::get<RandomLoss>(spec("drop 3%").loss).p == 0.03));
  const auto ge = std::get<GilbertElliott>(spec("loss gemodel 10%").loss);
  BOOST_TEST(ge.r == 0.9);
  BOOST_TEST(ge.loss_in_bad == 1.0);
  BOOST_TEST(ge.loss_in_good == 0.0);
  const auto full = std::get<GilbertElliott>(spec("loss gemodel 1% 25% 90% 0.5%").loss);
  BOOST_TEST((full == GilbertElliott{.p = 0.01, .r = 0.25, .loss_in_bad = 0.9, .loss_in_good = 0.005}));
  const auto four = std::get<FourStateLoss>(spec("loss state 20%").loss);
  BOOST_TEST((four == FourStateLoss{.p13 = 0.2, .p31 = 0.8, .p32 = 0, .p23 = 1, .p14 = 0}));
}

BOOST_AUTO_TEST_CASE(other_words_of_tc_are_read) {
  const auto all =
      spec("delay 10ms duplicate 1% 10% corrupt 0.1% reorder 25% 50% gap 5 rate 1mbit 18 48 5 limit 50 loss 1% ecn");
  BOOST_TEST((all.duplicate == Chance{.p = 0.01, .correlation = 0.1}));
  BOOST_TEST(all.corrupt.p == 0.001, boost::test_tools::tolerance(1e-9));
  BOOST_TEST((all.reorder.chance == Chance{.p = 0.25, .correlation = 0.5}));
  BOOST_TEST(all.reorder.gap == 5u);
  BOOST_TEST((all.framing == LinkSpec::Framing{.overhead_bytes = 18, .cell_bytes = 48, .cell_overhead_bytes = 5}));
  BOOST_TEST(all.limit.packets == 50u);
  BOOST_TEST(all.ecn);
  const auto slot = spec("slot 800us 1ms packets 42 bytes 2k").slot;
  BOOST_TEST((slot.min == 800us));
  BOOST_TEST((slot.max == 1ms));
  BOOST_TEST(slot.packets == 42u);
  BOOST_TEST(slot.bytes == 2048u);
  BOOST_TEST(spec("slot distribution pareto 5ms 1ms").slot.drawn);
  BOOST_TEST(spec("delay 10ms gap 4").reorder.chance.p == 1.0);
}

BOOST_AUTO_TEST_CASE(words_are_cut_short_as_in_tc) {
  struct Row {
    std::string_view shortened;
    std::string_view whole;
  };
  for (const Row& row : {
           Row{"del 10ms 5ms dist normal", "delay 10ms 5ms distribution normal"},
           Row{"lat 10ms 5ms 10% di pareto", "delay 10ms 5ms 10% distribution pareto"},
           Row{"delay 10ms 5ms dup 1% dist normal", "delay 10ms 5ms distribution normal duplicate 1%"},
           Row{"dup 1% 10%", "duplicate 1% 10%"},
           Row{"lo 1% 25%", "loss 1% 25%"},
           Row{"dr gemodel 1% 25%", "loss gemodel 1% 25%"},
           Row{"los state 1% 25%", "loss state 1% 25%"},
           Row{"loss 1% e", "loss 1% ecn"},
           Row{"corr 1%", "corrupt 1%"},
           Row{"delay 1ms reor 25% g 3", "delay 1ms reorder 25% gap 3"},
           Row{"delay 1ms ga 3", "delay 1ms gap 3"},
           Row{"ra 1mbit", "rate 1mbit"},
           Row{"sl 1ms 2ms p 3 b 4k", "slot 1ms 2ms packets 3 bytes 4k"},
           Row{"slot distribution normal 2ms 1ms pack 3", "slot distribution normal 2ms 1ms packets 3"},
           // Where several words begin so, the first in tc's order.
           Row{"l 5", "limit 5"},
           Row{"d 5ms", "delay 5ms"},
           Row{"d 5ms r 25%", "delay 5ms reorder 25%"},
           Row{"s 1ms", "slot 1ms"},
           Row{"reb 3s", "rebind 3s"},
           Row{"ord time", "order time"},
           Row{"out 1s every 3s", "outage 1s every 3s"},
       }) {
    BOOST_TEST((spec(row.shortened) == spec(row.whole)), row.shortened << " is " << to_string(spec(row.shortened)));
  }
}

BOOST_AUTO_TEST_CASE(words_past_tc_are_read) {
  BOOST_TEST((spec("order time").order == Order::time));
  BOOST_TEST((spec("delay 1ms 1ms").order == Order::keep));
  BOOST_TEST(spec("limit auto").limit.automatic);
  BOOST_TEST(spec("mtu 1400").mtu == 1400u);
  BOOST_TEST(spec("trace links/lte.up").trace.file == "links/lte.up");
  BOOST_TEST((spec("rebind 30s").rebind_every == 30s));
  const auto outage = spec("outage 2s every 30s").outage;
  BOOST_TEST((outage.length == 2s));
  BOOST_TEST((outage.every == 30s));
}

struct Malformed {
  std::string_view text;
  std::string_view says;  // part of the message
};

BOOST_AUTO_TEST_CASE(malformed_specs_are_refused_with_the_word_at_fault) {
  const std::vector<Malformed> table = {
      {"delay", "'delay' needs a time"},
      {"delay fast", "'fast' is not a time"},
      {"delay 10parsecs", "'10parsecs' is not a time"},
      {"delay -5ms", "'-5ms' is not a time"},
      {"delay inf", "'inf' is not a time"},
      {"delay nan", "'nan' is not a time"},
      {"delay 25h", "'25h' is not a time"},
      {"delay 90000s", "up to 24 hours"},
      {"delay 10 ms", "'ms' stands apart from its number: write '10ms'"},
      {"loss 1 %", "'%' stands apart from its number: write '1%'"},
      {"rate 10 mbit", "'mbit' stands apart from its number: write '10mbit'"},
      {"delay 10 seed", "use the option --seed"},
      {"delay 10ms 5ms 25% 3", "'3' is one value too many for 'delay'"},
      {"delay 10ms 5ms 125%", "'125%' is not a percentage"},
      {"delay 10ms 5ms distribution", "needs a distribution"},
      {"delay 10ms distribution normal", "'distribution' needs a jitter"},
      {"delay 10ms delay 20ms", "'delay' is given twice"},
      {"delay 10ms latency 20ms", "'latency' is given twice"},
      {"loss", "'loss' needs a percentage"},
      {"loss random", "'loss' needs a percentage"},
      {"loss 101%", "'101%' is not a percentage"},
      {"loss -1%", "'-1%' is not a percentage"},
      {"loss 1% 2% 3%", "'3%' is one value too many for 'loss'"},
      {"loss 1% drop 1%", "'drop' is given twice"},
      {"loss gemodel", "'loss' needs a percentage"},
      {"loss gemodel 1% x", "'x' is unknown"},
      {"loss gemodel 1% 2% 3% 4% 5%", "one value too many"},
      {"loss state", "'loss' needs a percentage"},
      {"loss state 60% 40% 0% 100% 50%", "P13 and P14"},
      {"loss state 10% 60% 50%", "P31 and P32"},
      {"ecn", "'ecn' marks instead of losing"},
      {"duplicate", "'duplicate' needs a percentage"},
      {"corrupt 1%%", "'1%%' is not a percentage"},
      {"reorder 25%", "'reorder' needs a delay"},
      {"delay 1ms reorder 25% gap", "needs a whole number"},
      {"delay 1ms reorder 25% gap 1.5", "'1.5' is not a whole number"},
      {"delay 1ms gap 3 reorder 25% gap 3", "'gap' is given twice"},
      {"gap 3", "'reorder' needs a delay"},
      {"rate", "'rate' needs a rate"},
      {"rate 0", "'0' is not a rate"},
      {"rate 7bit", "'7bit' is not a rate"},
      {"rate 10mb", "'10mb' is not a rate"},
      {"rate 10%", "'10%' is not a rate"},
      {"rate 2tbit", "'2tbit' is not a rate"},
      {"rate 1mbit 70000", "at most 65535"},
      {"rate 1mbit 18 48 5 9", "one value too many"},
      {"limit", "needs a number of packets or 'auto'"},
      {"limit 0", "would drop everything"},
      {"limit many", "'many' is not a number of packets"},
      {"limit 99999999999", "is not a number of packets"},
      {"slot", "'slot' needs a time"},
      {"slot 0ms", "above 0"},
      {"slot 20ms 10ms", "must not be less"},
      {"slot distribution normal 5ms", "'slot' needs a time"},
      {"slot 1ms packets", "needs a whole number"},
      {"slot 1ms bytes lots", "'lots' is not a number of bytes"},
      {"order", "'order' is 'keep'"},
      {"order random", "'order' is 'keep'"},
      {"mtu", "'mtu' needs a whole number"},
      {"mtu 20", "at least 68"},
      {"trace", "'trace' needs a file"},
      {"trace x rate 1mbit", "'trace' and 'rate'"},
      {"rebind", "'rebind' needs a time"},
      {"rebind 0s", "10ms or more"},
      {"rebind 1ns", "10ms or more"},
      {"rebind 9ms", "10ms or more"},
      {"outage 2s", "needs its period"},
      {"outage 2s every", "'outage' needs a time"},
      {"outage 0s every 2s", "above 0"},
      {"outage 3s every 2s", "longer than the outage"},
      {"seed 5", "--seed"},
      {"jitter 5ms", "'jitter' is unknown: expected one of delay"},
      {"5ms", "'5ms' is unknown"},
      {"DELAY 5ms", "'DELAY' is unknown"},
      {"dup 1% dupl 2%", "'duplicate' is given twice"},
      {"delay 5ms d 5ms", "'delay' is given twice"},
      {"dup", "'duplicate' needs a percentage"},
      {"delays 5ms", "'delays' is unknown"},
      {"loss g 1%", "'g' is not a percentage"},  // the loss models are whole words in tc, too
      {"slot dist normal 1ms 1ms", "'dist' is not a time"},
      {"queue", "'queue' is 'droptail'"},
      {"queue fair rate 1mbit", "'queue' is 'droptail'"},
      {"queue codel", "'queue codel' needs a rate or a trace"},
      {"rate 1mbit queue codel target soon", "'soon' is not a time"},
      {"rate 1mbit queue codel interval 0ms", "interval must be above 0"},
      {"rate 1mbit queue red min 9k max 3k", "min must be below max"},
      {"rate 1mbit queue red avpkt 0", "avpkt must be above 0"},
      {"rate 1mbit queue red probability 200%", "'200%' is not a percentage"},
      {"rate 1mbit queue red burst some", "'some' is not a whole number"},
      {"marks away", "'marks' is 'keep'"},
      {"droplist", "'droplist' needs a list of packets"},
      {"droplist 0", "'0' is not a list of packets"},
      {"droplist 3-1", "'3-1' is not a list of packets"},
      {"droplist 1,,2", "'1,,2' is not a list of packets"},
      {"droplist 1,x2", "'1,x2' is not a list of packets"},
      {"droplist h", "'h' is not a list of packets"},
  };
  for (const Malformed& row : table) {
    const auto parsed = parse_link_spec(row.text);
    BOOST_TEST(!parsed.has_value(), row.text << " was accepted");
    if (parsed) continue;
    BOOST_TEST(parsed.error().find(row.says) != std::string::npos, row.text << " says: " << parsed.error());
    BOOST_TEST(parsed.error().find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(drop_lists_have_a_bound) {
  std::string list = "droplist 1";
  for (std::size_t i = 1; i < kMostDropRanges; ++i) list += i % 2 == 0 ? ",1" : ",h1";
  BOOST_TEST(parse_link_spec(list).has_value());
  BOOST_TEST(!parse_link_spec(list + ",1").has_value());
}

// What has no effect has no text: a correlation of jitter that is none once made a text that was read as something
// else.
BOOST_AUTO_TEST_CASE(text_of_a_link_keeps_its_meaning_when_a_part_has_no_effect) {
  const struct {
    std::string_view text, canonical;
  } table[] = {
      {"delay 0ms 0s 22", ""},
      {"delay 10ms 0s 22", "delay 10ms"},
      {"delay 0ms 5ms 22", "delay 0s 5ms 22%"},
      {"duplicate 0% 25%", ""},
      {"corrupt 0% 25%", ""},
  };
  for (const auto& row : table) {
    const std::string canonical = to_string(spec(row.text));
    BOOST_TEST(canonical == row.canonical, row.text << " became " << canonical);
    BOOST_TEST(to_string(spec(canonical)) == canonical, canonical << " is not read back");
  }
}

BOOST_AUTO_TEST_CASE(text_of_a_link_reads_back_as_the_same_link) {
  for (const std::string_view text :
       {"delay 40ms 5ms 25% distribution normal", "loss gemodel 1% 25% 90% 0.5%", "loss state 1% 25% 10% 50% 0.1%",
        "delay 10ms duplicate 1% corrupt 0.1% reorder 25% 50% gap 5 limit auto", "rate 10mbit 18 48 5",
        "rate 9600bit order time mtu 1400", "slot 800us 1ms packets 42 bytes 2048", "slot distribution pareto 5ms 1ms",
        "trace lte.up rebind 30s outage 2s every 60s", "loss 1% ecn", "delay 10ms 2ms distribution my.dist",
        "slot distribution my.dist 5ms 1ms", "rate 1mbit queue codel",
        "rate 1mbit queue codel target 3ms interval 60ms ecn",
        "trace lte.up queue red min 3000 max 9000 probability 10% avpkt 500 burst 20 ecn harddrop",
        "marks strip droplist 1-3,7,h2"}) {
    const auto once = spec(text);
    BOOST_TEST((spec(to_string(once)) == once), text << " became " << to_string(once));
  }
}

BOOST_AUTO_TEST_CASE(a_change_keeps_what_it_does_not_name) {
  const struct {
    std::string_view base, change, result;
  } table[] = {
      {"delay 40ms 5ms loss 1% rate 10mbit", "delay 90ms", "delay 90ms loss 1% rate 10mbit"},
      {"delay 40ms reorder 25% gap 3", "delay 50ms", "delay 50ms reorder 25% gap 3"},
      {"rate 10mbit 18 48 5 limit auto", "rate 5mbit mtu 1280", "rate 5mbit limit auto mtu 1280"},
      {"rate 10mbit queue codel ecn", "queue droptail marks strip", "rate 10mbit marks strip"},
      {"delay 5ms", "", "delay 5ms"},
  };
  for (const auto& row : table) {
    const auto changed = change_link_spec(spec(row.base), row.change);
    BOOST_REQUIRE_MESSAGE(changed.has_value(), row.base << " + " << row.change);
    BOOST_TEST(to_string(*changed) == row.result);
  }
  BOOST_TEST(!change_link_spec(spec("rate 1mbit queue codel"), "trace x").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

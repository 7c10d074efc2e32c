#include "common/units.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string_view>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(sizes_know_both_kinds_of_prefix) {
  const struct {
    std::string_view text;
    std::uint64_t bytes;
  } cases[] = {{"0", 0},
               {"1500", 1500},
               {"64K", 65536},
               {"64k", 65536},
               {"64KB", 64'000},
               {"10M", 10 << 20},
               {"10MB", 10'000'000},
               {"1G", 1u << 30},
               {"1GB", 1'000'000'000},
               {"1.5K", 1536},
               {"2KiB", 2048},
               {"9007199254740993", 9007199254740993u}};
  for (const auto& one : cases) {
    const auto parsed = parse_size(one.text);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), one.text);
    BOOST_TEST(*parsed == one.bytes, one.text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_size_is_refused_with_an_example) {
  for (const std::string_view text :
       {"", "K", "-1", "1x", "1 K", "1e3", "0x10", "inf", "nan", "9999999999G", "1KK", "1.2.3"}) {
    const auto parsed = parse_size(text);
    BOOST_REQUIRE_MESSAGE(!parsed.has_value(), text);
    BOOST_TEST(parsed.error().find("64K") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(rates_are_decimal_bits) {
  BOOST_TEST(parse_bits_per_second("100mbit").value() == 100'000'000u);
  BOOST_TEST(parse_bits_per_second("1gbit").value() == 1'000'000'000u);
  BOOST_TEST(parse_bits_per_second("2.5Gbit/s").value() == 2'500'000'000u);
  BOOST_TEST(parse_bits_per_second("64k").value() == 64'000u);
  BOOST_TEST(parse_bits_per_second("9600").value() == 9600u);
  for (const std::string_view text : {"", "fast", "1MB", "-1mbit", "1mbitt"})
    BOOST_TEST(!parse_bits_per_second(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_bare_time_is_seconds) {
  BOOST_TEST((parse_time("10").value() == 10s));
  BOOST_TEST((parse_time("0.25").value() == 250ms));
  BOOST_TEST((parse_time("500ms").value() == 500ms));
  BOOST_TEST((parse_time("7us").value() == 7us));
  BOOST_TEST((parse_time("2m").value() == 2min));
  BOOST_TEST((parse_time("1h").value() == 1h));
  BOOST_TEST((parse_time("0").value() == 0s));
  for (const std::string_view text : {"", "soon", "-1s", "1d", "1e9h", "99999999999h", "s"})
    BOOST_TEST(!parse_time(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(what_is_printed_is_short) {
  BOOST_TEST(format_bytes(0) == "0 B");
  BOOST_TEST(format_bytes(1023) == "1023 B");
  BOOST_TEST(format_bytes(16u << 20) == "16.0 MiB");
  BOOST_TEST(format_bytes((1u << 20) - 1) == "1.0 MiB");
  BOOST_TEST(format_bytes(UINT64_MAX) == "16.0 EiB");
  BOOST_TEST(format_bit_rate(0) == "0 bit/s");
  BOOST_TEST(format_bit_rate(94.26e6) == "94.3 Mbit/s");
  BOOST_TEST(format_bit_rate(999.9e6) == "1 Gbit/s");
  BOOST_TEST(format_duration(40100us) == "40.1 ms");
  BOOST_TEST(format_duration(1230ms) == "1.23 s");
  BOOST_TEST(format_duration(12us) == "12 us");
  BOOST_TEST(format_duration(90s) == "1m30s");
  BOOST_TEST(format_duration(2h + 5min) == "2h05m");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools

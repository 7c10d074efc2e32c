// HdrHistogram's bins, its encoding, its log and its percentiles.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "mxp-perf/histograms/hdr_histogram.h"
#include "mxp-perf/histograms/hdr_payload.h"
#include "mxp-perf/histograms/hgrm_text.h"
#include "mxp-perf/histograms/hlog_file.h"
#include "mxp-perf/histograms/merge.h"

using namespace mxp::perf;

namespace {

// Values over nine powers of ten, as latencies are.
HdrHistogram random_histogram(unsigned seed, int values, int figures = 3) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(11, 1.5);
  HdrHistogram histogram(figures);
  for (int i = 0; i != values; ++i) histogram.record(static_cast<std::uint64_t>(latency(random)));
  return histogram;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_histograms)

BOOST_AUTO_TEST_CASE(each_value_lies_in_its_bin_and_the_bin_is_narrow) {
  std::mt19937_64 random(1);
  for (const int figures : {1, 2, 3, 4, 5}) {
    const double width = std::pow(10.0, -figures);
    for (int i = 0; i != 300; ++i) {
      const std::uint64_t value = random() >> (22 + random() % 42);
      HdrHistogram histogram(figures);
      histogram.record(value);
      BOOST_TEST(histogram.min() <= value);
      BOOST_TEST(histogram.max() >= value);
      BOOST_TEST(static_cast<double>(histogram.max() - histogram.min()) <= width * static_cast<double>(value));
    }
  }
}

BOOST_AUTO_TEST_CASE(bins_follow_each_other_without_gaps) {
  const HdrHistogram histogram(HdrHistogram::Shape{.figures = 2, .lowest = 5, .highest = 100'000});
  BOOST_TEST(histogram.first_value(0) == 0u);
  for (std::size_t bin = 0; bin + 1 < histogram.most_bins(); ++bin) {
    BOOST_TEST(histogram.last_value(bin) + 1 == histogram.first_value(bin + 1));
    HdrHistogram one(histogram.shape());
    one.record(std::min<std::uint64_t>(histogram.first_value(bin), 100'000));
    if (histogram.first_value(bin) <= 100'000) BOOST_TEST(one.min() == histogram.first_value(bin));
  }
  BOOST_TEST(histogram.first_value(histogram.most_bins()) > 100'000u);
}

// The figures of HdrHistogram's own tests: 3 figures up to an hour in microseconds.
BOOST_AUTO_TEST_CASE(the_layout_is_that_of_the_published_one) {
  const HdrHistogram histogram(HdrHistogram::Shape{.figures = 3, .lowest = 1, .highest = 3'600'000'000});
  BOOST_TEST(histogram.buckets() == 22u);
  BOOST_TEST(histogram.sub_buckets() == 2048u);
  BOOST_TEST(histogram.most_bins() == 23'552u);
  const HdrHistogram coarse(HdrHistogram::Shape{.figures = 3, .lowest = 1024, .highest = 3'600'000'000});
  BOOST_TEST(coarse.buckets() == 12u);
}

BOOST_AUTO_TEST_CASE(percentiles_are_those_of_the_sorted_values) {
  HdrHistogram histogram(3);
  for (std::uint64_t value = 1; value <= 1000; ++value) histogram.record(value);
  BOOST_TEST(histogram.value_at(0) == 1u);
  BOOST_TEST(histogram.value_at(0.5) == 500u);
  BOOST_TEST(histogram.value_at(0.07) == 70u);
  BOOST_TEST(histogram.value_at(0.999) == 999u);
  BOOST_TEST(histogram.value_at(0.9991) == 1000u);
  BOOST_TEST(histogram.value_at(1) == 1000u);
  BOOST_TEST(histogram.mean() == 500.5, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(histogram.standard_deviation() == std::sqrt((1e6 - 1) / 12), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(an_encoded_histogram_comes_back_the_same) {
  for (const int figures : {1, 2, 3, 5})
    for (const int values : {0, 1, 2, 1000, 5000}) {
      const HdrHistogram histogram = random_histogram(7, values, figures);
      const std::string text = encode_histogram(histogram);
      BOOST_TEST(text.starts_with("HISTFAAA"));
      const auto back = decode_histogram(text);
      BOOST_REQUIRE_MESSAGE(back.has_value(), back.error());
      BOOST_TEST((*back == histogram));
      BOOST_TEST(encode_histogram(*back) == text);
    }
  HdrHistogram large;
  large.record(12345, INT64_MAX);
  BOOST_TEST((decode_histogram(encode_histogram(large)).value() == large));
}

BOOST_AUTO_TEST_CASE(damage_is_refused_wherever_it_is) {
  const HdrHistogram histogram = random_histogram(3, 2000);
  const std::string text = encode_histogram(histogram);
  for (std::size_t cut = 0; cut < text.size(); cut += 5) BOOST_TEST(!decode_histogram(text.substr(0, cut)).has_value());
  std::mt19937 random(5);
  int unseen = 0;
  for (int i = 0; i != 800; ++i) {
    std::string other = text;
    other[random() % other.size()] ^= static_cast<char>(1 << random() % 7);
    if (const auto read = decode_histogram(other); read) unseen += !(*read == histogram);
  }
  BOOST_TEST(unseen <= 3);  // the format's checksum, Adler-32, misses what exchanges values
  BOOST_TEST(decode_histogram(text, 64).error() != "");
}

BOOST_AUTO_TEST_CASE(ten_parts_add_up_to_the_whole_bit_for_bit) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> latency(11, 2);
  TaggedHistogram whole{.tag = "rr.latency", .length_seconds = 10, .histogram = HdrHistogram()};
  std::vector<HistogramLog> parts(10, {.start = WallTime(std::chrono::seconds(1'800'000'000)), .histograms = {whole}});
  for (int i = 0; i != 20'000; ++i) {
    const auto value = static_cast<std::uint64_t>(latency(random));
    whole.histogram.record(value);
    parts[random() % 10].histograms[0].histogram.record(value);
  }
  // Through their files, as they travel.
  for (HistogramLog& part : parts) part = parse_hlog(to_hlog(part)).value();
  const HistogramLog one{.start = parts[0].start, .histograms = {whole}};
  BOOST_TEST(to_hlog(merge_logs(parts).value()) == to_hlog(one));
}

BOOST_AUTO_TEST_CASE(logs_of_different_times_span_all) {
  HistogramLog early{.start = WallTime(std::chrono::seconds(1000)), .histograms = {}}, late = early;
  late.start += std::chrono::seconds(5);
  early.histograms.push_back({.tag = "a", .length_seconds = 2, .histogram = random_histogram(1, 10)});
  late.histograms.push_back(
      {.tag = "a", .begin_seconds = 1, .length_seconds = 3, .histogram = random_histogram(2, 10)});
  const HistogramLog logs[] = {late, early};
  const auto merged = merge_logs(logs).value();
  BOOST_TEST((merged.start == early.start));
  BOOST_TEST(merged.histograms[0].begin_seconds == 0);
  BOOST_TEST(merged.histograms[0].length_seconds == 9);
  BOOST_TEST(merged.histograms[0].histogram.count() == 20u);
}

BOOST_AUTO_TEST_CASE(what_does_not_add_up_is_refused) {
  HistogramLog three{.start = {}, .histograms = {{.tag = "a", .histogram = random_histogram(1, 9, 3)}}};
  HistogramLog two{.start = {}, .histograms = {{.tag = "a", .histogram = random_histogram(1, 9, 2)}}};
  const HistogramLog logs[] = {three, two};
  BOOST_TEST(merge_logs(logs).error() == "a: one has values of 3 figures, the other of 2: their bins do not add up");
  two.histograms[0].tag = "b";
  const HistogramLog others[] = {three, two};
  BOOST_TEST(merge_logs(others).value().histograms.size() == 2u);
  HdrHistogram many, one;
  many.record(1, INT64_MAX);
  one.record(1);
  BOOST_TEST(many.add(one).error() == "together they have too many counts");
  BOOST_TEST(many.count() == std::uint64_t{INT64_MAX});
}

BOOST_AUTO_TEST_CASE(a_log_says_which_line_is_wrong) {
  const std::string good = to_hlog({.start = {}, .histograms = {{.tag = "a", .histogram = random_histogram(1, 9)}}});
  BOOST_TEST(parse_hlog("").error() == "there is no histogram in it");
  BOOST_TEST(parse_hlog(good + "1,2,3\n").error().starts_with("line 6: "));
  BOOST_TEST(parse_hlog(good + "Tag=,1,2,3,HIST\n").error() == "line 6: its tag is empty");
  BOOST_TEST(parse_hlog(good + "nan,2,3,HISTFAAA\n").error().starts_with("line 6: a line has the form"));
  BOOST_TEST(parse_hlog(good + "1,2,3,HISTFAAA\n").error().starts_with("line 6: its histogram: "));
  BOOST_TEST(parse_hlog(good + "\r\n# a word\n").has_value());
}

// Half a line of text may stand for megabytes of bins: what is held is bounded, however many lines there are.
BOOST_AUTO_TEST_CASE(a_log_takes_no_more_memory_than_its_bound) {
  HdrHistogram wide(5);
  wide.record(HdrHistogram::kHighest);
  const std::size_t bins = decode_histogram(encode_histogram(wide)).value().counts().size();
  const std::string row = "0,1,1," + encode_histogram(wide) + "\n";
  BOOST_TEST(row.size() < 120u);
  BOOST_TEST(bins > 1'000'000u);
  const LogLimits limits{.bins = 2 * bins, .tags = 1000};
  const std::string same = row + row + row + row + row;
  BOOST_TEST(parse_hlog(same, limits).value().histograms.size() == 1u);
  BOOST_TEST(parse_hlog(same, limits).value().histograms[0].histogram.count() == 5u);
  BOOST_TEST(parse_hlog("Tag=a," + row + "Tag=b," + row + "Tag=c," + row, limits).error() ==
             "line 3: with it the histograms of this log are too large");
  const std::string small = "0,1,1," + encode_histogram(random_histogram(1, 9)) + "\n";
  BOOST_TEST(parse_hlog("Tag=a," + small + "Tag=b," + small, {.bins = bins, .tags = 1}).error() ==
             "line 2: it is the histogram of one tag more than 1");
}

BOOST_AUTO_TEST_CASE(rows_of_one_tag_add_up_as_they_are_read) {
  const std::string row = encode_histogram(random_histogram(1, 9)) + "\n";
  const auto log = parse_hlog("Tag=a,1005,2,1," + row + "Tag=b,1001,1,1," + row + "Tag=a,1008,4,1," + row).value();
  BOOST_TEST(log.histograms.size() == 2u);
  BOOST_TEST((log.start == WallTime(std::chrono::seconds(1001))));
  BOOST_TEST(log.histograms[0].begin_seconds == 4);
  BOOST_TEST(log.histograms[0].length_seconds == 7);
  BOOST_TEST(log.histograms[0].histogram.count() == 18u);
  BOOST_TEST(parse_hlog("0,1,1," + row + "0,1,1," + encode_histogram(random_histogram(1, 9, 2)) + "\n").error() ==
             "line 2: one has values of 3 figures, the other of 2: their bins do not add up");
}

BOOST_AUTO_TEST_CASE(times_that_no_clock_says_are_refused) {
  const std::string row = encode_histogram(random_histogram(1, 9)) + "\n";
  const std::string last = "4600000000,1,1," + row;
  BOOST_TEST(merge_logs(std::vector{parse_hlog(last).value(), parse_hlog("0,1,1," + row).value()})
                 .value()
                 .histograms[0]
                 .length_seconds == 4'600'000'001.0);
  for (const char* const time : {"4600000001", "1e11", "1e300", "-1"}) {
    const std::string start = fmt::format("#[StartTime: {} (seconds since epoch)]\n", time);
    BOOST_TEST(parse_hlog(fmt::format("{},1,1,{}", time, row)).error().starts_with("line 1: a line has the form"));
    BOOST_TEST(parse_hlog(fmt::format("1,{},1,{}", time, row)).error().starts_with("line 1: a line has the form"));
    BOOST_TEST(parse_hlog(fmt::format("#[BaseTime: {} (seconds since epoch)]\n1,1,1,{}", time, row)).error() ==
               "its start is no time that a clock can say");
    BOOST_TEST(parse_hlog(start + last).error() == "its start is no time that a clock can say");
  }
}

// A log with absolute times, as other programs write them.
BOOST_AUTO_TEST_CASE(times_without_a_start_are_absolute) {
  const std::string text = "1800000000.5,2.0,1.0," + encode_histogram(random_histogram(1, 9)) + "\n";
  const auto log = parse_hlog(text).value();
  BOOST_TEST(log.histograms[0].begin_seconds == 0, boost::test_tools::tolerance(1e-6));
  BOOST_TEST((log.start == WallTime(std::chrono::milliseconds(1'800'000'000'500))));
}

BOOST_AUTO_TEST_CASE(the_curve_rises_to_the_greatest_value) {
  const HdrHistogram histogram = random_histogram(9, 10'000);
  const auto curve = percentile_curve(histogram);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    BOOST_TEST(curve[i].quantile > curve[i - 1].quantile);
    BOOST_TEST(curve[i].value >= curve[i - 1].value);
  }
  for (const PercentilePoint& point : curve) {  // but for the rounding of the share itself
    BOOST_TEST(point.value >= histogram.value_at(point.quantile * (1 - 1e-9)));
    BOOST_TEST(point.value <= histogram.value_at(point.quantile * (1 + 1e-9)));
  }
  BOOST_TEST(curve.back().quantile == 1);
  BOOST_TEST(curve.back().value == histogram.max());
  BOOST_TEST(curve.back().count_to == 10'000u);
  BOOST_TEST(percentile_curve(HdrHistogram()).empty());
  // Five points for each halving: 0, 0.1 … 0.5, 0.55 … 0.75, 0.775 …
  BOOST_TEST(curve[5].quantile == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(curve[10].quantile == 0.75, boost::test_tools::tolerance(1e-12));
}

// 0.8 of ten values are eight: the ninth one is not needed, however the shares before it were rounded.
BOOST_AUTO_TEST_CASE(a_share_that_is_reached_exactly_is_reached) {
  HdrHistogram histogram;
  for (std::uint64_t value = 1; value <= 40; ++value) histogram.record(value);
  for (const PercentilePoint& point : percentile_curve(histogram))
    if (point.quantile <= 0.9) BOOST_TEST(point.value == std::max(1.0, std::ceil(40 * point.quantile - 1e-9)));
}

// Counts so far apart that their share is 1 for a double: the points end all the same.
BOOST_AUTO_TEST_CASE(the_curve_ends_where_a_double_knows_no_next_share) {
  HdrHistogram histogram;
  histogram.record(10, std::uint64_t{1} << 62);
  histogram.record(1000);
  const auto curve = percentile_curve(histogram);
  BOOST_TEST(curve.size() < 5u * 46 + 2);
  BOOST_TEST(curve.size() > 5u * 44);
  for (std::size_t i = 0; i + 1 < curve.size(); ++i) BOOST_TEST(curve[i].value == 10u);
  BOOST_TEST(curve.back().value == 1000u);
  BOOST_TEST(to_hgrm(histogram).ends_with("]\n"));
}

BOOST_AUTO_TEST_SUITE_END()

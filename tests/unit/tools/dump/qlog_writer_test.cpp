#include "mxp-dump/qlog/qlog_writer.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/units.h"
#include "support/temporary_folder.h"

namespace mxp::dump::test {
namespace {

PacketRecord message_1_of(std::uint64_t connection) {
  PacketRecord record;
  record.connection = connection;
  record.type = PacketType::initial;
  record.client_id = ConnectionId({1, 2, 3, 4, 5, 6, 7, static_cast<std::uint8_t>(connection)});
  record.length = 1200;
  return record;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qlog_writer)

BOOST_AUTO_TEST_CASE(past_the_most_files_connections_are_left_out_and_counted) {
  const mxp::test::TemporaryFolder folder;
  auto files = QlogFiles::open(folder.path.string(), tools::IfExists::refuse, {});
  BOOST_REQUIRE(files.has_value());
  QlogWriter writer(std::move(*files), QlogFlavour::ietf, {.files = 3});
  for (int turn = 0; turn < 2; ++turn)
    for (std::uint64_t connection = 1; connection <= 5; ++connection)
      BOOST_REQUIRE(writer.add(message_1_of(connection)).has_value());
  BOOST_REQUIRE(writer.finish().has_value());
  BOOST_TEST(writer.left_out() == 4u);
  BOOST_TEST(writer.limit_reached() == "there were 3 files");
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 3);
}

// A packet whose frames make a long text, then packets of many connections: whole records up to the bound, and nothing
// behind the first that went beyond it.
BOOST_AUTO_TEST_CASE(past_the_most_bytes_nothing_is_written) {
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{2000}, std::uint64_t{40'000}}) {
    const mxp::test::TemporaryFolder folder;
    auto files = QlogFiles::open(folder.path.string(), tools::IfExists::refuse, {});
    BOOST_REQUIRE(files.has_value());
    QlogWriter writer(std::move(*files), QlogFlavour::ietf, {.bytes = most});
    std::uint64_t added = 0;
    for (std::uint64_t connection = 1; connection <= 200; ++connection, ++added)
      BOOST_REQUIRE(writer.add(message_1_of(connection)).has_value());
    PacketRecord pings = message_1_of(1);
    pings.type = PacketType::one_rtt;
    pings.protection = Protection::opened;
    pings.number = PacketNumber(1);
    pings.frames.assign(10'000, PingFrame{});
    BOOST_REQUIRE(writer.add(pings).has_value());
    BOOST_REQUIRE(writer.finish().has_value());
    std::uint64_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder.path)) {
      bytes += file.file_size();
      std::ifstream in(file.path());
      const std::string text(std::istreambuf_iterator<char>(in), {});
      BOOST_TEST((text.empty() || text.ends_with("}\n")));
    }
    BOOST_TEST(bytes <= most);
    BOOST_TEST(bytes >= most - std::min<std::uint64_t>(most, 2000));
    BOOST_TEST(writer.left_out() > 0u);
    BOOST_TEST(writer.left_out() < added + 2);
    BOOST_TEST(writer.limit_reached().starts_with("the files reached "));
  }
}

// The sentences of the end, for one packet and for several, at each of the bounds.
BOOST_AUTO_TEST_CASE(what_a_bound_left_out_is_said_with_the_bound) {
  const auto warnings = [](const QlogWriter::Limits& limits, std::uint64_t connections) {
    const mxp::test::TemporaryFolder folder;
    auto files = QlogFiles::open(folder.path.string(), tools::IfExists::refuse, {});
    BOOST_REQUIRE(files.has_value());
    QlogWriter writer(std::move(*files), QlogFlavour::ietf, limits);
    for (std::uint64_t connection = 1; connection <= connections; ++connection)
      BOOST_REQUIRE(writer.add(message_1_of(connection)).has_value());
    BOOST_REQUIRE(writer.finish().has_value());
    return writer.warnings();
  };
  using Texts = std::vector<std::string>;
  BOOST_TEST(warnings({}, 4) == Texts());
  BOOST_TEST(warnings({.files = 3}, 3) == Texts());
  BOOST_TEST(warnings({.files = 3}, 4) == Texts{"1 packet is in no qlog: there were 3 files"});
  BOOST_TEST(warnings({.files = 3}, 9) == Texts{"6 packets are in no qlog: there were 3 files"});
  BOOST_TEST(warnings({.bytes = 0}, 1) == Texts{"1 packet is in no qlog: the files reached 0 B together"});
  BOOST_TEST(warnings({.bytes = 0}, 2) == Texts{"2 packets are in no qlog: the files reached 0 B together"});
}

// A packet of which nothing passed by that says it was lost: its loss is told at the end of the trace, or, where no
// byte is left for it, missing, and then that is said.
BOOST_AUTO_TEST_CASE(the_end_of_a_trace_for_which_no_byte_was_left_is_said_to_be_missing) {
  struct Run {
    std::uint64_t bytes = 0;
    std::vector<std::string> warnings;
  };
  const auto run = [](const QlogWriter::Limits& limits) {
    const mxp::test::TemporaryFolder folder;
    auto files = QlogFiles::open(folder.path.string(), tools::IfExists::refuse, {});
    BOOST_REQUIRE(files.has_value());
    QlogWriter writer(std::move(*files), QlogFlavour::ietf, limits);
    PacketRecord lost = message_1_of(1);
    BOOST_REQUIRE(writer.add(lost).has_value());
    lost.type = PacketType::one_rtt;
    lost.protection = Protection::opened;
    lost.number = PacketNumber(0);
    lost.lost = true;
    lost.frames.emplace_back(PingFrame{});
    BOOST_REQUIRE(writer.add(lost).has_value());
    BOOST_REQUIRE(writer.finish().has_value());
    Run done{.warnings = writer.warnings()};
    for (const auto& file : std::filesystem::directory_iterator(folder.path)) done.bytes += file.file_size();
    return done;
  };
  using Texts = std::vector<std::string>;
  const Run whole = run({});
  BOOST_TEST(whole.warnings == Texts());
  BOOST_TEST(run({.bytes = whole.bytes}).warnings == Texts());
  const Run short_of_one = run({.bytes = whole.bytes - 1});
  BOOST_TEST(short_of_one.bytes < whole.bytes - 1);
  BOOST_TEST(short_of_one.warnings ==
             Texts{fmt::format("what ends the last traces is in no qlog: the files reached {} together",
                               tools::format_bytes(whole.bytes - 1))});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test

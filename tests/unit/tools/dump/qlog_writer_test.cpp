#include "mxp-dump/qlog/qlog_writer.h"

#include <boost/test/unit_test.hpp>

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
  QlogWriter writer(std::move(*files), QlogFlavour::ietf, 3);
  for (int turn = 0; turn < 2; ++turn)
    for (std::uint64_t connection = 1; connection <= 5; ++connection)
      BOOST_REQUIRE(writer.add(message_1_of(connection)).has_value());
  BOOST_REQUIRE(writer.finish().has_value());
  BOOST_TEST(writer.left_out() == 4u);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test

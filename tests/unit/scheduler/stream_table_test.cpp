#include "scheduler/stream_table.h"

#include <boost/test/unit_test.hpp>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

BOOST_AUTO_TEST_SUITE(stream_table)

BOOST_AUTO_TEST_CASE(an_empty_table_holds_no_memory_and_finds_nothing) {
  StreamTable table(kHashKey);
  BOOST_TEST(table.find(StreamId(0)) == nullptr);
  BOOST_TEST(table.size() == 0u);
}

BOOST_AUTO_TEST_CASE(objects_stay_where_they_are_while_the_table_grows) {
  StreamTable table(kHashKey);
  Stream* first = &table.insert(StreamId(0));
  for (std::uint64_t i = 1; i < 1000; ++i) table.insert(StreamId(4 * i));
  BOOST_TEST(table.find(StreamId(0)) == first);
  BOOST_TEST(table.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(an_erased_stream_is_not_found_through_the_cache) {
  StreamTable table(kHashKey);
  table.insert(StreamId(8));
  BOOST_TEST(table.find(StreamId(8)) != nullptr);
  table.erase(StreamId(8));
  BOOST_TEST(table.find(StreamId(8)) == nullptr);
  BOOST_TEST(table.insert(StreamId(12)).id.value() == 12u);  // the same object under another name
  BOOST_TEST(table.find(StreamId(8)) == nullptr);
}

BOOST_AUTO_TEST_CASE(used_objects_come_back_clean) {
  StreamTable table(kHashKey);
  Stream& stream = table.insert(StreamId(0));
  stream.send.start(true, 100);
  stream.send.write(bytes_of("hello"), {.held = 100});
  stream.receive.start(true, 100, 100);
  BOOST_TEST(stream.receive.on_data(5, 5, true).has_value());
  BOOST_TEST(stream.receive.reassembler().insert(5, bytes_of("world"), 8));
  stream.receive.paused = true;
  table.erase(StreamId(0));
  Stream& again = table.insert(StreamId(4));
  BOOST_TEST(&again == &stream);
  BOOST_TEST(again.done());
  BOOST_TEST(again.send.buffer().size() == 0u);
  BOOST_TEST(again.receive.highest() == 0u);
  BOOST_TEST(!again.receive.final_size().has_value());
  BOOST_TEST(again.receive.reassembler().empty());
  BOOST_TEST(!again.receive.paused);
}

BOOST_AUTO_TEST_CASE(the_stock_is_bounded) {
  StreamTable table(kHashKey);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Stream& stream = table.insert(StreamId(i));
    stream.send.start(true, 1'000'000);
    stream.send.write(pattern_bytes(0, 4000), {.held = 1'000'000});
  }
  for (std::uint64_t i = 0; i < 1000; ++i) table.erase(StreamId(i));
  BOOST_TEST(table.size() == 0u);
  BOOST_TEST(table.stock_memory() <= 64u * 4096);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test

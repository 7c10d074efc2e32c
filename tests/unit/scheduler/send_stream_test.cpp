#include "scheduler/send_stream.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

struct SendStreamFixture {
  SendStream stream;
  static constexpr SendStream::Limit kLimit{.held = 1000};
  SendStreamFixture() { stream.start(true, 10'000); }

  std::size_t write(std::size_t length) { return stream.write(pattern_bytes(stream.buffer().end(), length), kLimit); }
  // Sends all new data in chunks of `size`.
  void send(std::size_t size) {
    while (stream.has_new_data()) stream.on_sent(stream.new_chunk(size));
  }
  void resend() {
    const auto chunk = stream.urgent_chunk(1000);
    std::vector<std::uint8_t> out(chunk.length);
    stream.copy_out(chunk, out);
    BOOST_TEST(out == pattern_bytes(chunk.offset, chunk.length), boost::test_tools::per_element());
    stream.on_sent(chunk);
  }
};

BOOST_FIXTURE_TEST_SUITE(send_stream, SendStreamFixture)

BOOST_AUTO_TEST_CASE(the_buffer_takes_up_to_its_limit) {
  BOOST_TEST(write(600) == 600u);
  BOOST_TEST(write(600) == 400u);
  BOOST_TEST(write(1) == 0u);
  BOOST_TEST(stream.writable(kLimit) == 0u);
}

BOOST_AUTO_TEST_CASE(a_short_write_goes_on_when_an_eighth_is_free) {
  write(1001);
  send(100);
  stream.on_acknowledged(0, 100, false);
  BOOST_TEST(!stream.take_writable(kLimit));
  stream.on_acknowledged(100, 25, false);
  BOOST_TEST(stream.take_writable(kLimit));
  BOOST_TEST(!stream.take_writable(kLimit));
}

BOOST_AUTO_TEST_CASE(an_empty_write_after_a_short_one_changes_nothing) {
  write(1001);
  write(0);
  send(1000);
  stream.on_acknowledged(0, 1000, false);
  BOOST_TEST(stream.take_writable(kLimit));
}

BOOST_AUTO_TEST_CASE(what_was_sent_takes_no_room_from_what_waits) {
  constexpr SendStream::Limit limit{.held = 1000, .unsent = 160};
  BOOST_TEST(stream.write(pattern_bytes(0, 200), limit) == 160u);
  BOOST_TEST(stream.writable(limit) == 0u);
  stream.on_sent(stream.new_chunk(100));
  BOOST_TEST(stream.writable(limit) == 100u);
  BOOST_TEST(stream.write(pattern_bytes(160, 200), limit) == 100u);
  send(100);
  BOOST_TEST(stream.write(pattern_bytes(260, 1000), {.held = 400, .unsent = 160}) == 140u);
}

BOOST_AUTO_TEST_CASE(a_short_write_goes_on_when_an_eighth_of_what_may_wait_has_gone) {
  // However much is under way: an eighth of the larger limit would be more than ever comes free.
  constexpr SendStream::Limit limit{.held = 1000, .unsent = 80};
  for (int i = 0; i < 5; ++i) {
    stream.write(pattern_bytes(stream.buffer().end(), 1000), limit);
    send(100);
  }
  stream.write(pattern_bytes(stream.buffer().end(), 1000), limit);
  BOOST_TEST(stream.buffer().size() == 480u);
  stream.on_sent(stream.new_chunk(9));
  BOOST_TEST(!stream.take_writable(limit));
  stream.on_sent(stream.new_chunk(1));
  BOOST_TEST(stream.take_writable(limit));
}

BOOST_AUTO_TEST_CASE(a_full_write_is_not_followed_by_a_call) {
  write(1000);
  send(100);
  stream.on_acknowledged(0, 1000, false);
  BOOST_TEST(!stream.take_writable(kLimit));
}

BOOST_AUTO_TEST_CASE(acknowledgements_free_from_the_front_and_count_each_byte_once) {
  write(900);
  send(100);
  BOOST_TEST(stream.on_acknowledged(200, 100, false) == 100u);
  BOOST_TEST(stream.buffer().begin() == 0u);
  BOOST_TEST(stream.on_acknowledged(100, 200, false) == 100u);
  BOOST_TEST(stream.on_acknowledged(0, 150, false) == 100u);
  BOOST_TEST(stream.buffer().begin() == 300u);
  BOOST_TEST(stream.on_acknowledged(0, 300, false) == 0u);
}

BOOST_AUTO_TEST_CASE(lost_data_are_cut_anew_and_without_what_arrived) {
  write(900);
  send(100);
  stream.on_acknowledged(300, 100, false);
  stream.on_lost(200, 300, false);
  const auto chunk = stream.urgent_chunk(60);
  BOOST_TEST(chunk.offset == 200u);
  BOOST_TEST(chunk.length == 60u);
  BOOST_TEST(stream.urgent_chunk(1000).length == 100u);
  resend();
  BOOST_TEST(stream.urgent_chunk(1000).offset == 400u);
  BOOST_TEST(stream.urgent_chunk(1000).length == 100u);
  resend();
  BOOST_TEST(!stream.has_urgent());
}

BOOST_AUTO_TEST_CASE(an_end_that_was_acknowledged_is_not_lost_any_more) {
  write(10);
  stream.finish();
  send(100);
  stream.on_lost(0, 10, true);
  resend();
  stream.on_lost(0, 10, false);
  stream.on_acknowledged(10, 0, true);
  stream.on_lost(0, 10, true);  // the first copy's loss, told late
  BOOST_TEST(!stream.urgent_chunk(1000).fin);
  resend();
  stream.on_acknowledged(0, 10, false);
  BOOST_TEST(stream.done());
}

BOOST_AUTO_TEST_CASE(a_late_acknowledgement_cancels_a_retransmission) {
  write(900);
  send(900);
  stream.on_lost(0, 900, false);
  stream.on_acknowledged(0, 500, false);
  BOOST_TEST(stream.urgent_chunk(1000).offset == 500u);
  stream.on_acknowledged(500, 400, false);
  BOOST_TEST(!stream.has_urgent());
}

BOOST_AUTO_TEST_CASE(the_end_travels_with_the_last_byte) {
  write(250);
  stream.finish();
  BOOST_TEST(!stream.new_chunk(249).fin);
  BOOST_TEST(stream.new_chunk(250).fin);
  send(100);
  BOOST_TEST(!stream.has_urgent());
  stream.on_lost(200, 50, true);
  BOOST_TEST(stream.urgent_chunk(1000).fin);
  BOOST_TEST(!stream.urgent_chunk(49).fin);
  resend();
  stream.on_acknowledged(0, 250, false);
  BOOST_TEST(!stream.done());
  stream.on_acknowledged(250, 0, true);
  BOOST_TEST(stream.done());
}

BOOST_AUTO_TEST_CASE(an_end_after_everything_was_sent_travels_alone) {
  write(10);
  send(100);
  stream.finish();
  BOOST_TEST(stream.has_urgent());
  const auto chunk = stream.urgent_chunk(0);
  BOOST_TEST(chunk.offset == 10u);
  BOOST_TEST(chunk.length == 0u);
  BOOST_TEST(chunk.fin);
}

BOOST_AUTO_TEST_CASE(an_end_acknowledged_before_the_data_waits_for_them) {
  write(10);
  send(100);
  stream.finish();
  resend();
  stream.on_acknowledged(10, 0, true);
  BOOST_TEST(!stream.done());
  stream.on_acknowledged(0, 10, false);
  BOOST_TEST(stream.done());
}

BOOST_AUTO_TEST_CASE(a_reset_keeps_the_final_size_and_forgets_the_data) {
  write(900);
  stream.on_sent(stream.new_chunk(300));
  stream.on_lost(0, 300, false);
  stream.reset(7);
  BOOST_TEST(stream.sent_end() == 300u);
  BOOST_TEST(stream.buffer().size() == 0u);
  BOOST_TEST(!stream.has_urgent());
  BOOST_TEST(!stream.has_new_data());
  BOOST_TEST(stream.on_acknowledged(0, 300, false) == 0u);
  stream.on_lost(0, 300, false);
  BOOST_TEST(!stream.has_urgent());
  stream.on_reset_acknowledged();
  BOOST_TEST(stream.done());
}

BOOST_AUTO_TEST_CASE(an_empty_first_write_announces_the_stream_until_the_peer_must_know_it) {
  BOOST_TEST(!stream.has_urgent());
  BOOST_TEST(write(0) == 0u);
  BOOST_TEST(stream.has_urgent());
  const auto announcement = stream.urgent_chunk(1000);
  BOOST_TEST(announcement.length == 0u);
  BOOST_TEST(!announcement.fin);
  stream.on_sent(announcement);
  BOOST_TEST(!stream.has_urgent());
  stream.on_lost(0, 0, false);
  BOOST_TEST(stream.has_urgent());
  stream.on_sent(stream.urgent_chunk(1000));
  // Data that were sent since announce it as well.
  write(10);
  send(100);
  stream.on_lost(0, 0, false);
  BOOST_TEST(!stream.has_urgent());
  write(0);
  BOOST_TEST(!stream.has_urgent());
}

BOOST_AUTO_TEST_CASE(an_end_takes_the_place_of_an_announcement) {
  write(0);
  stream.finish();
  const auto chunk = stream.urgent_chunk(1000);
  BOOST_TEST(chunk.fin);
  stream.on_sent(chunk);
  BOOST_TEST(!stream.has_urgent());
}

BOOST_AUTO_TEST_CASE(recycling_gives_large_memory_back) {
  stream.write(pattern_bytes(0, 100'000), {.held = 1 << 20});
  BOOST_TEST(stream.memory() >= 100'000u);
  stream.recycle();
  BOOST_TEST(stream.memory() <= 4096u);
  stream.start(true, 100);
  BOOST_TEST(stream.write(pattern_bytes(0, 10), {.held = 100}) == 10u);
  BOOST_TEST(stream.new_chunk(100).offset == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test

// The ids that we give the peer, and those that it gives us.
#include <boost/test/unit_test.hpp>

#include "connection/local_ids.h"
#include "connection/peer_ids.h"

using namespace mxp;

namespace connection_ids_test {
namespace {

ConnectionId id(std::uint8_t n) { return ConnectionId({n, 1, 2, 3, 4, 5, 6, 7}); }

template <typename Result>
bool failed_as(const Result& result, TransportErrorCode code) {
  return !result && result.error().code == code;
}
constexpr auto kViolation = TransportErrorCode::protocol_violation;
constexpr auto kLimitError = TransportErrorCode::connection_id_limit_error;

// The sequences to announce, taken as sent.
std::vector<std::uint64_t> announce(LocalIds& ids) {
  std::vector<std::uint64_t> sequences;
  while (const auto frame = ids.announcement_due()) {
    ids.on_announcement_sent(frame->sequence);
    sequences.push_back(frame->sequence);
  }
  return sequences;
}
std::vector<std::uint64_t> send_retirements(PeerIds& ids) {
  std::vector<std::uint64_t> sequences;
  while (const auto frame = ids.retirement_due()) {
    ids.on_retirement_sent(frame->sequence);
    sequences.push_back(frame->sequence);
  }
  return sequences;
}

using Sequences = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_ids)

BOOST_AUTO_TEST_CASE(peer_that_announces_nothing_gets_no_ids) {
  LocalIds ids(id(0));
  BOOST_TEST(ids.room() == 0u);
  BOOST_TEST(!ids.announcement_due());
}

BOOST_AUTO_TEST_CASE(peer_gets_as_many_ids_as_it_remembers_and_no_more_than_our_bound) {
  LocalIds ids(id(0));
  ids.set_peer_limit(2);
  BOOST_TEST(ids.room() == 1u);
  ids.set_peer_limit(kMaxVarint);
  BOOST_TEST(ids.room() == LocalIds::kMost - 1);
  while (ids.room() > 0) ids.issue(id(static_cast<std::uint8_t>(ids.entries().size())));
  BOOST_TEST(ids.announcement_due()->sequence == 1u);
  BOOST_TEST((ids.announcement_due()->id == id(1)));
  BOOST_TEST(ids.announcement_due()->retire_prior_to == 0u);
  BOOST_TEST(announce(ids) == (Sequences{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lost_announcement_is_repeated_unless_it_is_known_or_void) {
  LocalIds ids(id(0));
  ids.set_peer_limit(4);
  for (std::uint8_t n = 1; n <= 3; ++n) ids.issue(id(n));
  announce(ids);
  ids.on_announcement_acknowledged(1);
  ids.on_announcement_lost(1);  // an earlier copy of it
  ids.on_announcement_lost(2);
  BOOST_TEST(ids.on_frame(RetireConnectionIdFrame{3}, id(0)).has_value());
  ids.on_announcement_lost(3);
  ids.on_announcement_acknowledged(3);
  BOOST_TEST(announce(ids) == (Sequences{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(retired_id_makes_room_for_the_next_sequence) {
  LocalIds ids(id(0));
  ids.set_peer_limit(2);
  ids.issue(id(1));
  announce(ids);
  const auto retired = ids.on_frame(RetireConnectionIdFrame{0}, id(1));
  BOOST_REQUIRE(retired.has_value());
  BOOST_TEST((*retired == id(0)));
  BOOST_TEST((!*ids.on_frame(RetireConnectionIdFrame{0}, id(1))));  // once more: nothing new
  BOOST_REQUIRE(ids.room() == 1u);
  ids.issue(id(2));
  BOOST_TEST(announce(ids) == (Sequences{2}), boost::test_tools::per_element());
  BOOST_TEST(ids.entries().size() == 2u);
  BOOST_TEST((ids.entries()[0].id == id(1)));
}

BOOST_AUTO_TEST_CASE(peer_retires_only_what_was_sent_to_it) {
  LocalIds ids(id(0));
  ids.set_peer_limit(4);
  BOOST_TEST(failed_as(ids.on_frame(RetireConnectionIdFrame{1}, id(0)), kViolation));
  ids.issue(id(1));  // made, and not sent yet
  BOOST_TEST(failed_as(ids.on_frame(RetireConnectionIdFrame{1}, id(0)), kViolation));
  announce(ids);
  BOOST_TEST(failed_as(ids.on_frame(RetireConnectionIdFrame{1}, id(1)), kViolation));  // the one it came under
  BOOST_TEST(ids.on_frame(RetireConnectionIdFrame{1}, id(0)).has_value());
  BOOST_TEST(failed_as(ids.on_frame(RetireConnectionIdFrame{kMaxVarint}, id(0)), kViolation));
}

BOOST_AUTO_TEST_CASE(new_path_takes_an_id_that_was_never_used) {
  PeerIds ids(id(0));
  BOOST_TEST(!ids.take());
  BOOST_TEST(ids.on_frame({2, 0, id(2)}).has_value());
  BOOST_TEST(ids.on_frame({1, 0, id(1)}).has_value());
  const auto first = ids.take();
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(first->sequence == 1u);
  BOOST_TEST((first->id == id(1)));
  BOOST_TEST(ids.take()->sequence == 2u);
  BOOST_TEST(!ids.take());
  ids.retire(1);
  BOOST_TEST(!ids.is_held(1));
  BOOST_TEST(ids.is_held(2));
  BOOST_TEST(!ids.take());  // what was used does not come back
  BOOST_TEST(send_retirements(ids) == (Sequences{1}), boost::test_tools::per_element());
  ids.retire(1);  // nothing more
  BOOST_TEST(ids.retirements() == 1u);
}

BOOST_AUTO_TEST_CASE(repeated_frame_changes_nothing_and_a_changed_one_is_refused) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({1, 0, id(1)}).has_value());
  BOOST_TEST(ids.on_frame({1, 0, id(1)}).has_value());
  BOOST_TEST(ids.entries().size() == 2u);
  BOOST_TEST(failed_as(ids.on_frame({1, 0, id(2)}), kViolation));
  BOOST_TEST(failed_as(ids.on_frame({2, 0, id(1)}), kViolation));
  BOOST_TEST(failed_as(ids.on_frame({2, 0, id(0)}), kViolation));  // the handshake's as well
  ids.retire(1);
  BOOST_TEST(ids.on_frame({1, 0, id(1)}).has_value());  // a late copy does not bring it back
  BOOST_TEST(!ids.is_held(1));
  BOOST_TEST(ids.retirements() == 1u);
}

BOOST_AUTO_TEST_CASE(more_ids_than_announced_are_refused) {
  PeerIds ids(id(0));
  for (std::uint8_t n = 1; n < PeerIds::kLimit; ++n) BOOST_TEST(ids.on_frame({n, 0, id(n)}).has_value());
  BOOST_TEST(failed_as(ids.on_frame({PeerIds::kLimit, 0, id(9)}), kLimitError));
  // With room made by the frame itself it is fine.
  PeerIds others(id(0));
  for (std::uint8_t n = 1; n < PeerIds::kLimit; ++n) BOOST_TEST(others.on_frame({n, 0, id(n)}).has_value());
  BOOST_TEST(others.on_frame({PeerIds::kLimit, 1, id(9)}).has_value());
  BOOST_TEST(!others.is_held(0));
}

BOOST_AUTO_TEST_CASE(peer_has_all_below_a_sequence_retired) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({1, 0, id(1)}).has_value());
  BOOST_TEST(ids.on_frame({3, 2, id(3)}).has_value());
  BOOST_TEST(ids.entries().size() == 1u);
  BOOST_TEST(ids.take()->sequence == 3u);
  BOOST_TEST(ids.retirements() == 2u);
  BOOST_TEST(ids.on_frame({2, 0, id(2)}).has_value());  // late, and a smaller mark than before
  BOOST_TEST(ids.is_held(2));
  BOOST_TEST(ids.on_frame({4, 4, id(4)}).has_value());
  BOOST_TEST(ids.entries().size() == 1u);
}

BOOST_AUTO_TEST_CASE(id_that_comes_after_it_was_retired_is_retired_at_once) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({5, 5, id(5)}).has_value());
  send_retirements(ids);
  BOOST_TEST(ids.on_frame({3, 0, id(3)}).has_value());
  BOOST_TEST(!ids.is_held(3));
  BOOST_TEST(send_retirements(ids) == (Sequences{3}), boost::test_tools::per_element());
  BOOST_TEST(ids.on_frame({3, 0, id(3)}).has_value());  // and once only
  BOOST_TEST(send_retirements(ids).empty());
}

BOOST_AUTO_TEST_CASE(sequence_too_old_to_be_known_is_retired) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({100, 0, id(1)}).has_value());
  BOOST_TEST(ids.on_frame({37, 0, id(2)}).has_value());  // 63 below the highest: known not to have been seen
  BOOST_TEST(ids.is_held(37));
  BOOST_TEST(ids.on_frame({36, 0, id(3)}).has_value());
  BOOST_TEST(!ids.is_held(36));
  BOOST_TEST(ids.on_frame({36, 0, id(3)}).has_value());  // not a second time while the first is under way
  BOOST_TEST(send_retirements(ids) == (Sequences{36}), boost::test_tools::per_element());
  BOOST_TEST(ids.is_held(0));  // old, and held: no harm done
  BOOST_TEST(ids.on_frame({0, 0, id(0)}).has_value());
  BOOST_TEST(ids.retirements() == 1u);
}

BOOST_AUTO_TEST_CASE(lost_retirement_is_repeated_until_it_is_acknowledged) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({2, 2, id(2)}).has_value());
  BOOST_TEST(send_retirements(ids) == (Sequences{0}), boost::test_tools::per_element());
  BOOST_TEST(send_retirements(ids).empty());
  ids.on_retirement_lost(0);
  BOOST_TEST(send_retirements(ids) == (Sequences{0}), boost::test_tools::per_element());
  ids.on_retirement_acknowledged(0);
  ids.on_retirement_lost(0);  // an earlier copy
  BOOST_TEST(ids.retirements() == 0u);
}

BOOST_AUTO_TEST_CASE(t05_peer_that_holds_back_its_acks_is_closed_on_at_33_retirements) {
  PeerIds ids(id(0));
  for (std::uint64_t n = 1; n <= 32; ++n) {
    BOOST_TEST(ids.on_frame({n, n, id(static_cast<std::uint8_t>(n))}).has_value());
    send_retirements(ids);
  }
  BOOST_TEST(ids.retirements() == 32u);
  BOOST_TEST(failed_as(ids.on_frame({33, 33, id(33)}), kLimitError));
  // The same peer with ACKs may go on for ever.
  PeerIds honest(id(0));
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    const ConnectionId next({static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)});
    BOOST_TEST(honest.on_frame({n, n, next}).has_value());
    for (const std::uint64_t sequence : send_retirements(honest)) honest.on_retirement_acknowledged(sequence);
  }
}

BOOST_AUTO_TEST_CASE(t05_late_ids_below_the_mark_count_as_well) {
  PeerIds ids(id(0));
  BOOST_TEST(ids.on_frame({1000, 1000, id(255)}).has_value());
  std::uint64_t accepted = 0;
  while (accepted < 100 && ids.on_frame({accepted, 0, id(static_cast<std::uint8_t>(accepted))})) ++accepted;
  BOOST_TEST(accepted <= 33u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace connection_ids_test

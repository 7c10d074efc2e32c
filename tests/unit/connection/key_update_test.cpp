#include "connection/key_update.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace {

constexpr Timestamp kStart{1h};
constexpr Duration kProbeTimeout = 40ms;
constexpr Duration kMaxAckDelay = 25ms;

struct Fixture {
  KeyUpdate update{{.packets = 100, .interval = 10s}, kMaxAckDelay, kStart};
  bool due_after(Duration span, std::uint64_t sealed) const { return update.due(kStart + span, sealed, kProbeTimeout); }
};

bool is_key_update_error(const std::expected<void, TransportError>& result) {
  return !result && result.error().code == TransportErrorCode::key_update_error;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_update, Fixture)

BOOST_AUTO_TEST_CASE(no_update_before_something_was_acknowledged) {
  BOOST_TEST(!due_after(1h, 1'000'000));
  BOOST_TEST(update.on_ack(kStart + 1s, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(due_after(1h, 1'000'000));
}

BOOST_AUTO_TEST_CASE(an_update_is_due_by_packets_or_by_time_three_probe_timeouts_after_confirmation) {
  BOOST_TEST(update.on_ack(kStart + 1s, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(!due_after(1s + 3 * kProbeTimeout, 99));
  BOOST_TEST(!due_after(1s + 3 * kProbeTimeout - 1us, 100));
  BOOST_TEST(due_after(1s + 3 * kProbeTimeout, 100));
  BOOST_TEST(!due_after(10s - 1us, 0));
  BOOST_TEST(due_after(10s, 0));
}

BOOST_AUTO_TEST_CASE(a_phase_is_confirmed_by_its_own_packets_only) {
  BOOST_TEST(update.on_ack(kStart, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  update.on_sending_turned(kStart + 1s, PacketNumber(200));
  // Acknowledgements of the phase before go on coming, under whichever keys.
  BOOST_TEST(update.on_ack(kStart + 2s, PacketNumber(199), KeyUpdate::Under::older_phase).has_value());
  BOOST_TEST(!due_after(1h, 1'000'000));
  BOOST_TEST(update.on_ack(kStart + 3s, PacketNumber(200), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(!due_after(3s + 3 * kProbeTimeout - 1us, 100));
  BOOST_TEST(due_after(3s + 3 * kProbeTimeout, 100));
  // The first acknowledgement counts.
  BOOST_TEST(update.on_ack(kStart + 4s, PacketNumber(300), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(due_after(3s + 3 * kProbeTimeout, 100));
}

BOOST_AUTO_TEST_CASE(acknowledging_the_new_phase_under_the_old_keys_is_an_error) {
  update.on_sending_turned(kStart + 1s, PacketNumber(200));
  BOOST_TEST(is_key_update_error(update.on_ack(kStart + 2s, PacketNumber(200), KeyUpdate::Under::older_phase)));
  BOOST_TEST(!due_after(1h, 1'000'000));
}

BOOST_AUTO_TEST_CASE(a_peer_begins_only_when_it_can_have_been_acknowledged) {
  BOOST_TEST(is_key_update_error(update.on_peer_began(kStart + 1s, PacketNumber(0))));
  BOOST_TEST(update.on_peer_began(kStart + 1s, PacketNumber(1)).has_value());
  update.on_sending_turned(kStart + 1s, PacketNumber(1));
  BOOST_TEST(is_key_update_error(update.on_peer_began(kStart + 1h, PacketNumber(1))));
  BOOST_TEST(update.on_peer_began(kStart + 1h, PacketNumber(2)).has_value());
}

// Threat t26.
BOOST_AUTO_TEST_CASE(a_peer_that_keeps_beginning_too_soon_is_an_error) {
  const Duration interval = 2 * (kMaxAckDelay + 1ms);
  unsigned allowed = 0;
  while (allowed < 1000 && update.on_peer_began(kStart, PacketNumber(9)).has_value()) ++allowed;
  BOOST_TEST(allowed == 8u);
  BOOST_TEST(is_key_update_error(update.on_peer_began(kStart + interval - 1us, PacketNumber(9))));
  BOOST_TEST(update.on_peer_began(kStart + interval, PacketNumber(9)).has_value());
  BOOST_TEST(is_key_update_error(update.on_peer_began(kStart + interval, PacketNumber(9))));
  // However long it keeps still, no more is saved up.
  allowed = 0;
  while (allowed < 1000 && update.on_peer_began(kStart + 1h, PacketNumber(9)).has_value()) ++allowed;
  BOOST_TEST(allowed == 8u);
}

// Our clock stops while the machine sleeps, the peer's does not.
BOOST_AUTO_TEST_CASE(a_clock_that_stopped_for_a_while_makes_no_offender) {
  const Duration honest = 3 * (kMaxAckDelay + 1ms);
  Timestamp now = kStart;
  for (int i = 0; i < 1000; ++i) {
    if (i % 10 != 0) now += honest;  // one wait in ten is not seen
    BOOST_TEST(update.on_peer_began(now, PacketNumber(9)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(never_by_time_is_a_valid_wish) {
  KeyUpdate patient({.packets = 100, .interval = Duration::max()}, kMaxAckDelay, kStart);
  BOOST_TEST(patient.on_ack(kStart, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(!patient.due(kStart + 24h * 365, 99, kProbeTimeout));
  BOOST_TEST(patient.due(kStart + 1s, 100, kProbeTimeout));
}

BOOST_AUTO_TEST_CASE(a_worn_key_asks_for_a_ping_to_confirm_and_then_to_begin) {
  const auto needed = [&](Duration after, std::uint64_t sealed, std::uint64_t bytes_in_flight) {
    return update.needs_ping(kStart + after, sealed, kProbeTimeout, bytes_in_flight);
  };
  BOOST_TEST(!needed(1s, 9'999, 0));
  BOOST_TEST(needed(1s, 10'000, 0));
  BOOST_TEST(!needed(1s, 10'000, 30));  // it is on its way
  BOOST_TEST(update.on_ack(kStart + 2s, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(!needed(2s, 10'000, 0));
  BOOST_TEST(needed(2s + 3 * kProbeTimeout, 10'000, 0));
}

// However large the setting is, the AEAD's limit is never near.
BOOST_AUTO_TEST_CASE(a_key_is_changed_after_a_million_packets_whatever_the_settings_say) {
  KeyUpdate careless({.packets = std::uint64_t{1} << 60, .interval = Duration::max()}, kMaxAckDelay, kStart);
  BOOST_TEST(!careless.needs_ping(kStart, (1 << 20) - 1, kProbeTimeout, 0));
  BOOST_TEST(careless.needs_ping(kStart, 1 << 20, kProbeTimeout, 0));
  BOOST_TEST(careless.on_ack(kStart, PacketNumber(0), KeyUpdate::Under::our_phase).has_value());
  BOOST_TEST(!careless.due(kStart + 1s, (1 << 20) - 1, kProbeTimeout));
  BOOST_TEST(careless.due(kStart + 1s, 1 << 20, kProbeTimeout));
}

BOOST_AUTO_TEST_CASE(old_keys_are_held_for_three_probe_timeouts) {
  BOOST_TEST((update.old_keys_until() == kNever));
  update.on_receiving_turned(kStart, kProbeTimeout);
  BOOST_TEST((update.old_keys_until() == kStart + 3 * kProbeTimeout));
  update.on_old_keys_gone();
  BOOST_TEST((update.old_keys_until() == kNever));
}

BOOST_AUTO_TEST_SUITE_END()

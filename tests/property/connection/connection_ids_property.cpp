// The state machine of connection ids: a hostile peer (threat t06), and two honest ones over a network that loses,
// repeats and reorders.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "connection/local_ids.h"
#include "connection/peer_ids.h"

using namespace mxp;

namespace connection_ids_property {
namespace {

ConnectionId id(std::uint64_t n) {
  ConnectionId::Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return ConnectionId(bytes);
}

bool one_of_the_two_errors(const TransportError& error) {
  return error.code == TransportErrorCode::protocol_violation ||
         error.code == TransportErrorCode::connection_id_limit_error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_ids_property)

BOOST_AUTO_TEST_CASE(t06_hostile_peer_gets_no_further_than_the_bounds) {
  BOOST_TEST(rc::check("bounds", [] {
    PeerIds ids(id(0));
    std::set<std::uint64_t> retired;
    std::set<std::uint64_t> taken{0};
    const std::uint64_t span = *rc::gen::element<std::uint64_t>(8, 100, 100000);
    for (int step = 0; step < 300; ++step) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          if (const auto entry = ids.take()) RC_ASSERT(taken.insert(entry->sequence).second);
          break;
        case 1:
          if (!ids.entries().empty()) ids.retire(ids.entries().front().sequence);
          break;
        case 2:
          if (const auto frame = ids.retirement_due()) {
            ids.on_retirement_sent(frame->sequence);
            retired.insert(frame->sequence);
          }
          break;
        case 3:
          if (!retired.empty()) ids.on_retirement_acknowledged(*retired.begin());
          break;
        case 4:
          if (!retired.empty()) ids.on_retirement_lost(*retired.rbegin());
          break;
        default: {
          const std::uint64_t sequence = *rc::gen::inRange<std::uint64_t>(0, span);
          const std::uint64_t retire_prior_to =
              *rc::gen::inRange<std::uint64_t>(0, 5) == 0 ? *rc::gen::inRange<std::uint64_t>(0, sequence + 1) : 0;
          // Mostly the id that belongs to the sequence.
          const std::uint64_t name = *rc::gen::inRange(0, 30) == 0 ? *rc::gen::inRange<std::uint64_t>(0, 8) : sequence;
          const auto result = ids.on_frame({sequence, retire_prior_to, id(name)});
          if (!result) {
            RC_ASSERT(one_of_the_two_errors(result.error()));
            return;
          }
          RC_ASSERT(ids.retirements() <= PeerIds::kMaxRetirements);
          for (const auto& entry : ids.entries()) RC_ASSERT(entry.sequence >= retire_prior_to);
        }
      }
      RC_ASSERT(ids.entries().size() <= PeerIds::kLimit);
      RC_ASSERT(ids.retirements() <= PeerIds::kMaxRetirements + PeerIds::kLimit);
      std::set<ConnectionId> distinct;
      for (const auto& entry : ids.entries()) {
        RC_ASSERT(distinct.insert(entry.id).second);
        RC_ASSERT(!retired.contains(entry.sequence));  // what was retired does not come back
      }
    }
  }));
}

BOOST_AUTO_TEST_CASE(hostile_retirements_never_take_what_was_not_sent) {
  BOOST_TEST(rc::check("retire", [] {
    LocalIds ids(id(0));
    ids.set_peer_limit(*rc::gen::inRange<std::uint64_t>(1, 10));
    std::uint64_t next = 1;
    std::set<std::uint64_t> sent{0};
    std::set<std::uint64_t> gone;
    for (int step = 0; step < 200; ++step) {
      if (*rc::gen::arbitrary<bool>() && ids.room() > 0) ids.issue(id(next++));
      if (const auto frame = ids.announcement_due(); frame && *rc::gen::arbitrary<bool>()) {
        ids.on_announcement_sent(frame->sequence);
        sent.insert(frame->sequence);
      }
      const std::uint64_t sequence = *rc::gen::inRange<std::uint64_t>(0, next + 2);
      const std::uint64_t carried_by = *rc::gen::inRange<std::uint64_t>(0, next);
      const auto result = ids.on_frame(RetireConnectionIdFrame{sequence}, id(carried_by));
      const bool known = sent.contains(sequence);
      if (!result) {
        RC_ASSERT(!known || (sequence == carried_by && !gone.contains(sequence)));
        return;
      }
      RC_ASSERT(known);
      RC_ASSERT(result->has_value() == gone.insert(sequence).second);
      if (*result) RC_ASSERT(**result == id(sequence));
      RC_ASSERT(ids.entries().size() <= LocalIds::kMost);
    }
  }));
}

BOOST_AUTO_TEST_CASE(honest_peers_agree_over_a_bad_network) {
  BOOST_TEST(rc::check("agreement", [](unsigned seed) {
    // Not the generators of RapidCheck: they prefer small values, which would mean that ACKs never arrive.
    std::mt19937 random(seed);
    LocalIds local(id(0));
    PeerIds peer(id(0));
    local.set_peer_limit(PeerIds::kLimit);
    std::uint64_t next = 1;
    std::vector<NewConnectionIdFrame> announcements;  // under way
    std::vector<RetireConnectionIdFrame> retirements;
    std::uint64_t in_use = 0;
    // What is under way arrives, is lost, or arrives and is then believed lost. `quiet`: nothing bad happens any more.
    const auto network = [&](bool quiet) {
      const auto fate = [&] { return quiet ? 3U : random() % 4; };
      for (std::size_t i = announcements.size(); i-- > 0;) {
        const NewConnectionIdFrame frame = announcements[i];
        const auto what = fate();
        if (what == 0) continue;  // still under way: what comes later overtakes it
        announcements.erase(announcements.begin() + static_cast<std::ptrdiff_t>(i));
        if (what >= 2) RC_ASSERT(peer.on_frame(frame).has_value());
        if (what == 3) local.on_announcement_acknowledged(frame.sequence);
        else local.on_announcement_lost(frame.sequence);
      }
      for (std::size_t i = retirements.size(); i-- > 0;) {
        const RetireConnectionIdFrame frame = retirements[i];
        const auto what = fate();
        if (what == 0) continue;
        retirements.erase(retirements.begin() + static_cast<std::ptrdiff_t>(i));
        if (what >= 2) RC_ASSERT(local.on_frame(frame, id(in_use)).has_value());
        if (what == 3) peer.on_retirement_acknowledged(frame.sequence);
        else peer.on_retirement_lost(frame.sequence);
      }
    };
    const auto send = [&] {
      while (local.room() > 0) local.issue(id(next++));
      while (const auto frame = local.announcement_due()) {
        local.on_announcement_sent(frame->sequence);
        announcements.push_back(*frame);
      }
      while (const auto frame = peer.retirement_due()) {
        peer.on_retirement_sent(frame->sequence);
        retirements.push_back(*frame);
      }
    };
    for (int step = 0; step < 100; ++step) {
      send();
      network(false);
      if (random() % 2 == 0) {  // to another path
        if (const auto entry = peer.take()) {
          RC_ASSERT(entry->id == id(entry->sequence));
          peer.retire(in_use);
          in_use = entry->sequence;
        }
      }
    }
    for (int step = 0; step < 10; ++step) {
      send();
      network(true);
    }
    RC_ASSERT(peer.entries().size() == PeerIds::kLimit);
    RC_ASSERT(peer.retirements() == 0u);
    std::set<ConnectionId> ours, theirs;
    for (const auto& entry : local.entries()) ours.insert(entry.id);
    for (const auto& entry : peer.entries()) theirs.insert(entry.id);
    RC_ASSERT(ours == theirs);
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace connection_ids_property

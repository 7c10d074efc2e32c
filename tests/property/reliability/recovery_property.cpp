// Recovery against naive models, over random sequences of sending, acknowledging, waiting and time that steps back.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;

namespace {

struct Model {
  enum class State { outstanding, acknowledged, lost };
  struct Packet {
    State state = State::outstanding;
    std::uint32_t bytes = 0;
    bool eliciting = false;
    Timestamp sent_at;
  };
  std::map<std::uint64_t, Packet> packets;

  std::uint64_t in_flight() const {
    std::uint64_t bytes = 0;
    for (const auto& [number, packet] : packets) {
      if (packet.state == State::outstanding && packet.eliciting) bytes += packet.bytes;
    }
    return bytes;
  }
};

// Random ranges over what was sent, highest first; each number of it was sent.
std::vector<AckRange> random_ranges(const Model& model, const std::set<std::uint64_t>& never) {
  std::vector<std::uint64_t> chosen;
  const int density = *rc::gen::inRange(1, 10);
  for (const auto& [number, packet] : model.packets) {
    if (!never.contains(number) && *rc::gen::inRange(0, 10) < density) chosen.push_back(number);
  }
  std::vector<AckRange> ranges;
  for (auto it = chosen.rbegin(); it != chosen.rend() && ranges.size() <= kMaxAckRanges; ++it) {
    if (!ranges.empty() && ranges.back().first.value() == *it + 1) {
      ranges.back().first = PacketNumber(*it);
    } else {
      ranges.push_back(one(*it));
    }
  }
  return ranges;
}

bool covers(const std::vector<AckRange>& ranges, std::uint64_t number) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const AckRange& it) { return it.first.value() <= number && number <= it.last.value(); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recovery_property)

BOOST_AUTO_TEST_CASE(in_flight_is_the_sum_of_what_is_neither_acknowledged_nor_lost) {
  BOOST_TEST(rc::check("in flight", [] {
    RecoveryConfig config;
    config.pacing = *rc::gen::arbitrary<bool>();
    Sender sender(config);
    Model model;
    Timestamp now(std::chrono::seconds(1));

    const auto settle_lost = [&](const Sender::Settled& settled) {
      for (const auto number : settled.lost) {
        RC_ASSERT(model.packets.at(number).state == Model::State::outstanding);
        model.packets.at(number).state = Model::State::lost;
      }
    };
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      now += Duration(*rc::gen::elementOf(
          std::vector<std::int64_t>{0, 1'000, 700'000, 9'000'000, 60'000'000, 2'000'000'000, -5'000'000}));
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
        case 1:
          for (int n = *rc::gen::inRange(1, 6); n > 0; --n) {
            const bool eliciting = *rc::gen::inRange(0, 4) != 0;
            const auto bytes = *rc::gen::inRange<std::uint32_t>(40, 1201);
            const bool probe = sender.recovery.probes_due() != 0;
            if (*rc::gen::inRange(0, 20) == 0) sender.next += 1;  // a number skipped on purpose
            model.packets[sender.send(now, bytes, eliciting, probe)] = {
                .state = Model::State::outstanding, .bytes = bytes, .eliciting = eliciting, .sent_at = now};
          }
          break;
        case 2: {
          const auto ranges = random_ranges(model, {});
          if (ranges.empty()) break;
          const auto settled = sender.ack(now, AckOf(ranges));
          std::uint64_t late = 0;
          std::set<std::uint64_t> expected;
          for (auto& [number, packet] : model.packets) {
            if (!covers(ranges, number)) continue;
            if (packet.state == Model::State::outstanding) expected.insert(number);
            if (packet.state == Model::State::lost) ++late;
            packet.state = Model::State::acknowledged;
          }
          RC_ASSERT(expected == std::set(settled.acknowledged.begin(), settled.acknowledged.end()));
          RC_ASSERT(expected.size() == settled.acknowledged.size());
          RC_ASSERT(settled.spurious <= late);  // old ones are not remembered
          settle_lost(settled);
          break;
        }
        default: settle_lost(sender.deadline(now));
      }
      RC_ASSERT(sender.recovery.path().bytes_in_flight() == model.in_flight());
      RC_ASSERT(sender.recovery.path().congestion_window() >= 2 * kDatagram);
      std::set<std::uint64_t> open;
      for (const auto& [number, packet] : model.packets) {
        if (packet.state == Model::State::outstanding && packet.eliciting) open.insert(number);
      }
      std::set<std::uint64_t> seen;
      sender.recovery.for_each_unacknowledged([&](const SentPacket& packet) {
        seen.insert(packet.number.value());
        return true;
      });
      RC_ASSERT(seen == open);
      if (!open.empty()) RC_ASSERT(sender.recovery.deadline() != kNever);
    }
  }));
}

BOOST_AUTO_TEST_CASE(losses_are_those_of_the_specification) {
  // No lost packet arrives late here, so that the thresholds stay where RFC 9002 §6.1 has them.
  BOOST_TEST(rc::check("losses", [] {
    Sender sender;
    sender.path.seed_rtt(Timestamp(std::chrono::seconds(1)), std::chrono::milliseconds(20));
    Model model;
    std::set<std::uint64_t> lost;
    std::optional<std::uint64_t> largest;
    Timestamp now(std::chrono::seconds(1));

    const auto expect_losses = [&](const Sender::Settled& settled) {
      std::vector<std::uint64_t> expected;
      const auto& rtt = sender.recovery.path().rtt();
      const Duration delay = std::max(std::max(rtt.smoothed(), rtt.latest()) * 9 / 8, kTimerGranularity);
      for (auto& [number, packet] : model.packets) {
        if (packet.state != Model::State::outstanding || !largest || number >= *largest) continue;
        if (*largest - number >= 3 || packet.sent_at + delay <= now) {
          packet.state = Model::State::lost;
          expected.push_back(number);
        }
      }
      RC_ASSERT(settled.lost == expected);
      lost.insert(expected.begin(), expected.end());
    };
    const int steps = *rc::gen::inRange(1, 80);
    for (int i = 0; i < steps; ++i) {
      now += Duration(*rc::gen::elementOf(std::vector<std::int64_t>{0, 700'000, 9'000'000, 25'000'000}));
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
        case 1:
          for (int n = *rc::gen::inRange(1, 5); n > 0; --n) {
            model.packets[sender.send(now)] = {
                .state = Model::State::outstanding, .bytes = kDatagram, .eliciting = true, .sent_at = now};
          }
          break;
        case 2: {
          const auto ranges = random_ranges(model, lost);
          if (ranges.empty()) break;
          const auto settled = sender.ack(now, AckOf(ranges));
          if (settled.acknowledged.empty()) break;
          for (const auto number : settled.acknowledged) model.packets.at(number).state = Model::State::acknowledged;
          largest = std::max(largest.value_or(0), ranges.front().last.value());
          expect_losses(settled);
          break;
        }
        default: {
          const bool by_time = sender.recovery.deadline() <= now && sender.recovery.pto_count() == 0;
          const auto before = sender.recovery.pto_count();
          const auto settled = sender.deadline(now);
          if (by_time && sender.recovery.pto_count() == before) expect_losses(settled);
        }
      }
    }
  }));
}

BOOST_AUTO_TEST_CASE(deadlines_always_lead_somewhere) {
  // A driver that only obeys deadline() comes to an end of it: each call either settles something or moves the deadline
  // ahead.
  BOOST_TEST(rc::check("no spinning", [] {
    Sender sender;
    Timestamp now(std::chrono::seconds(1));
    sender.send_many(now, *rc::gen::inRange<unsigned>(1, 10));
    if (*rc::gen::arbitrary<bool>())
      sender.ack(now + Duration(*rc::gen::inRange(1, 100'000'000)), {one(sender.next - 1)});
    for (int i = 0; i < 20 && sender.recovery.deadline() != kNever; ++i) {
      const Timestamp due = sender.recovery.deadline();
      now = std::max(now, due);
      const auto settled = sender.deadline(now);
      RC_ASSERT(!settled.lost.empty() || sender.recovery.deadline() > now);
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

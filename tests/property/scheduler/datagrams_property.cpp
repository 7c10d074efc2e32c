// The queue of datagrams against a naive model: a list that is searched from end to end for every question.
#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <list>
#include <vector>

#include "core/frame_reader.h"
#include "scheduler/datagrams.h"

using namespace mxp;

namespace datagrams_property {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Outcomes = std::vector<std::pair<std::uint64_t, DatagramOutcome>>;
using Kind = DatagramError::Kind;

struct Told final : DatagramEvents {
  Outcomes outcomes;
  int writable = 0;
  void on_datagram_outcome(std::uint64_t cookie, DatagramOutcome outcome) override {
    outcomes.emplace_back(cookie, outcome);
  }
  void on_datagrams_writable() override { ++writable; }
};

struct Waiting {
  Bytes data;
  DatagramOptions options;
};

struct Model {
  DatagramConfig config;
  std::size_t path = 0, peer = 0;
  std::list<Waiting> waiting;  // of all classes, in the order of sending
  Outcomes outcomes;
  DatagramCounters counters;
  std::optional<std::size_t> blocked;

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Waiting& each : waiting) sum += each.data.size();
    return sum;
  }
  bool has_room(std::size_t size) const {
    return waiting.size() < config.queue_datagrams && bytes() + size <= config.queue_bytes;
  }
  std::list<Waiting>::iterator end(std::list<Waiting>::iterator it, DatagramOutcome outcome, std::uint64_t& counter) {
    ++counter;
    if (it->options.cookie) outcomes.emplace_back(*it->options.cookie, outcome);
    return waiting.erase(it);
  }

  std::expected<void, DatagramError> send(const Bytes& data, const DatagramOptions& options) {
    const std::size_t limit = std::min({peer, path, config.queue_bytes});
    if (peer == 0) return std::unexpected(DatagramError{Kind::not_taken_by_peer});
    if (data.size() > limit) return std::unexpected(DatagramError{Kind::too_large, limit});
    if (!has_room(data.size())) {
      const auto full = std::unexpected(DatagramError{Kind::queue_full});
      if (options.policy == DatagramPolicy::block) return blocked = data.size(), full;
      if (options.policy == DatagramPolicy::drop_newest) return ++counters.dropped, full;
      Model trial = *this;
      while (!trial.has_room(data.size())) {
        auto victim = trial.waiting.end();
        for (auto it = trial.waiting.begin(); it != trial.waiting.end(); ++it)
          if (it->options.traffic_class >= options.traffic_class &&
              (victim == trial.waiting.end() || it->options.traffic_class > victim->options.traffic_class))
            victim = it;
        if (victim == trial.waiting.end()) return full;
        trial.end(victim, DatagramOutcome::dropped, trial.counters.dropped);
      }
      if (outcomes.size() >= config.queue_datagrams) return full;
      *this = std::move(trial);
    }
    waiting.push_back({data, options});
    return {};
  }

  // What a packet with `space` bytes gets of a class.
  std::vector<Bytes> packet(MessageClass of, Timestamp now, std::size_t space) {
    std::vector<Bytes> out;
    for (auto it = waiting.begin(); it != waiting.end();) {
      if (it->options.traffic_class != of) {
        ++it;
        continue;
      }
      if (it->options.expires_at <= now) {
        it = end(it, DatagramOutcome::expired, counters.expired);
        continue;
      }
      if (it->data.size() > path) {
        it = end(it, DatagramOutcome::too_large, counters.too_large);
        continue;
      }
      const std::size_t size = it->data.size();
      if (space < 1 + size) break;
      const std::size_t with_length = 1 + varint_size(size) + size;
      space = with_length <= space ? space - with_length : 0;
      out.push_back(it->data);
      ++counters.sent;
      it = waiting.erase(it);
    }
    return out;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(datagrams_property)

BOOST_AUTO_TEST_CASE(queue_does_as_the_naive_model) {
  BOOST_TEST(rc::check([] {
    Model model;
    model.config.queue_bytes = *rc::gen::inRange<std::size_t>(1, 4000);
    model.config.queue_datagrams = *rc::gen::inRange<std::size_t>(1, 12);
    Told told;
    Datagrams queue(model.config, told);
    Timestamp now{std::chrono::hours(1)};
    model.peer = *rc::gen::weightedElement<std::size_t>({{1, 0}, {9, 1500}});
    model.path = 1170;
    queue.on_peer_limit(model.peer);
    queue.set_path_limit(model.path);
    std::vector<std::pair<SentFrame, std::optional<std::uint64_t>>> flight;
    std::uint64_t next = 0;
    const int steps = *rc::gen::inRange(0, 300);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::weightedElement<int>({{10, 0}, {5, 1}, {2, 2}, {2, 3}, {3, 4}, {1, 5}, {3, 6}})) {
        case 0: {
          Bytes data(*rc::gen::inRange<std::size_t>(0, *rc::gen::element<std::size_t>(10, 600, 1600)));
          for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(next * 31 + i);
          DatagramOptions options;
          options.traffic_class = static_cast<MessageClass>(*rc::gen::inRange(0, 4));
          options.policy = static_cast<DatagramPolicy>(*rc::gen::inRange(0, 3));
          if (*rc::gen::arbitrary<bool>()) options.cookie = next;
          if (*rc::gen::inRange(0, 3) == 0)
            options.expires_at = now + std::chrono::milliseconds(*rc::gen::inRange(0, 20));
          ++next;
          RC_ASSERT((queue.send(data, options) == model.send(data, options)));
          break;
        }
        case 1: {
          const auto of = static_cast<MessageClass>(*rc::gen::inRange(0, 4));
          Bytes buffer(*rc::gen::weightedElement<std::size_t>({{1, 0}, {2, 300}, {5, 1171}}));
          Writer out(buffer);
          std::vector<SentFrame> sent;
          const bool pending = queue.has_pending(of, now);
          const bool wrote = queue.write(of, now, out, [&](const SentFrame& frame) { sent.push_back(frame); });
          const auto expected = model.packet(of, now, buffer.size());
          RC_ASSERT(wrote == !expected.empty());
          RC_ASSERT((pending || !wrote));
          RC_ASSERT(sent.size() == expected.size());
          FrameReader reader(out.so_far());
          for (std::size_t i = 0; i < expected.size(); ++i) {
            auto frame = reader.next().value().value();
            if (std::holds_alternative<PaddingFrame>(frame)) frame = reader.next().value().value();
            RC_ASSERT(std::ranges::equal(std::get<DatagramFrame>(frame).data, expected[i]));
            RC_ASSERT(sent[i].length == expected[i].size());
            const bool asked = sent[i].kind == SentFrame::Kind::datagram_with_cookie;
            flight.emplace_back(sent[i], asked ? std::optional(sent[i].value) : std::nullopt);
          }
          RC_ASSERT(!reader.next().value().has_value());
          break;
        }
        case 2: now += std::chrono::milliseconds(*rc::gen::inRange(0, 10)); break;
        case 3: {
          queue.expire(now);
          for (auto it = model.waiting.begin(); it != model.waiting.end();)
            it = it->options.expires_at <= now ? model.end(it, DatagramOutcome::expired, model.counters.expired)
                                               : std::next(it);
          break;
        }
        case 4: {
          if (flight.empty()) break;
          const auto at = static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, flight.size()));
          const auto [frame, cookie] = flight[static_cast<std::size_t>(at)];
          flight.erase(flight.begin() + at);
          const bool lost = *rc::gen::arbitrary<bool>();
          lost ? queue.on_lost(frame) : queue.on_acknowledged(frame);
          ++(lost ? model.counters.lost : model.counters.acknowledged);
          if (cookie) model.outcomes.emplace_back(*cookie, lost ? DatagramOutcome::lost : DatagramOutcome::delivered);
          break;
        }
        case 5:
          model.path = *rc::gen::element<std::size_t>(1170, 1422, 300);
          queue.set_path_limit(model.path);
          break;
        default: {
          const bool due = model.blocked && model.has_room(*model.blocked);
          RC_ASSERT(queue.has_outcomes() == (due || !model.outcomes.empty()));
          const int writable = told.writable;
          queue.tell_outcomes();
          RC_ASSERT(told.writable == writable + (due ? 1 : 0));
          if (due) model.blocked.reset();
          std::ranges::sort(told.outcomes);
          std::ranges::sort(model.outcomes);
          RC_ASSERT((told.outcomes == model.outcomes));
          told.outcomes.clear();
          model.outcomes.clear();
          RC_ASSERT(!queue.has_outcomes());
        }
      }
      RC_ASSERT(queue.queued() == model.waiting.size());
      Timestamp earliest = kNever;
      for (const Waiting& each : model.waiting) earliest = std::min(earliest, each.options.expires_at);
      RC_ASSERT((queue.deadline() == earliest));
      for (int i = 0; i < 4; ++i) {
        const auto of = static_cast<MessageClass>(i);
        RC_ASSERT(queue.has_pending(of, now) == std::ranges::any_of(model.waiting, [&](const Waiting& each) {
                    return each.options.traffic_class == of;
                  }));
      }
      const DatagramCounters& counters = queue.counters();
      RC_ASSERT(counters.sent == model.counters.sent);
      RC_ASSERT(counters.acknowledged == model.counters.acknowledged);
      RC_ASSERT(counters.lost == model.counters.lost);
      RC_ASSERT(counters.expired == model.counters.expired);
      RC_ASSERT(counters.dropped == model.counters.dropped);
      RC_ASSERT(counters.too_large == model.counters.too_large);
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagrams_property

// What held back each stream, against a model that looks at every stream at every moment: whatever is written, sent,
// lost, acknowledged, reset and granted, both say the same to the nanosecond, and the sum is the time that the stream
// was open.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "scheduler/held_streams.h"
#include "support/sanitized.h"
#include "unit/scheduler/streams_fixture.h"

namespace mxp::test::held_streams_property {
using namespace std::chrono_literals;
namespace {

std::size_t at(BlockedBy reason) { return static_cast<std::size_t>(reason); }

// One stream, as its definition says.
struct ModelStream {
  enum class ByteState : std::uint8_t { written, sent, lost, acknowledged };
  enum class Fin : std::uint8_t { none, queued, sent, acknowledged };

  std::vector<ByteState> bytes;
  std::uint64_t limit = 0;
  Fin fin = Fin::none;
  bool was_reset = false;
  bool reset_acknowledged = false;
  bool served = false;  // since the last run
  bool behind = false;
  bool started = false;
  BlockedBy reason = BlockedBy::application;
  TimeByReason times{};
  Duration age{};

  std::uint64_t sent_end() const {
    std::uint64_t end = 0;
    while (end != bytes.size() && bytes[end] != ByteState::written) ++end;
    return end;
  }
  bool has(ByteState state) const { return std::ranges::find(bytes, state) != bytes.end(); }
  bool has_unsent() const { return !was_reset && has(ByteState::written); }
  bool has_new() const { return has_unsent() && limit > sent_end(); }
  bool has_urgent() const {
    return !was_reset && (has(ByteState::lost) || (fin == Fin::queued && !has(ByteState::written)));
  }
  bool is_done() const {
    if (was_reset) return reset_acknowledged;
    return fin == Fin::acknowledged &&
           std::ranges::all_of(bytes, [](ByteState state) { return state == ByteState::acknowledged; });
  }
  void pass(Duration time) {
    if (!started || is_done()) return;
    times[at(reason)] += time;
    age += time;
  }
  void judge(BlockedBy base, bool carried, bool has_credit) {
    started = true;
    const bool pending = has_new() || has_urgent();
    behind = pending && !served && (carried || behind);
    served = false;
    if (!pending) reason = has_unsent() ? BlockedBy::stream_credit : BlockedBy::application;
    else if (has_new() && !has_credit) reason = BlockedBy::connection_credit;
    else reason = behind ? BlockedBy::traffic_class : base;
  }
  void on_sent(const SentFrame& frame) {
    served = true;
    for (std::uint64_t i = frame.value; i != frame.value + frame.length; ++i) bytes[i] = ByteState::sent;
    if (frame.fin) fin = Fin::sent;
  }
  void on_fate(const SentFrame& frame, bool lost) {
    if (was_reset) return;
    for (std::uint64_t i = frame.value; i != frame.value + frame.length; ++i)
      if (bytes[i] != ByteState::acknowledged) bytes[i] = lost ? ByteState::lost : ByteState::acknowledged;
    if (frame.fin && fin != Fin::acknowledged) fin = lost ? Fin::queued : Fin::acknowledged;
  }
};

class Scene {
 public:
  explicit Scene(std::uint32_t seed) : random_(seed), side_(Role::client, {}) {
    TransportParameters of_peer;
    of_peer.initial_max_data = 3000;
    of_peer.initial_max_stream_data_uni = kFirstLimit;
    of_peer.initial_max_streams_uni = 1000;
    side_.streams.on_peer_parameters(of_peer);
    side_.streams.on_clock(now_, 10ms);
  }

  void step() {
    switch (below(12)) {
      case 0:
        if (model_.size() < 8) open();
        break;
      case 1:
      case 2: write(); break;
      case 3:
        if (ModelStream* stream = any(); stream != nullptr && stream->fin == ModelStream::Fin::none) finish();
        break;
      case 4:
        if (chance(10)) reset();
        break;
      case 5: grant_stream(); break;
      case 6: grant_connection(); break;
      case 7: settle(); break;
      case 8: change_priority(); break;
      default: run(); break;
    }
    check();
  }

 private:
  static constexpr std::uint64_t kFirstLimit = 400;

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }

  ModelStream* any() {
    if (model_.empty()) return nullptr;
    auto chosen = std::next(model_.begin(), static_cast<std::ptrdiff_t>(below(model_.size())));
    chosen_ = StreamId(chosen->first);
    return &chosen->second;
  }
  void pass_time() {
    const Duration time(below(5) == 0 ? 0 : below(1'000'000));
    now_ += time;
    for (auto& [id, stream] : model_) stream.pass(time);
    side_.streams.on_clock(now_, 10ms);
  }
  void open() {
    const StreamId id = *side_.streams.open(StreamType::unidirectional);
    model_[id.value()].limit = kFirstLimit;
  }
  void write() {
    ModelStream* stream = any();
    if (stream == nullptr) return;
    const auto written = side_.streams.write(chosen_, std::vector<std::uint8_t>(1 + below(500)));
    if (written) stream->bytes.resize(stream->bytes.size() + *written, ModelStream::ByteState::written);
  }
  void finish() {
    if (side_.streams.finish(chosen_).has_value() && !model_[chosen_.value()].was_reset)
      model_[chosen_.value()].fin = ModelStream::Fin::queued;
  }
  void reset() {
    ModelStream* stream = any();
    if (stream != nullptr && side_.streams.reset(chosen_, 1).has_value()) stream->was_reset = true;
  }
  void grant_stream() {
    ModelStream* stream = any();
    if (stream == nullptr) return;
    stream->limit += below(600);
    RC_ASSERT(side_.streams.on_frame(MaxStreamDataFrame{chosen_, stream->limit}).has_value());
  }
  void grant_connection() { side_.streams.credit.raise(side_.streams.credit.available() + used_ + below(2000)); }
  void change_priority() {
    if (any() == nullptr) return;
    const StreamPriority priority{.traffic_class = static_cast<MessageClass>(below(kMessageClasses)),
                                  .urgency = static_cast<std::uint8_t>(below(8))};
    RC_ASSERT(side_.streams.set_priority(chosen_, priority).has_value());
  }
  void run() {
    pass_time();
    const bool probes = chance(10);
    for (std::size_t packets = below(4); packets > 0; --packets) {
      Packet packet = write_packet(side_.streams, 60 + below(500));
      for (const SentFrame& frame : packet.frames) {
        if (frame.kind != SentFrame::Kind::stream) continue;
        ModelStream& stream = model_[frame.stream.value()];
        used_ += frame.value + frame.length > stream.sent_end() ? frame.length : 0;
        stream.on_sent(frame);
      }
      if (!packet.empty()) under_way_.push_back(std::move(packet));
    }
    constexpr BlockedBy kBase[] = {BlockedBy::nothing, BlockedBy::congestion, BlockedBy::pacing,
                                   BlockedBy::amplification};
    const BlockedBy base = kBase[below(std::size(kBase))];
    const bool carried = side_.streams.outbox.take_served() != 0 && !probes;
    connection_.note(now_, base);
    side_.streams.note_held(now_, base, connection_,
                            carried ? HeldStreams::Run::Carried::data : HeldStreams::Run::Carried::nothing);
    const bool has_credit = side_.streams.credit.available() != 0;
    for (auto& [id, stream] : model_) stream.judge(base, carried, has_credit);
  }
  void settle() {
    if (under_way_.empty()) return;
    pass_time();
    const Packet packet = std::move(under_way_.front());
    under_way_.pop_front();
    const bool lost = chance(30);
    for (const SentFrame& frame : packet.frames) {
      ModelStream& stream = model_[frame.stream.value()];
      if (frame.kind == SentFrame::Kind::stream) stream.on_fate(frame, lost);
      if (frame.kind == SentFrame::Kind::reset_stream && !lost) stream.reset_acknowledged = true;
    }
    for (const SentFrame& frame : packet.frames)
      lost ? side_.streams.on_frame_lost(frame) : side_.streams.on_frame_acknowledged(frame);
    check();  // those that ended just now are still there
    side_.streams.collect();
    std::erase_if(model_, [](const auto& entry) { return entry.second.is_done(); });
  }
  void check() {
    for (const auto& [id, stream] : model_) {
      const auto stats = side_.streams.stats(StreamId(id));
      RC_ASSERT(stats.has_value());
      RC_ASSERT(stats->open_time == stream.age);
      RC_ASSERT(stats->blocked_time == stream.times);
      Duration sum{};
      for (const Duration one : stats->blocked_time) sum += one;
      RC_ASSERT(sum == stats->open_time);
    }
  }

  std::mt19937 random_;
  Side side_;
  Timestamp now_{1h};
  BlockedTime connection_{now_, BlockedBy::handshake};
  std::map<std::uint64_t, ModelStream> model_;
  std::deque<Packet> under_way_;
  std::uint64_t used_ = 0;  // of the connection's credit
  StreamId chosen_;
};

BOOST_AUTO_TEST_SUITE(held_streams_property)

BOOST_AUTO_TEST_CASE(each_stream_has_the_times_that_a_look_at_every_stream_gives) {
  BOOST_TEST(rc::check([](std::uint32_t seed) {
    Scene scene(seed);
    for (int i = 0; i < (kSanitized ? 100 : 400); ++i) scene.step();
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test::held_streams_property

// The sending half of a stream against one state for each byte.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "scheduler/send_stream.h"
#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

BOOST_AUTO_TEST_SUITE(send_stream_property)

BOOST_AUTO_TEST_CASE(random_acknowledgements_and_losses_match_a_naive_model) {
  BOOST_TEST(rc::check("send stream matches its model", [] {
    enum class Byte { unsent, in_flight, lost, acknowledged };
    constexpr std::size_t kBuffer = 300;
    SendStream stream;
    stream.start(true, *rc::gen::inRange<std::uint64_t>(0, 500));
    std::vector<Byte> model;  // bytes written
    std::vector<SendStream::Chunk> flight;
    bool finished = false;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint32_t>>>(
        *rc::gen::inRange<std::size_t>(0, 400),
        rc::gen::pair(rc::gen::inRange(0, 7), rc::gen::inRange<std::uint32_t>(0, 200)));

    const auto unacknowledged_front = [&] {
      std::size_t at = 0;
      while (at < model.size() && model[at] == Byte::acknowledged) ++at;
      return at;
    };
    for (const auto& [action, number] : steps) {
      if (action == 0 && !finished) {
        const std::size_t room = kBuffer - (model.size() - unacknowledged_front());
        const std::size_t taken = stream.write(pattern_bytes(model.size(), number), {.held = kBuffer});
        RC_ASSERT(taken == std::min<std::size_t>(number, room));
        model.insert(model.end(), taken, Byte::unsent);
      } else if (action == 1 && !finished && number < 40) {
        stream.finish();
        finished = true;
      } else if (action == 2 && stream.has_new_data() && number != 0) {
        const auto chunk = stream.new_chunk(number);
        RC_ASSERT(chunk.length != 0u);
        RC_ASSERT(chunk.end() <= stream.credit().limit());
        std::vector<std::uint8_t> out(chunk.length);
        stream.copy_out(chunk, out);
        RC_ASSERT(out == pattern_bytes(chunk.offset, chunk.length));
        for (std::size_t i = 0; i < chunk.length; ++i) {
          RC_ASSERT(model[chunk.offset + i] == Byte::unsent);
          model[chunk.offset + i] = Byte::in_flight;
        }
        RC_ASSERT(chunk.fin == (finished && chunk.end() == model.size()));
        stream.on_sent(chunk);
        flight.push_back(chunk);
      } else if (action == 3 && stream.has_urgent() && number != 0) {
        const auto chunk = stream.urgent_chunk(number);
        // Empty without an end: the stream tells the peer of itself, before any byte was sent.
        RC_ASSERT((chunk.length != 0u || chunk.fin || stream.sent_end() == 0));
        std::vector<std::uint8_t> out(chunk.length);
        stream.copy_out(chunk, out);
        RC_ASSERT(out == pattern_bytes(chunk.offset, chunk.length));
        for (std::size_t i = 0; i < chunk.length; ++i) {
          RC_ASSERT(model[chunk.offset + i] == Byte::lost);
          model[chunk.offset + i] = Byte::in_flight;
        }
        stream.on_sent(chunk);
        flight.push_back(chunk);
      } else if ((action == 4 || action == 5) && !flight.empty()) {
        // Acknowledged, or lost; of the lost ones every third stays in flight, to be acknowledged late.
        const std::size_t index = number % flight.size();
        const auto chunk = flight[index];
        if (action == 4 || number % 3 != 0) flight.erase(flight.begin() + static_cast<std::ptrdiff_t>(index));
        if (action == 4) {
          std::uint64_t fresh = 0;
          for (std::uint64_t i = chunk.offset; i < chunk.end(); ++i) {
            fresh += model[i] != Byte::acknowledged;
            model[i] = Byte::acknowledged;
          }
          RC_ASSERT(stream.on_acknowledged(chunk.offset, chunk.length, chunk.fin) == fresh);
        } else {
          for (std::uint64_t i = chunk.offset; i < chunk.end(); ++i)
            if (model[i] != Byte::acknowledged) model[i] = Byte::lost;
          stream.on_lost(chunk.offset, chunk.length, chunk.fin);
        }
      } else if (action == 6) {
        stream.credit().raise(stream.credit().limit() + number);
      }
      const auto count = [&](Byte state) {
        return static_cast<std::uint64_t>(std::count(model.begin(), model.end(), state));
      };
      RC_ASSERT(stream.unsent() == count(Byte::unsent));
      if (count(Byte::lost) != 0) RC_ASSERT(stream.has_urgent());
      RC_ASSERT(stream.buffer().begin() == unacknowledged_front());
      if (stream.done()) RC_ASSERT((finished && count(Byte::acknowledged) == model.size()));
      RC_ASSERT(stream.buffer().capacity() <= 512u);
    }
    // Whatever happened, acknowledging what is sent ends it.
    if (!finished) stream.finish();
    stream.credit().raise(100'000);
    for (int i = 0; i < 10'000 && !stream.done(); ++i) {
      RC_ASSERT((stream.has_urgent() || stream.has_new_data() || !flight.empty()));
      if (stream.has_urgent() || stream.has_new_data()) {
        const auto chunk = stream.has_urgent() ? stream.urgent_chunk(50) : stream.new_chunk(50);
        stream.on_sent(chunk);
        flight.push_back(chunk);
      }
      stream.on_acknowledged(flight.back().offset, flight.back().length, flight.back().fin);
      flight.pop_back();
    }
    RC_ASSERT(stream.done());
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test

// The stream table against std::map, and the accounts of stream ids against a set of each.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <vector>

#include "scheduler/stream_ids.h"
#include "scheduler/stream_table.h"

namespace mxp::test {
namespace {

BOOST_AUTO_TEST_SUITE(stream_table_property)

BOOST_AUTO_TEST_CASE(random_inserts_and_erases_match_a_map) {
  BOOST_TEST(rc::check("stream table matches a map", [] {
    StreamTable table(*rc::gen::arbitrary<std::uint64_t>());
    std::map<std::uint64_t, Stream*> model;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint64_t>>>(rc::gen::pair(
        rc::gen::inRange(0, 3), rc::gen::map(rc::gen::inRange<std::uint64_t>(0, 120), [](std::uint64_t n) {
          return n < 100 ? n : n << 40;  // near ones, and some far away
        })));
    for (const auto& [action, key] : steps) {
      const StreamId id(key);
      const auto known = model.find(key);
      RC_ASSERT(table.find(id) == (known == model.end() ? nullptr : known->second));
      if (action != 0 && known == model.end()) {
        model[key] = &table.insert(id);
        RC_ASSERT(model[key]->id == id);
      } else if (action == 0 && known != model.end()) {
        table.erase(id);
        model.erase(known);
        RC_ASSERT(table.find(id) == nullptr);
      }
      RC_ASSERT(table.size() == model.size());
    }
    for (const auto& [key, stream] : model) RC_ASSERT(table.find(StreamId(key)) == stream);
    std::set<std::uint64_t> visited;
    table.for_each([&](const Stream& stream) { visited.insert(stream.id.value()); });
    RC_ASSERT(visited.size() == model.size());
  }));
}

BOOST_AUTO_TEST_CASE(accounts_of_the_peers_streams_match_a_set_of_each) {
  BOOST_TEST(rc::check("remote stream ids match sets", [] {
    const std::uint64_t max_open = *rc::gen::inRange<std::uint64_t>(1, 30);
    RemoteStreamIds ids(max_open);
    std::set<std::uint64_t> live, finished;
    std::uint64_t opened = 0, limit = max_open;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint64_t>>>(
        rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange<std::uint64_t>(0, 60)));
    for (const auto& [action, index] : steps) {
      using State = RemoteStreamIds::State;
      const State expected = index >= limit                                     ? State::beyond_limit
                             : index >= opened                                  ? State::unopened
                             : live.contains(index) || finished.contains(index) ? State::touched
                                                                                : State::untouched;
      RC_ASSERT(ids.state_of(index) == expected);
      if (action < 2 && (expected == State::unopened || expected == State::untouched)) {
        ids.touch(index);
        live.insert(index);
        opened = std::max(opened, index + 1);
      } else if (action == 2 && live.contains(index)) {
        ids.on_closed();
        live.erase(index);
        finished.insert(index);
      } else if (action == 3) {
        if (index % 2 == 0) ids.on_peer_blocked(limit);
        if (ids.raise_due()) limit = ids.raise();
        RC_ASSERT(limit <= finished.size() + max_open);
        if (index % 2 == 0) RC_ASSERT(limit == finished.size() + max_open);
      }
      RC_ASSERT(ids.open_count() == opened - finished.size());
      RC_ASSERT(ids.open_count() <= max_open);
      RC_ASSERT(ids.untouched_ranges() <= max_open);
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test

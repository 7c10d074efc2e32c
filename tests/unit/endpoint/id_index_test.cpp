// Which connection a packet belongs to: several ids for one, ids that come and go.
#include "endpoint/id_index.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <vector>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace id_index_test {
namespace {

struct Place {
  int number = 0;
};

ConnectionId id_of(std::uint8_t low, std::uint8_t high = 0) { return ConnectionId({high, 0, 0, 0, 0, 0, 0, low}); }

// Gives the ids of a list, one after the other.
class ListedIds final : public IdSource {
 public:
  explicit ListedIds(std::vector<ConnectionId> ids) : ids_(std::move(ids)) {}
  ConnectionId generate() override { return ids_.at(next_++); }
  std::size_t given() const { return next_; }

 private:
  std::vector<ConnectionId> ids_;
  std::size_t next_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(id_index)

BOOST_AUTO_TEST_CASE(one_connection_is_found_under_each_of_its_ids) {
  Place first{1}, second{2};
  IdIndex<Place> index;
  index.insert(id_of(1), first);
  index.insert(id_of(2), second);
  index.insert(id_of(3), first);
  BOOST_TEST(index.size() == 3u);
  BOOST_TEST(index.find(id_of(1)) == &first);
  BOOST_TEST(index.find(id_of(3)) == &first);
  BOOST_TEST(index.find(id_of(2)) == &second);
  BOOST_TEST(index.find(id_of(4)) == nullptr);
  BOOST_TEST(index.find(id_of(1, 1)) == nullptr);  // all eight bytes count
}

BOOST_AUTO_TEST_CASE(the_id_found_last_is_forgotten_with_the_others) {
  Place first{1}, second{2};
  IdIndex<Place> index;
  index.insert(id_of(1), first);
  index.insert(id_of(2), first);
  BOOST_TEST(index.find(id_of(1)) == &first);
  index.erase(id_of(1));
  BOOST_TEST(index.find(id_of(1)) == nullptr);
  BOOST_TEST(index.find(id_of(2)) == &first);
  index.erase(id_of(1));  // nobody's: nothing happens
  BOOST_TEST(index.find(id_of(2)) == &first);
  index.insert(id_of(1), second);
  BOOST_TEST(index.find(id_of(1)) == &second);
}

// The value that stands in for "nothing found yet" is an id like any other.
BOOST_AUTO_TEST_CASE(an_id_of_zeros_is_nobodys_until_it_is_inserted) {
  Place place{1};
  IdIndex<Place> index;
  BOOST_TEST(index.find(ConnectionId()) == nullptr);
  index.insert(ConnectionId(), place);
  BOOST_TEST(index.find(ConnectionId()) == &place);
  index.erase(ConnectionId());
  BOOST_TEST(index.find(ConnectionId()) == nullptr);
}

BOOST_AUTO_TEST_CASE(t14_an_id_in_use_is_never_given_twice) {
  Place place{1};
  IdIndex<Place> index;
  index.insert(id_of(1), place);
  index.insert(id_of(2), place);
  ListedIds source({id_of(1), id_of(2), id_of(1), id_of(7), id_of(8)});
  BOOST_TEST((index.fresh(source) == id_of(7)));
  BOOST_TEST(source.given() == 4u);
  index.erase(id_of(1));
  ListedIds again({id_of(1)});
  BOOST_TEST((index.fresh(again) == id_of(1)));
}

BOOST_AUTO_TEST_CASE(random_ids_use_all_their_bytes) {
  SeededRandom random(1);
  RandomIds source(random);
  ConnectionId::Bytes seen{};
  for (int i = 0; i < 64; ++i) {
    const ConnectionId id = source.generate();
    for (std::size_t byte = 0; byte < seen.size(); ++byte) seen[byte] |= id.bytes()[byte];
  }
  for (const std::uint8_t byte : seen) BOOST_TEST(byte == 0xffu);
}

BOOST_AUTO_TEST_CASE(permuted_ids_say_where_they_come_from_and_never_repeat) {
  ConnectionIdOrigin origin{.key = {1, 2, 3}, .worker = 7, .generation = 200, .server = 9};
  const IdPermutation permutation(origin.key);
  PermutedIds source(origin);
  std::set<ConnectionId> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const ConnectionId id = source.generate();
    const IssuedBy by = issued_by(permutation, id);
    BOOST_TEST((by.worker == 7 && by.generation == 200 && by.server == 9 && by.counter == i));
    seen.insert(id);
  }
  // Another worker's, and those after a restart, are others.
  origin.worker = 8;
  PermutedIds neighbour(origin);
  origin.worker = 7, origin.generation = 201;
  PermutedIds later(origin);
  for (int i = 0; i < 1000; ++i) {
    seen.insert(neighbour.generate());
    seen.insert(later.generate());
  }
  BOOST_TEST(seen.size() == 3000u);
}

BOOST_AUTO_TEST_CASE(an_endpoint_issues_ids_of_its_origin) {
  SimConfig config{.up = "delay 5ms", .down = "="};
  config.server.connection_ids = ConnectionIdOrigin{.key = {5}, .worker = 3};
  const IdPermutation permutation(config.server.connection_ids->key);
  SimPair sim(std::move(config));
  std::set<std::uint64_t> counters;
  sim.tap = [&](Role sender, ByteView datagram) {
    if (sender == Role::server || (datagram[0] & 0x80) != 0) return;
    ConnectionId::Bytes bytes;
    std::ranges::copy(datagram.subspan(1, bytes.size()), bytes.begin());
    const IssuedBy by = issued_by(permutation, ConnectionId(bytes));
    BOOST_TEST((by.worker == 3 && by.counter < 10));
    counters.insert(by.counter);
  };
  sim.client_interfaces.insert(SocketAddress::ipv4(10, 9, 0, 1, 40000));
  sim.connect();
  sim.run_for(100ms);
  BOOST_REQUIRE(sim.connection->migrate(SocketAddress::ipv4(10, 9, 0, 1, 0)).has_value());
  sim.run_for(1s);
  BOOST_TEST(counters.size() == 2u);  // one for each path
}

BOOST_AUTO_TEST_CASE(answers_like_a_plain_map) {
  BOOST_TEST(rc::check("index and map agree after every step", [] {
    std::array<Place, 4> places;
    IdIndex<Place> index;
    std::map<std::uint8_t, Place*> model;
    const auto steps = *rc::gen::container<std::vector<std::tuple<std::uint8_t, std::uint8_t>>>(
        rc::gen::arbitrary<std::tuple<std::uint8_t, std::uint8_t>>());
    for (const auto& [what, who] : steps) {
      const auto low = static_cast<std::uint8_t>(who % 16);
      const auto known = model.find(low);
      if (what % 3 == 0) {
        index.erase(id_of(low));
        model.erase(low);
      } else if (what % 3 == 1 && known == model.end()) {
        Place& place = places[what % places.size()];
        index.insert(id_of(low), place);
        model.emplace(low, &place);
      } else {
        RC_ASSERT(index.find(id_of(low)) == (known == model.end() ? nullptr : known->second));
      }
      RC_ASSERT(index.size() == model.size());
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace id_index_test

#include "mxp/agent_registry.h"

#include <boost/test/unit_test.hpp>

#include "support/allocation_counter.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace agent_registry_test {
namespace {

using Bytes = std::vector<std::uint8_t>;
using By = AgentDiscoverPayload::By;

Timestamp at(Duration time) { return Timestamp(time); }
PublicKey key(std::uint8_t number) {
  PublicKey::Bytes bytes{};
  bytes[0] = number;
  return PublicKey(bytes);
}
Uuid uuid(int number) {
  Uuid result{};
  result[14] = static_cast<std::uint8_t>(number >> 8);
  result[15] = static_cast<std::uint8_t>(number);
  return result;
}
AgentRegisterPayload agent(int number, std::string name = "worker", std::vector<std::string> capabilities = {}) {
  return {uuid(number), std::move(name), std::move(capabilities), {192, 0, 2, 1}, 9000};
}

// A registry that is spoken to in payloads, and whose answers are read at once.
struct Desk {
  explicit Desk(const AgentRegistryConfig& config = {}) : registry(config) {}

  std::optional<Message> send(const PublicKey& peer, MessageType type, const Bytes& payload) {
    return registry.on_message(now, peer, {type, 0, 7, 9, payload});
  }
  // The lifetime in seconds, or the reason of the error, negative.
  int outcome(const std::optional<Message>& answer) {
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST((answer->id == 7 && answer->trace_id == 9 && answer->flags == 0));
    if (answer->type == MessageType::error) {
      const auto error = decode_error(answer->payload);
      BOOST_REQUIRE(error.has_value());
      BOOST_TEST(!error->text.empty());
      return -static_cast<int>(error->reason);
    }
    BOOST_TEST((answer->type == MessageType::response));
    return static_cast<int>(decode_agent_lease(answer->payload).value().lifetime_seconds);
  }
  int enrol(const PublicKey& peer, const AgentRegisterPayload& description) {
    return outcome(send(peer, MessageType::agent_register, encode_payload(description)));
  }
  int heartbeat(const PublicKey& peer, int number, AgentState state = AgentState::alive) {
    return outcome(
        send(peer, MessageType::agent_heartbeat, encode_payload(AgentHeartbeatPayload{uuid(number), state})));
  }
  AgentListPayload page(By by, std::string_view text, const Uuid& after = {}, const Uuid& wanted = {}) {
    const auto answer =
        send(key(99), MessageType::agent_discover, encode_payload(AgentDiscoverPayload{by, after, text, wanted}));
    BOOST_REQUIRE((answer.has_value() && answer->type == MessageType::response));
    BOOST_TEST((answer->id == 7 && answer->trace_id == 9));
    auto list = decode_agent_list(answer->payload);
    BOOST_REQUIRE(list.has_value());
    return std::move(*list);
  }
  std::vector<int> numbers(By by, std::string_view text, const Uuid& wanted = {}) {
    const AgentListPayload list = page(by, text, {}, wanted);
    BOOST_TEST(!list.more);
    std::vector<int> result;
    for (const auto& found : list.agents)
      result.push_back(found.description.agent[14] << 8 | found.description.agent[15]);
    return result;
  }

  AgentRegistry registry;
  Timestamp now{};
};

constexpr int kTaken = -static_cast<int>(ErrorReason::taken), kFull = -static_cast<int>(ErrorReason::full),
              kUnknown = -static_cast<int>(ErrorReason::unknown_agent),
              kBad = -static_cast<int>(ErrorReason::bad_payload), kTooLarge = -static_cast<int>(ErrorReason::too_large);
using Numbers = std::vector<int>;

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_registry)

BOOST_AUTO_TEST_CASE(agents_are_found_by_name_capability_and_uuid) {
  Desk desk;
  BOOST_TEST(desk.enrol(key(1), agent(1, "alpha", {"search", "sum"})) == 90);
  BOOST_TEST(desk.enrol(key(2), agent(2, "beta", {"sum"})) == 90);
  BOOST_TEST(desk.enrol(key(2), agent(3, "alpha")) == 90);
  BOOST_TEST(desk.registry.size() == 3u);
  BOOST_TEST((desk.numbers(By::name, "alpha") == Numbers{1, 3}));
  BOOST_TEST((desk.numbers(By::capability, "sum") == Numbers{1, 2}));
  BOOST_TEST((desk.numbers(By::capability, "search") == Numbers{1}));
  BOOST_TEST((desk.numbers(By::agent, "", uuid(2)) == Numbers{2}));
  for (const char* text : {"", "alph", "alphaa", "sum"}) BOOST_TEST(desk.numbers(By::name, text).empty());
  BOOST_TEST(desk.numbers(By::capability, "alpha").empty());
  BOOST_TEST(desk.numbers(By::agent, "", uuid(4)).empty());
}

BOOST_AUTO_TEST_CASE(what_is_found_is_what_was_registered_and_by_whom) {
  Desk desk;
  const AgentRegisterPayload description = agent(1, "alpha", {"b", "a", "b"});
  desk.enrol(key(5), description);
  const auto list = desk.page(By::capability, "b");
  BOOST_REQUIRE(list.agents.size() == 1u);  // though it says it twice
  BOOST_TEST((list.agents[0].owner == key(5)));
  BOOST_TEST((encode_payload(list.agents[0].description) == encode_payload(description)));
  BOOST_TEST((desk.registry.owner(uuid(1)) == key(5)));
  BOOST_TEST(!desk.registry.owner(uuid(2)).has_value());
}

BOOST_AUTO_TEST_CASE(agent_without_heartbeat_is_gone_when_its_time_has_passed) {
  Desk desk;
  BOOST_TEST((desk.registry.deadline() == kNever));
  desk.enrol(key(1), agent(1));
  desk.now = at(50s);
  desk.enrol(key(1), agent(2));
  BOOST_TEST((desk.registry.deadline() == at(90s)));
  desk.now = at(80s);
  BOOST_TEST(desk.heartbeat(key(1), 1) == 90);
  BOOST_TEST((desk.registry.deadline() == at(140s)));
  BOOST_TEST(desk.registry.on_timeout(at(140s) - 1ns) == 0u);
  BOOST_TEST(desk.registry.on_timeout(at(140s)) == 1u);
  BOOST_TEST((desk.numbers(By::name, "worker") == Numbers{1}));
  desk.now = at(170s);  // nobody called on_timeout: a query does not list it all the same
  BOOST_TEST(desk.numbers(By::name, "worker").empty());
  BOOST_TEST(desk.heartbeat(key(1), 1) == kUnknown);
  BOOST_TEST(desk.registry.size() == 0u);
  BOOST_TEST((desk.registry.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(uuid_belongs_to_the_key_that_came_first_until_its_time_has_passed) {
  Desk desk;
  desk.enrol(key(1), agent(1, "mine"));
  BOOST_TEST(desk.enrol(key(2), agent(1, "stolen")) == kTaken);
  BOOST_TEST(desk.heartbeat(key(2), 1) == kTaken);
  BOOST_TEST(desk.heartbeat(key(2), 1, AgentState::leaving) == kTaken);
  BOOST_TEST((desk.numbers(By::name, "mine") == Numbers{1}));
  BOOST_TEST(desk.numbers(By::name, "stolen").empty());
  desk.now = at(90s);
  BOOST_TEST(desk.enrol(key(2), agent(1, "heir")) == 90);
  BOOST_TEST((desk.registry.owner(uuid(1)) == key(2)));
  BOOST_TEST(desk.enrol(key(1), agent(1, "mine")) == kTaken);
}

BOOST_AUTO_TEST_CASE(agent_that_leaves_is_gone_at_once_and_frees_its_uuid) {
  Desk desk;
  desk.enrol(key(1), agent(1, "alpha", {"sum"}));
  BOOST_TEST(desk.heartbeat(key(1), 1, AgentState::leaving) == 0);
  BOOST_TEST((desk.registry.size() == 0 && desk.registry.deadline() == kNever));
  BOOST_TEST(desk.numbers(By::capability, "sum").empty());
  BOOST_TEST(desk.heartbeat(key(1), 1, AgentState::leaving) == kUnknown);
  BOOST_TEST(desk.enrol(key(2), agent(1)) == 90);
}

BOOST_AUTO_TEST_CASE(registering_again_replaces_the_description_and_counts_as_heartbeat) {
  Desk desk;
  desk.enrol(key(1), agent(1, "alpha", {"sum", "old"}));
  desk.now = at(60s);
  BOOST_TEST(desk.enrol(key(1), agent(1, "beta", {"sum", "new"})) == 90);
  BOOST_TEST(desk.registry.size() == 1u);
  BOOST_TEST((desk.registry.deadline() == at(150s)));
  for (const char* gone : {"alpha"}) BOOST_TEST(desk.numbers(By::name, gone).empty());
  BOOST_TEST(desk.numbers(By::capability, "old").empty());
  BOOST_TEST((desk.numbers(By::name, "beta") == Numbers{1}));
  BOOST_TEST((desk.numbers(By::capability, "sum") == Numbers{1}));
  BOOST_TEST((desk.numbers(By::capability, "new") == Numbers{1}));
}

BOOST_AUTO_TEST_CASE(agents_are_limited_in_all_and_for_each_key) {
  Desk desk({.max_agents = 3, .max_agents_per_key = 2});
  BOOST_TEST(desk.enrol(key(1), agent(1)) == 90);
  BOOST_TEST(desk.enrol(key(1), agent(2)) == 90);
  BOOST_TEST(desk.enrol(key(1), agent(3)) == kFull);
  BOOST_TEST(desk.enrol(key(2), agent(4)) == 90);
  BOOST_TEST(desk.enrol(key(3), agent(5)) == kFull);
  BOOST_TEST(desk.enrol(key(1), agent(1, "again")) == 90);  // needs no room
  BOOST_TEST(desk.heartbeat(key(1), 2, AgentState::leaving) == 0);
  BOOST_TEST(desk.enrol(key(3), agent(5)) == 90);
  desk.now = at(90s);
  for (int i = 10; i < 12; ++i) BOOST_TEST(desk.enrol(key(1), agent(i)) == 90);  // what expired counts no more
}

BOOST_AUTO_TEST_CASE(descriptions_are_limited_in_bytes_and_capabilities) {
  Desk desk({.max_agent_bytes = 100, .max_capabilities = 3});
  const auto of_size = [](std::size_t size) { return agent(1, std::string(size - 26, 'a')); };
  BOOST_TEST(encode_payload(of_size(100)).size() == 100u);
  BOOST_TEST(desk.enrol(key(1), of_size(101)) == kTooLarge);
  BOOST_TEST(desk.registry.size() == 0u);
  BOOST_TEST(desk.enrol(key(1), of_size(100)) == 90);
  BOOST_TEST(desk.enrol(key(1), agent(1, "four", {"a", "b", "c", "d"})) == kTooLarge);
  BOOST_TEST((desk.numbers(By::name, std::string(74, 'a')) == Numbers{1}));  // the old one is untouched
  BOOST_TEST(desk.enrol(key(1), agent(1, "three", {"a", "b", "c"})) == 90);
}

BOOST_AUTO_TEST_CASE(payloads_that_do_not_fit_are_answered_with_an_error) {
  Desk desk;
  for (const MessageType type :
       {MessageType::agent_register, MessageType::agent_heartbeat, MessageType::agent_discover}) {
    BOOST_TEST(desk.outcome(desk.send(key(1), type, {})) == kBad);
    BOOST_TEST(desk.outcome(desk.send(key(1), type, Bytes(200, 0xff))) == kBad);
  }
  Bytes trailing = encode_payload(agent(1));
  trailing.push_back(0);
  BOOST_TEST(desk.outcome(desk.send(key(1), MessageType::agent_register, trailing)) == kBad);
  BOOST_TEST(desk.enrol(key(1), agent(0)) == kBad);  // the UUID that is nobody's
  for (const MessageFlag flag : {MessageFlag::compressed, MessageFlag::encrypted}) {
    const Bytes payload = encode_payload(agent(1));
    const Message packed{MessageType::agent_register, static_cast<std::uint8_t>(flag), 7, 9, payload};
    BOOST_TEST(desk.outcome(desk.registry.on_message(desk.now, key(1), packed)) == kBad);
  }
  const Bytes payload = encode_payload(agent(1));
  const Message asked{MessageType::agent_register, static_cast<std::uint8_t>(MessageFlag::requires_ack), 7, 9, payload};
  BOOST_TEST(desk.outcome(desk.registry.on_message(desk.now, key(1), asked)) == 90);
}

BOOST_AUTO_TEST_CASE(messages_of_other_types_are_not_the_registrys) {
  Desk desk;
  for (int type = 0; type < 256; ++type) {
    const auto of_type = static_cast<MessageType>(type);
    const bool own = of_type == MessageType::agent_register || of_type == MessageType::agent_heartbeat ||
                     of_type == MessageType::agent_discover;
    BOOST_TEST(desk.send(key(1), of_type, {}).has_value() == own, type);
  }
}

BOOST_AUTO_TEST_CASE(long_answers_come_in_pages_of_bounded_size) {
  Desk desk({.max_agents_per_key = 1000, .max_agent_bytes = 100, .max_answer_bytes = 500});
  for (int i = 300; i > 0; --i) desk.enrol(key(1), agent(i, "worker", {"sum"}));
  Numbers found;
  Uuid after{};
  for (bool more = true; more;) {
    const auto list = desk.page(By::capability, "sum", after);
    BOOST_TEST(encode_payload(list).size() <= 500u);
    BOOST_REQUIRE(!list.agents.empty());
    for (const auto& one : list.agents) found.push_back(one.description.agent[14] << 8 | one.description.agent[15]);
    after = list.agents.back().description.agent;
    more = list.more;
    if (found.size() == 7) {  // meanwhile one goes that was listed, one that was not, and one comes
      desk.heartbeat(key(1), 2, AgentState::leaving);
      desk.heartbeat(key(1), 200, AgentState::leaving);
      desk.enrol(key(1), agent(301, "worker", {"sum"}));
    }
  }
  Numbers expected;
  for (int i = 1; i <= 301; ++i)
    if (i != 200) expected.push_back(i);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(largest_description_fits_into_the_smallest_answer) {
  Desk desk({.max_agent_bytes = 200, .max_answer_bytes = 235});
  const auto largest = [](int number) { return agent(number, std::string(174, 'a')); };
  for (int i = 1; i <= 3; ++i) BOOST_TEST(desk.enrol(key(1), largest(i)) == 90);
  Uuid after{};
  for (int i = 1; i <= 3; ++i) {
    const auto list = desk.page(By::name, std::string(174, 'a'), after);
    BOOST_REQUIRE(list.agents.size() == 1u);
    BOOST_TEST((list.agents[0].description.agent == uuid(i)));
    BOOST_TEST(list.more == (i < 3));
    after = uuid(i);
  }
}

BOOST_AUTO_TEST_CASE(heartbeats_queries_and_repeated_registrations_allocate_nothing) {
  Desk desk;
  for (int i = 1; i <= 50; ++i) desk.enrol(key(1), agent(i, "worker", {"sum"}));
  const Bytes again = encode_payload(agent(7, "worker", {"sum"})),
              beat = encode_payload(AgentHeartbeatPayload{uuid(7)}),
              query = encode_payload(AgentDiscoverPayload{By::capability, {}, "sum", {}}),
              wrong = encode_payload(AgentHeartbeatPayload{uuid(700)});
  const PublicKey peer = key(1);
  const auto before = test::allocations();
  std::size_t answers = 0;
  for (int i = 1; i <= 100; ++i) {
    const Timestamp now = at(std::chrono::milliseconds(i));
    for (const auto& [type, payload] :
         {std::pair(MessageType::agent_register, &again), std::pair(MessageType::agent_heartbeat, &beat),
          std::pair(MessageType::agent_discover, &query), std::pair(MessageType::agent_heartbeat, &wrong)})
      answers += desk.registry.on_message(now, peer, {type, 0, 1, 0, *payload}).has_value() ? 1 : 0;
  }
  const auto after = test::allocations();
  BOOST_TEST(after == before);
  BOOST_TEST(answers == 400u);
}

// What the header promises of the default settings, with descriptions that cost most: as many capabilities as are taken,
// in as many bytes.
BOOST_AUTO_TEST_CASE(full_registry_takes_24_mib_at_most) {
  const auto before = test::live_bytes();
  {
    Desk desk;
    for (int i = 1; i <= 4096; ++i) {
      AgentRegisterPayload description = agent(i, std::string(1000, 'n'));
      for (int c = 0; c < 32; ++c) description.capabilities.push_back(std::to_string(c) + std::string(27, 'c'));
      if (desk.enrol(key(static_cast<std::uint8_t>(i / 64)), description) != 90) BOOST_FAIL("not taken");
    }
    BOOST_TEST(desk.registry.size() == 4096u);
    BOOST_TEST(test::live_bytes() - before < 24 * 1024 * 1024);
  }
  BOOST_TEST(test::live_bytes() - before < 1024);
}

BOOST_AUTO_TEST_CASE(agents_that_came_and_went_leave_nothing_behind) {
  Desk desk;
  desk.enrol(key(0), agent(1));
  const auto before = test::live_bytes();
  for (int round = 0; round < 300; ++round) {
    const PublicKey stranger = key(static_cast<std::uint8_t>(1 + round % 200));
    desk.enrol(stranger, agent(2 + round, "worker", {"sum"}));
    desk.now += 30s;
    desk.heartbeat(key(0), 1);
  }
  desk.now += 60s;
  desk.heartbeat(key(0), 1);
  BOOST_TEST(desk.registry.size() == 1u);
  BOOST_TEST(test::live_bytes() - before < 1024);
}

BOOST_AUTO_TEST_CASE(name_is_no_capability_though_it_is_the_same_text) {
  Desk desk;
  desk.enrol(key(1), agent(1, "same"));
  desk.enrol(key(1), agent(2, "other", {"same"}));
  BOOST_TEST((desk.numbers(By::name, "same") == Numbers{1}));
  BOOST_TEST((desk.numbers(By::capability, "same") == Numbers{2}));
}

BOOST_AUTO_TEST_CASE(registry_moves_with_its_agents) {
  Desk desk;
  desk.enrol(key(1), agent(1));
  AgentRegistry moved = std::move(desk.registry);
  BOOST_TEST((moved.size() == 1 && moved.deadline() == at(90s)));
  desk.registry = std::move(moved);
  BOOST_TEST(desk.heartbeat(key(1), 1) == 90);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace agent_registry_test

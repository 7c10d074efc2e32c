// The registry against a list that is searched from end to end.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <variant>

#include "mxp/agent_registry.h"

using namespace mxp;

namespace agent_registry_property {
namespace {

using Bytes = std::vector<std::uint8_t>;
using By = AgentDiscoverPayload::By;

struct Step {
  int action;
  int who;
  int which;
  int how;
};

struct Known {
  PublicKey owner;
  Timestamp deadline;
  AgentRegisterPayload description;
};

constexpr std::size_t kMaxAgents = 8, kMaxOfKey = 3;
constexpr auto kLifetime = std::chrono::seconds(10);

PublicKey key(int number) {
  PublicKey::Bytes bytes{};
  bytes[31] = static_cast<std::uint8_t>(number);
  return PublicKey(bytes);
}
Uuid uuid(int number) {
  Uuid result{};
  result[number % 2 == 0 ? 0 : 15] = static_cast<std::uint8_t>(number + 1);
  return result;
}
AgentRegisterPayload description(int which, int how) {
  const std::string names[] = {"", "a", "aa", "b"};
  AgentRegisterPayload payload{uuid(which), names[how % 4], {}, {}, static_cast<std::uint16_t>(how)};
  for (int bit = 0; bit < 4; ++bit)
    if ((how >> bit & 1) != 0) payload.capabilities.push_back(names[bit]);
  return payload;
}

// What the registry should be: no index, no heap, every rule written out.
class Model {
 public:
  using Result = std::variant<ErrorReason, std::uint32_t>;

  void forget_expired(Timestamp now) {
    std::erase_if(agents_, [&](const auto& entry) { return entry.second.deadline <= now; });
  }
  Result enrol(Timestamp now, const PublicKey& peer, const AgentRegisterPayload& payload) {
    const auto known = agents_.find(payload.agent);
    if (known != agents_.end() && known->second.owner != peer) return ErrorReason::taken;
    const auto of_key =
        std::count_if(agents_.begin(), agents_.end(), [&](const auto& e) { return e.second.owner == peer; });
    if (known == agents_.end() && (agents_.size() >= kMaxAgents || of_key >= static_cast<long>(kMaxOfKey)))
      return ErrorReason::full;
    agents_[payload.agent] = {peer, now + kLifetime, payload};
    return std::uint32_t{10};
  }
  Result heartbeat(Timestamp now, const PublicKey& peer, const Uuid& agent, AgentState state) {
    const auto known = agents_.find(agent);
    if (known == agents_.end()) return ErrorReason::unknown_agent;
    if (known->second.owner != peer) return ErrorReason::taken;
    if (state == AgentState::leaving) {
      agents_.erase(known);
      return std::uint32_t{0};
    }
    known->second.deadline = now + kLifetime;
    return std::uint32_t{10};
  }
  std::vector<Bytes> discover(By by, const std::string& text, const Uuid& agent) const {
    std::vector<Bytes> found;
    for (const auto& [id, known] : agents_) {
      const auto& capabilities = known.description.capabilities;
      const bool fits = by == By::name         ? known.description.name == text
                        : by == By::capability ? std::count(capabilities.begin(), capabilities.end(), text) > 0
                                               : id == agent;
      if (fits) found.push_back(encode_payload(known.description));
    }
    return found;
  }
  Timestamp deadline() const {
    Timestamp earliest = kNever;
    for (const auto& [id, known] : agents_) earliest = std::min(earliest, known.deadline);
    return earliest;
  }
  std::size_t size() const { return agents_.size(); }
  std::optional<PublicKey> owner(const Uuid& agent) const {
    const auto known = agents_.find(agent);
    return known == agents_.end() ? std::nullopt : std::optional(known->second.owner);
  }

 private:
  std::map<Uuid, Known> agents_;
};

Model::Result result_of(const std::optional<Message>& answer) {
  RC_ASSERT(answer.has_value());
  if (answer->type == MessageType::error) return decode_error(answer->payload).value().reason;
  return decode_agent_lease(answer->payload).value().lifetime_seconds;
}

// All pages of an answer.
std::vector<Bytes> discovered(AgentRegistry& registry, Timestamp now, By by, const std::string& text,
                              const Uuid& agent) {
  std::vector<Bytes> found;
  Uuid after{};
  for (bool more = true; more;) {
    const Bytes query = encode_payload(AgentDiscoverPayload{by, after, text, agent});
    const auto answer = registry.on_message(now, key(0), {MessageType::agent_discover, 0, 1, 2, query});
    RC_ASSERT(answer.has_value() && answer->payload.size() <= 130u);
    const auto list = decode_agent_list(answer->payload);
    RC_ASSERT(list.has_value());
    RC_ASSERT(!list->more || !list->agents.empty());
    for (const auto& one : list->agents) found.push_back(encode_payload(one.description));
    if (!list->agents.empty()) after = list->agents.back().description.agent;
    more = list->more;
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_registry_property)

BOOST_AUTO_TEST_CASE(random_agents_match_a_list) {
  BOOST_TEST(rc::check([] {
    AgentRegistry registry({.lifetime = kLifetime,
                            .max_agents = kMaxAgents,
                            .max_agents_per_key = kMaxOfKey,
                            .max_agent_bytes = 60,
                            .max_answer_bytes = 130});
    Model model;
    Timestamp now{};
    const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
        rc::gen::inRange(0, 8), rc::gen::inRange(0, 4), rc::gen::inRange(0, 12), rc::gen::inRange(0, 16)));
    for (const auto& [action, who, which, how] : steps) {
      if (action == 7) {
        now += std::chrono::seconds(how);
        if (how % 2 == 0) {
          const std::size_t before = model.size();
          model.forget_expired(now);
          RC_ASSERT(registry.on_timeout(now) == before - model.size());
        }
      }
      if (action <= 2) {
        model.forget_expired(now);
        const Bytes payload = encode_payload(description(which, how));
        const auto answer = registry.on_message(now, key(who), {MessageType::agent_register, 0, 1, 2, payload});
        RC_ASSERT(result_of(answer) == model.enrol(now, key(who), description(which, how)));
      } else if (action <= 4) {
        model.forget_expired(now);
        const AgentState state = how % 4 == 0 ? AgentState::leaving : AgentState::alive;
        const Bytes payload = encode_payload(AgentHeartbeatPayload{uuid(which), state});
        const auto answer = registry.on_message(now, key(who), {MessageType::agent_heartbeat, 0, 1, 2, payload});
        RC_ASSERT(result_of(answer) == model.heartbeat(now, key(who), uuid(which), state));
      } else if (action <= 6) {
        model.forget_expired(now);
        const By by = how % 3 == 0 ? By::name : how % 3 == 1 ? By::capability : By::agent;
        const std::string text = by == By::agent ? "" : description(which, how).name;
        RC_ASSERT(discovered(registry, now, by, text, uuid(which)) == model.discover(by, text, uuid(which)));
      }
      RC_ASSERT(registry.size() == model.size());
      RC_ASSERT(registry.deadline() == model.deadline());
      RC_ASSERT(registry.owner(uuid(which)) == model.owner(uuid(which)));
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace agent_registry_property

// A registry that strangers speak to. The input is a sequence of messages, each with a byte for who sends it, one for the
// type and the time that passes, one for the length, and the payload. Whatever they say, the registry answers within its
// bounds, and what its indexes know is what its agents say.
#include "mxp/agent_registry.h"

#include <algorithm>
#include <vector>

#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

constexpr std::size_t kMaxAgents = 6, kMaxAnswer = 200;

PublicKey key(std::uint8_t number) {
  PublicKey::Bytes bytes{};
  bytes[0] = number;
  return PublicKey(bytes);
}

void check_answer(const Message& request, const Message& answer) {
  require(answer.id == request.id && answer.trace_id == request.trace_id, "an answer names what it answers");
  require(answer.payload.size() <= kMaxAnswer, "an answer is bounded");
  if (answer.type == MessageType::error) {
    require(decode_error(answer.payload).has_value(), "an error can be read");
  } else if (request.type == MessageType::agent_discover) {
    const auto list = decode_agent_list(answer.payload);
    const auto query = decode_agent_discover(request.payload);
    require(list && query, "a query that was answered can be read, and its answer");
    require(!list->more || !list->agents.empty(), "pages lead somewhere");
    Uuid last = query->after;
    for (const auto& agent : list->agents) {
      require(agent.description.agent > last, "agents come in order, each once");
      last = agent.description.agent;
      const auto& capabilities = agent.description.capabilities;
      using By = AgentDiscoverPayload::By;
      require(query->by == By::name         ? agent.description.name == query->text
              : query->by == By::capability ? std::ranges::find(capabilities, query->text) != capabilities.end()
                                            : agent.description.agent == query->agent,
              "what is found is what was asked for");
    }
  } else {
    require(decode_agent_lease(answer.payload).has_value(), "a lease can be read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  AgentRegistry registry({.lifetime = std::chrono::seconds(20),
                          .max_agents = kMaxAgents,
                          .max_agents_per_key = 3,
                          .max_agent_bytes = 120,
                          .max_capabilities = 6,
                          .max_answer_bytes = kMaxAnswer});
  Timestamp now{};
  ByteView rest(data, size);
  for (std::uint64_t number = 1; rest.size() >= 3; ++number) {
    const std::uint8_t who = rest[0], what = rest[1];
    const ByteView payload = rest.subspan(3, std::min<std::size_t>(rest[2], rest.size() - 3));
    rest = rest.subspan(3 + payload.size());
    now += std::chrono::seconds(what >> 4);
    const Message message{static_cast<MessageType>(what & 3), 0, number, who, payload};
    const auto answer = registry.on_message(now, key(who & 3), message);
    require(answer.has_value() == ((what & 3) != 0), "the three types are answered, and no other");
    if (answer) check_answer(message, *answer);
    require(registry.size() <= kMaxAgents, "the number of agents is bounded");
    require((registry.deadline() == kNever) == (registry.size() == 0), "who is there has a deadline");
    require(registry.deadline() > now, "who is there is in time");
  }
  registry.on_timeout(kNever);
  require(registry.size() == 0, "all of them go in the end");
  return 0;
}

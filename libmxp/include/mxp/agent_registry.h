// A registry that a server may embed: agents register under a UUID, stay while they send heartbeats, and are found by
// name, capability or UUID. It lives in memory and is gone with the process.
//
//     agent    AgentRegister   ->            Response: how long it stays         or Error
//              AgentHeartbeat  ->            Response: the same                  or Error
//     anyone   AgentDiscover   ->            Response: agents, and if there are more
//
// It takes messages and gives answers, and does not care what carries them: no connection, clock or thread is inside.
// The payloads are in mxp/message.h, and docs/protocol.md §1.3 has their bytes and the rules.
//
// A UUID belongs to the key that registered it, until the agent leaves or its time has passed; others are refused. Who
// may register or ask at all is the server's to decide, before it hands a message over.
//
// An object belongs to one thread. Heartbeats, queries, and registrations that change nothing allocate nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

struct AgentRegistryConfig {
  // How long an agent stays without a heartbeat. Whole seconds, 1 s to a day. Three heartbeats fit, so that one may be
  // late and one lost.
  std::chrono::seconds lifetime = std::chrono::seconds(90);
  // All agents, and those of one key: one client cannot fill the registry. 1 to 2^20. With the bounds below an agent
  // takes 6 KiB at most, so these are 24 MiB.
  std::size_t max_agents = 4096;
  std::size_t max_agents_per_key = 64;
  // The description of one agent, as the payload of its AgentRegister: bytes (26 to 65,536) and capabilities. What is
  // larger is refused.
  std::size_t max_agent_bytes = 2048;
  std::size_t max_capabilities = 32;
  // The payload of one answer; the rest is asked for separately. At least max_agent_bytes + 35, at most
  // kMaxMessagePayload.
  std::size_t max_answer_bytes = 16 * 1024;
};

class AgentRegistry {
 public:
  // REQUIRES: the settings are within their ranges.
  explicit AgentRegistry(const AgentRegistryConfig& config = {});
  AgentRegistry(AgentRegistry&&) noexcept;
  AgentRegistry& operator=(AgentRegistry&&) noexcept;
  ~AgentRegistry();

  // The answer to a message from `peer`, whose key is proven: a Response or an Error with the message's own id and
  // trace id, to be sent back to it. nullopt if the message is none of the three types. The payload of the answer is a
  // view that is good until the next call. A payload whose flags say that it is compressed or
  // sealed is answered with an Error (bad_payload). `now` does not run backwards.
  std::optional<Message> on_message(Timestamp now, const PublicKey& peer, const Message& message);

  // When the next agent's time passes; kNever if there is none. on_message looks at the time too, so being late costs
  // memory and no truth.
  Timestamp deadline() const;
  // Forgets the agents whose time has passed; returns how many those were.
  std::size_t on_timeout(Timestamp now);

  std::size_t size() const;
  // Who registered the agent, for a server that passes calls on to their targets. nullopt if nobody did, or its time
  // had passed at the last call with a time.
  std::optional<PublicKey> owner(const Uuid& agent) const;

 private:
  struct [[gnu::visibility("hidden")]] State;
  std::unique_ptr<State> state_;
};

}  // namespace mxp
#pragma GCC visibility pop

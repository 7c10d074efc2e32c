// The registry (docs/protocol.md §1.3). An agent is one record, which holds the payload of its AgentRegister as it
// came; everything else looks into that:
//
//     by_agent     its UUID            ->  the record, in a node that does not move
//     by_text      (kind, text, UUID)  ->  the record: once for its name, once for each of its capabilities
//     by_deadline  a heap of the records: whose time passes next
//     of_key       a key               ->  how many agents it has
//
// An answer to AgentDiscover is a run of by_text, written straight from the payloads. Because the run is in the order
// of the UUIDs, "after this one" is all that must be known to go on, and the registry remembers nothing about anybody
// who asks: what was registered or has gone meanwhile is found or missing there, and nothing else is doubled or left
// out.
#include "mxp/agent_registry.h"

#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "core/indexed_heap.h"
#include "message/flags.h"
#include "message/payload_parts.h"
#include "mxp/require.h"

namespace mxp {
namespace {

using By = AgentDiscoverPayload::By;
constexpr std::size_t kListHeaderSize = 3;
constexpr Uuid kNil{};  // RFC 9562 §5.9: nobody's; it stands for "from the start"

struct Record {
  Uuid agent{};
  PublicKey owner;
  Timestamp deadline{};
  std::size_t heap_place = kNotInHeap;
  std::vector<std::uint8_t> payload;
};
struct Sooner {
  bool operator()(const Record& a, const Record& b) const { return a.deadline < b.deadline; }
};

// One text by which a record is found. The text is a view into the record's payload.
struct TextKey {
  By by = By::name;
  std::string_view text;
  Uuid agent{};

  auto operator<=>(const TextKey&) const = default;
};

std::size_t listed_size(const Record& record) { return PublicKey::kSize + record.payload.size(); }

}  // namespace

struct AgentRegistry::State {
  explicit State(const AgentRegistryConfig& settings) : config(settings), reply(settings.max_answer_bytes) {}

  Message on_register(Timestamp now, const PublicKey& peer, const Message& message);
  Message on_heartbeat(Timestamp now, const PublicKey& peer, const Message& message);
  Message on_discover(const Message& message);

  void index(const Record& record, bool add);
  void erase(Record& record);
  std::size_t expire(Timestamp now);

  Message response(const Message& request, std::size_t size) const {
    return {MessageType::response, 0, request.id, request.trace_id, ByteView(reply).first(size)};
  }
  Message lease(const Message& request, std::uint32_t seconds);
  Message error(const Message& request, ErrorReason reason, std::string_view text);
  std::uint32_t lifetime_seconds() const { return static_cast<std::uint32_t>(config.lifetime.count()); }

  AgentRegistryConfig config;
  std::vector<std::uint8_t> reply;
  std::map<Uuid, Record> by_agent;
  std::map<TextKey, const Record*> by_text;
  std::map<PublicKey, std::size_t> of_key;
  IndexedHeap<Record, Sooner, &Record::heap_place> by_deadline;
};

Message AgentRegistry::State::lease(const Message& request, std::uint32_t seconds) {
  Writer out(reply);
  out.le(seconds);
  return response(request, out.written());
}

Message AgentRegistry::State::error(const Message& request, ErrorReason reason, std::string_view text) {
  Writer out(reply);
  out.le(static_cast<std::uint16_t>(reason));
  out.bytes(as_bytes(text));
  Message answer = response(request, out.written());
  answer.type = MessageType::error;
  return answer;
}

void AgentRegistry::State::index(const Record& record, bool add) {
  const auto set = [&](By by, std::string_view text) {
    const TextKey key{by, text, record.agent};
    if (add) by_text.emplace(key, &record);  // a capability that is named twice is there once
    else by_text.erase(key);
  };
  Reader in(record.payload);
  const auto view = read_agent_register(in, [&](std::string_view capability) { set(By::capability, capability); });
  if (view) set(By::name, view->name);
}

void AgentRegistry::State::erase(Record& record) {
  index(record, false);
  by_deadline.remove(record);
  const auto count = of_key.find(record.owner);
  if (--count->second == 0) of_key.erase(count);
  by_agent.erase(Uuid(record.agent));
}

std::size_t AgentRegistry::State::expire(Timestamp now) {
  std::size_t expired = 0;
  for (; !by_deadline.empty() && by_deadline.top().deadline <= now; ++expired) erase(by_deadline.top());
  return expired;
}

Message AgentRegistry::State::on_register(Timestamp now, const PublicKey& peer, const Message& message) {
  constexpr std::string_view kTooLarge = "the description is too large";
  if (message.payload.size() > config.max_agent_bytes) return error(message, ErrorReason::too_large, kTooLarge);
  Reader in(message.payload);
  const auto view = read_agent_register(in, [](std::string_view) {});
  if (!view || !in.empty() || view->agent == kNil)
    return error(message, ErrorReason::bad_payload, "not the description of an agent");
  if (view->capabilities > config.max_capabilities) return error(message, ErrorReason::too_large, kTooLarge);
  auto found = by_agent.find(view->agent);
  if (found != by_agent.end() && found->second.owner != peer)
    return error(message, ErrorReason::taken, "the agent belongs to another key");
  if (found == by_agent.end()) {
    if (by_agent.size() >= config.max_agents) return error(message, ErrorReason::full, "the registry is full");
    const auto count = of_key.find(peer);
    if (count != of_key.end() && count->second >= config.max_agents_per_key)
      return error(message, ErrorReason::full, "this key has as many agents as it may");
    ++of_key[peer];
    found = by_agent.try_emplace(view->agent).first;
    found->second.agent = view->agent;
    found->second.owner = peer;
  }
  Record& record = found->second;
  if (!std::equal(record.payload.begin(), record.payload.end(), message.payload.begin(), message.payload.end())) {
    index(record, false);
    record.payload.assign(message.payload.begin(), message.payload.end());
    index(record, true);
  }
  record.deadline = now + config.lifetime;
  by_deadline.set(record);
  return lease(message, lifetime_seconds());
}

Message AgentRegistry::State::on_heartbeat(Timestamp now, const PublicKey& peer, const Message& message) {
  const auto heartbeat = decode_agent_heartbeat(message.payload);
  if (!heartbeat) return error(message, ErrorReason::bad_payload, "not a heartbeat");
  const auto found = by_agent.find(heartbeat->agent);
  if (found == by_agent.end()) return error(message, ErrorReason::unknown_agent, "the agent is not registered");
  Record& record = found->second;
  if (record.owner != peer) return error(message, ErrorReason::taken, "the agent belongs to another key");
  if (heartbeat->state == AgentState::leaving) {
    erase(record);
    return lease(message, 0);
  }
  record.deadline = now + config.lifetime;
  by_deadline.set(record);
  return lease(message, lifetime_seconds());
}

Message AgentRegistry::State::on_discover(const Message& message) {
  const auto query = decode_agent_discover(message.payload);
  if (!query) return error(message, ErrorReason::bad_payload, "not a query");
  Writer out(MutableBytes(reply).subspan(kListHeaderSize));
  std::uint16_t count = 0;
  bool more = false;
  const auto list = [&](const Record& record) {
    if (out.space() < listed_size(record) || count == std::numeric_limits<std::uint16_t>::max()) return false;
    out.bytes(record.owner.bytes());
    out.bytes(record.payload);
    ++count;
    return true;
  };
  if (query->by == By::agent) {
    const auto found = by_agent.find(query->agent);
    if (found != by_agent.end() && query->agent > query->after) list(found->second);
  } else {
    auto next = by_text.upper_bound(TextKey{query->by, query->text, query->after});
    while (!more && next != by_text.end() && next->first.by == query->by && next->first.text == query->text) {
      if (list(*next->second)) ++next;
      else more = true;
    }
  }
  Writer header(reply);
  header.u8(more ? 1 : 0);
  header.le(count);
  return response(message, kListHeaderSize + out.written());
}

AgentRegistry::AgentRegistry(const AgentRegistryConfig& config) {
  constexpr std::size_t kSmallestAgent = 26, kMaxAgents = std::size_t{1} << 20;
  MXP_REQUIRE(config.lifetime >= std::chrono::seconds(1) && config.lifetime <= std::chrono::hours(24));
  MXP_REQUIRE(config.max_agents >= 1 && config.max_agents <= kMaxAgents && config.max_agents_per_key >= 1);
  MXP_REQUIRE(config.max_agent_bytes >= kSmallestAgent && config.max_agent_bytes <= 65'536);
  MXP_REQUIRE(config.max_answer_bytes >= kListHeaderSize + PublicKey::kSize + config.max_agent_bytes &&
              config.max_answer_bytes <= kMaxMessagePayload);
  state_ = std::make_unique<State>(config);
}
AgentRegistry::AgentRegistry(AgentRegistry&&) noexcept = default;
AgentRegistry& AgentRegistry::operator=(AgentRegistry&&) noexcept = default;
AgentRegistry::~AgentRegistry() = default;

std::optional<Message> AgentRegistry::on_message(Timestamp now, const PublicKey& peer, const Message& message) {
  state_->expire(now);
  switch (message.type) {
    case MessageType::agent_register:
    case MessageType::agent_heartbeat:
    case MessageType::agent_discover: break;
    default: return std::nullopt;
  }
  if ((message.flags & (kCompressed | kEncrypted)) != 0)
    return state_->error(message, ErrorReason::bad_payload, "the payload is not plain");
  if (message.type == MessageType::agent_register) return state_->on_register(now, peer, message);
  if (message.type == MessageType::agent_heartbeat) return state_->on_heartbeat(now, peer, message);
  return state_->on_discover(message);
}

Timestamp AgentRegistry::deadline() const {
  return state_->by_deadline.empty() ? kNever : state_->by_deadline.top().deadline;
}
std::size_t AgentRegistry::on_timeout(Timestamp now) { return state_->expire(now); }
std::size_t AgentRegistry::size() const { return state_->by_agent.size(); }

std::optional<PublicKey> AgentRegistry::owner(const Uuid& agent) const {
  const auto found = state_->by_agent.find(agent);
  if (found == state_->by_agent.end()) return std::nullopt;
  return found->second.owner;
}

}  // namespace mxp

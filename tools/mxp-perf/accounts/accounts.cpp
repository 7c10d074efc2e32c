#include "mxp-perf/accounts/accounts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "common/counted.h"
#include "common/escape.h"
#include "common/units.h"

namespace mxp::perf {

nlohmann::json to_json(const Account& account) {
  nlohmann::json json = {{"event", "client"}, {"key", account.key}, {"address", account.address}};
  if (!account.name.empty()) json["name"] = account.name;
  if (!account.test.empty()) json["test"] = account.test;
  if (!account.refused.empty()) {
    json["refused"] = account.refused;
    return json;
  }
  json["connections"] = account.connections;
  json["seconds"] = std::chrono::duration<double>(account.lasted).count();
  json["received_bytes"] = account.received_bytes;
  json["sent_bytes"] = account.sent_bytes;
  json["end"] = account.end;
  const auto add = [&](const char* key, std::uint64_t count) {
    if (count > 0) json[key] = count;
  };
  add("messages", account.messages);
  add("datagrams", account.datagrams);
  add("answers", account.answers);
  add("handshakes", account.handshakes);
  return json;
}

std::string to_text(const Account& account) {
  std::string text = fmt::format("client {}{}{} {}", account.key, account.name.empty() ? "" : " ",
                                 tools::escape(account.name), account.address);
  if (!account.test.empty()) text += ": " + account.test;
  if (!account.refused.empty()) return text + (account.test.empty() ? ": refused: " : " refused: ") + account.refused;
  text += fmt::format(", {}, {} received, {} sent", tools::counted(account.connections, "connection"),
                      tools::format_bytes(account.received_bytes), tools::format_bytes(account.sent_bytes));
  const auto add = [&](std::string_view noun, std::uint64_t count) {
    if (count > 0) text += ", " + tools::counted(count, std::string(noun));
  };
  add("message", account.messages);
  add("datagram", account.datagrams);
  add("answer", account.answers);
  add("handshake", account.handshakes);
  return text + fmt::format(", {}: {}", tools::format_duration(account.lasted), tools::escape(account.end));
}

std::shared_ptr<Accounts::Client> Accounts::open(const PublicKey& key, const Workload& workload, const Account& account,
                                                 Timestamp now, const ServerLimits& limits) {
  const std::pair<std::string, std::uint64_t> id(key.to_string(), workload.run);
  auto found = clients_.find(id);
  if (found == clients_.end()) {
    if (limits.max_clients && clients_.size() >= *limits.max_clients) return nullptr;
    auto client = std::make_shared<Client>();
    client->account = account;
    client->key = key;
    client->test = workload.test;
    client->since = now;
    if (limits.max_bits_per_second) {
      client->gate = gate_of(key);
      if (!client->gate) client->gate = std::make_shared<RateGate>(*limits.max_bits_per_second / 8);
    }
    found = clients_.emplace(id, std::move(client)).first;
  }
  ++found->second->open_connections;
  ++found->second->account.connections;
  return found->second;
}

std::optional<Account> Accounts::close(const std::shared_ptr<Client>& client, Timestamp now, std::string_view reason) {
  if (--client->open_connections > 0) return std::nullopt;
  client->account.lasted = now - client->since;
  client->account.end = reason;
  std::erase_if(clients_, [&](const auto& entry) { return entry.second == client; });
  return client->account;
}

std::shared_ptr<RateGate> Accounts::gate_of(const PublicKey& key) const {
  const auto first = clients_.lower_bound({key.to_string(), 0});
  return first != clients_.end() && first->second->key == key ? first->second->gate : nullptr;
}

std::shared_ptr<Accounts::Client> Accounts::connecting(const PublicKey& key) const {
  const auto first = clients_.lower_bound({key.to_string(), 0});
  for (auto each = first; each != clients_.end() && each->second->key == key; ++each)
    if (each->second->test == Test::connect) return each->second;
  return nullptr;
}

std::optional<std::string> why_beyond(const ServerLimits& limits, const Workload& workload) {
  if (limits.max_time && workload.duration > *limits.max_time)
    return fmt::format("a test of {} is longer than this server allows: {}", tools::format_duration(workload.duration),
                       tools::format_duration(*limits.max_time));
  if (limits.max_time && workload.wait > *limits.max_time)
    return fmt::format("a wait of {} for --start-at is longer than this server allows a test to be: {}",
                       tools::format_duration(workload.wait), tools::format_duration(*limits.max_time));
  if (!limits.max_bits_per_second || workload.test != Test::datagrams) return std::nullopt;
  // Nothing holds datagrams back on their way, so a client has to keep to the rate by itself.
  const double asked = workload.calls_per_second * static_cast<double>(workload.size) * 8;
  if (asked > 0 && asked <= *limits.max_bits_per_second) return std::nullopt;
  return fmt::format("datagrams {} are more than this server allows: {} (--rate and --size say less)",
                     asked > 0 ? "of " + tools::format_bit_rate(asked) : "as fast as they go",
                     tools::format_bit_rate(*limits.max_bits_per_second));
}

}  // namespace mxp::perf

#include "mxp-netem/client_table.h"

namespace mxp::tools {

Client* ClientTable::find(const SocketAddress& address) {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second.get();
}

Client* ClientTable::find(netem::FlowId flow) {
  const auto found = by_flow_.find(flow);
  return found == by_flow_.end() ? nullptr : found->second;
}

Client& ClientTable::add(const SocketAddress& address, RelaySocket upstream, Timestamp now) {
  auto client = std::unique_ptr<Client>(new Client{.flow = next_flow_++,
                                                   .address = address,
                                                   .reached_at = std::nullopt,
                                                   .upstream = std::move(upstream),
                                                   .retired = std::nullopt,
                                                   .last_seen = now});
  Client& added = *client;
  by_flow_.emplace(added.flow, &added);
  by_address_.emplace(address, std::move(client));
  return added;
}

std::vector<std::unique_ptr<Client>> ClientTable::take_idle(Timestamp now) {
  std::vector<std::unique_ptr<Client>> idle;
  for (auto entry = by_address_.begin(); entry != by_address_.end();) {
    if (now - entry->second->last_seen < kIdle) {
      ++entry;
      continue;
    }
    by_flow_.erase(entry->second->flow);
    idle.push_back(std::move(entry->second));
    entry = by_address_.erase(entry);
  }
  return idle;
}

}  // namespace mxp::tools

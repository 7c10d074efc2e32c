#include "mxp-cat/peer_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/counted.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPrice = 1s;
constexpr Duration kCredit = 10 * kPrice;
// Addresses that are told apart. More than so many at a time share one account: a flood from everywhere is one flood.
constexpr std::size_t kMostAccounts = 256;

}  // namespace

std::optional<std::string> PeerMessages::admit(const std::string& peer, const std::string& text, Timestamp now) {
  std::string name = peer.substr(0, peer.rfind(':'));  // a client has a new port each time
  if (!accounts_.contains(name) && accounts_.size() >= kMostAccounts) {
    std::erase_if(accounts_, [&](const auto& one) { return one.second.empty_at <= now && one.second.kept_back == 0; });
    if (accounts_.size() >= kMostAccounts) name = "others";
  }
  Account& account = accounts_[name];
  if (account.empty_at + kPrice > now + kCredit) {
    ++account.kept_back;
    return std::nullopt;
  }
  account.empty_at = std::max(account.empty_at, now) + kPrice;
  if (account.kept_back == 0) return text;
  const std::uint64_t kept_back = account.kept_back;
  account.kept_back = 0;
  return fmt::format("{} ({} not shown before)", text,
                     counted(kept_back, "message about " + name + " was", "messages about " + name + " were"));
}

}  // namespace mxp::tools

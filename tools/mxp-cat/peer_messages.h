// Messages that a peer can cause as often as it likes: ten at once from each address, then one a second. What is kept
// back is counted, and the count is told with the next one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "mxp/time.h"

namespace mxp::tools {

class PeerMessages {
 public:
  // What to print for `text`, which `peer` ("192.0.2.1:9000", or any other name) caused; nothing: it is kept back.
  std::optional<std::string> admit(const std::string& peer, const std::string& text, Timestamp now);

 private:
  struct Account {
    Timestamp empty_at{};  // when all that was said will have been paid for, at one message a second
    std::uint64_t kept_back = 0;
  };
  std::unordered_map<std::string, Account> accounts_;
};

}  // namespace mxp::tools

#include "common/dialer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/resolve.h"

namespace mxp::tools {
namespace {

// RFC 8305 §8: the recommended Connection Attempt Delay.
constexpr Duration kAttemptDelay = std::chrono::milliseconds(250);

// The code of both tools' CLOSE when nothing went wrong.
constexpr AppErrorCode kDone = 0;

}  // namespace

SocketAddress local_address_for(std::vector<SocketAddress>& addresses) {
  SocketAddress any;
  any.family = addresses.front().family;
  const auto of_other_family = [&](const SocketAddress& one) { return one.family != any.family; };
  if (std::none_of(addresses.begin(), addresses.end(), of_other_family)) return any;
  any = all_addresses(0);
  if (any.family == AddressFamily::ipv4) std::erase_if(addresses, of_other_family);
  return any;
}

Dialer::Dialer(EventLoop& loop, std::vector<SocketAddress> addresses, const PublicKey& key)
    : loop_(loop), addresses_(std::move(addresses)), key_(key) {}

Dialer::~Dialer() { stop(); }

Result<void> Dialer::start() { return begin_next(); }

void Dialer::stop() {
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  addresses_.resize(begun_);
}

Result<void> Dialer::begin_next() {
  const SocketAddress& address = addresses_[begun_++];
  const auto connection = loop_.endpoint().connect(loop_.now(), address, key_);
  if (!connection) {
    const bool bad_key = connection.error() == ConnectError::invalid_server_key;
    if (bad_key) {
      return fail(ErrorKind::usage,
                  fmt::format("cannot connect to {}: the key in the URL is none that a server can have; "
                              "copy the URL as `mxp-cat listen` prints it",
                              address.to_string()));
    }
    return fail(ErrorKind::network,
                fmt::format("cannot connect to {}: {}", address.to_string(), to_string(connection.error())));
  }
  under_way_.push_back(*connection);
  begin_next_later();
  return {};
}

void Dialer::begin_next_later() {
  if (begun_ == addresses_.size()) return;
  timer_ = loop_.at(loop_.now() + kAttemptDelay, [this] {
    timer_.reset();
    (void)begin_next();  // the first has begun, so the key is good; the others decide
  });
}

bool Dialer::on_connected(const Connection& connection) {
  if (won_) return false;
  won_ = true;
  stop();
  for (Connection* other : under_way_)
    if (other != &connection) other->close(kDone, "another address answered first");
  under_way_.clear();
  return true;
}

bool Dialer::on_failed(const Connection& connection) {
  std::erase(under_way_, &connection);
  if (won_) return true;
  if (timer_) {
    loop_.cancel(*timer_);
    timer_.reset();
    if (begin_next()) return true;
  }
  return !under_way_.empty();
}

std::string Dialer::tried() const {
  std::string text = addresses_.front().to_string();
  for (std::size_t i = 1; i < begun_; ++i) text += (i + 1 == begun_ ? " and " : ", ") + addresses_[i].to_string();
  return text;
}

}  // namespace mxp::tools

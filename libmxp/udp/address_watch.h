// Tells when the addresses or routes of this machine change, so that clients can leave an address that is gone
// (Endpoint::on_local_address). Linux only: rtnetlink(7), which needs no privilege to listen.
#pragma once

#include <optional>

#include "mxp/address.h"
#include "udp/unique_fd.h"

namespace mxp {

class AddressWatch {
 public:
  // Where the system refuses, there is nothing to watch: fd() is -1 and nothing is ever reported.
  AddressWatch();

  int fd() const { return socket_.get(); }
  // Reads what has come; fd() is not readable afterwards until there is more. Whether addresses or routes may have
  // changed: a kernel that lost some of its reports counts as a change.
  bool take_change();

 private:
  UniqueFd socket_;
};

// From which address a datagram to `remote` would leave now, with port 0. Nothing: there is no route. Sends nothing.
std::optional<SocketAddress> local_address_toward(const SocketAddress& remote);

}  // namespace mxp

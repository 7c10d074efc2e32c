// One of the places at which a capture sees a connection: a capture of both sides of a relay or NAT has each packet
// twice. A place is told by the server's address, since clients move and servers do not. Where only the client's address
// is another, it is another place if the packets are those of the first one again, and else the client has moved.
#pragma once

#include <set>

#include "mxp-dump/dissect/connection_table.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

class CapturePlace {
 public:
  // The place of this packet.
  explicit CapturePlace(const PacketRecord& record) : server_(record.server()), clients_{record.client()} {}

  // Whether the packet goes between addresses that are known to belong here.
  bool knows(const PacketRecord& record) const {
    return record.server() == server_ && clients_.contains(record.client());
  }
  // Whether it shows that the client has moved, and adds its address then. A message 1 from elsewhere is a copy.
  bool follow(const PacketRecord& record) {
    if (record.server() != server_ || record.type != PacketType::one_rtt || record.seen_before ||
        clients_.size() == kMaxPaths)
      return false;
    clients_.insert(record.client());
    return true;
  }

 private:
  SocketAddress server_;
  std::set<SocketAddress> clients_;
};

}  // namespace mxp::dump

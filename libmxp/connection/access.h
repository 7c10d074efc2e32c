// The door between the public Connection and the rooms that drive it.
#pragma once

#include <memory>

#include "connection/parts.h"

namespace mxp {

struct Connection::Impl {
  Parts parts;
};

struct ConnectionAccess {
  static std::unique_ptr<Connection> create(Role role, const ConnectionEnvironment& environment, ReadySignal& ready,
                                            Timestamp now);
  static Parts& parts(Connection& connection) { return connection.impl_->parts; }
  static const Parts& parts(const Connection& connection) { return connection.impl_->parts; }
};

}  // namespace mxp

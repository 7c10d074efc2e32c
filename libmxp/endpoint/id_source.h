// Where the connection ids come from that peers put into packets to this endpoint. Given, as chance is: a server of
// several workers gives each of them a source whose ids say whose they are.
#pragma once

#include "mxp/ids.h"
#include "mxp/random.h"

namespace mxp {

class IdSource {
 public:
  virtual ~IdSource() = default;
  // Any id, which may be in use: IdIndex knows.
  virtual ConnectionId generate() = 0;
};

// Ids that say nothing at all.
class RandomIds final : public IdSource {
 public:
  // `random` outlives it.
  explicit RandomIds(Random& random) : random_(random) {}

  ConnectionId generate() override {
    ConnectionId::Bytes bytes;
    random_.fill(bytes);
    return ConnectionId(bytes);
  }

 private:
  Random& random_;
};

}  // namespace mxp

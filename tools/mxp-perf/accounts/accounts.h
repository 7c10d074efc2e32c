// What each client of a server had: a client is all connections of one run of mxp-perf client, which names itself by
// its key and a number in its requests. Runs with one key are as many clients: each loads the server, and the machine,
// as one with a key of its own does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "mxp-perf/accounts/rate_gate.h"
#include "mxp-perf/options.h"
#include "mxp/address.h"
#include "mxp/keys.h"
#include "mxp/time.h"

namespace mxp::perf {

struct Account {
  std::string key;      // its beginning, which is enough to tell clients apart
  std::string name;     // that authorized_keys has for it; "" = none
  std::string address;  // of its first connection
  std::string test;     // "" = none was asked for
  unsigned connections = 0;
  std::uint64_t handshakes = 0;                      // of --test connect
  std::uint64_t received_bytes = 0, sent_bytes = 0;  // of the test, without the lines of the control streams
  std::uint64_t messages = 0, datagrams = 0;         // received
  std::uint64_t answers = 0;                         // of calls and streams
  Duration lasted{};
  std::string refused;  // why; "" = it was not
  std::string end;      // the reason with which its last connection closed
};
nlohmann::json to_json(const Account& account);
std::string to_text(const Account& account);

// The clients that are being served.
class Accounts {
 public:
  // Of one run of a client. The bytes of its test pass through `gate`, if there is one; all runs with a key share it,
  // because the number of a run is what the client says.
  struct Client {
    Account account;
    PublicKey key;
    Test test = Test::bulk;
    unsigned open_connections = 0;
    Timestamp since{};
    std::shared_ptr<RateGate> gate;
  };

  std::size_t size() const { return clients_.size(); }
  // The client's entry, with one connection more; nothing if it would be another client beyond the limits.
  std::shared_ptr<Client> open(const PublicKey& key, const Workload& workload, const Account& account, Timestamp now,
                               const ServerLimits& limits);
  // One of its connections is over. The account, if it was the last one.
  std::optional<Account> close(const std::shared_ptr<Client>& client, Timestamp now, std::string_view reason);
  // The client with this key whose test is `connect`: a connection that asks for nothing is one of its handshakes.
  std::shared_ptr<Client> connecting(const PublicKey& key) const;

 private:
  std::shared_ptr<RateGate> gate_of(const PublicKey& key) const;

  std::map<std::pair<std::string, std::uint64_t>, std::shared_ptr<Client>> clients_;  // by key and run
};

// Why a server with these limits does not serve this; nothing if it does.
std::optional<std::string> why_beyond(const ServerLimits& limits, const Workload& workload);

}  // namespace mxp::perf

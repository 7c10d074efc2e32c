// A handshake between two endpoints in one process, without sockets: enough to need every room of the archive.
#include <mxp/endpoint.h>
#include <mxp/event_loop.h>
#include <mxp/message.h>
#include <mxp/version.h>

#include <array>
#include <cstdio>
#include <vector>

namespace {

struct Listener : mxp::Handler {
  void on_connected(mxp::Connection&) override { connected = true; }
  bool connected = false;
};

}  // namespace

int main() {
  mxp::Random& random = mxp::system_random();
  Listener at_client, at_server;
  const mxp::PrivateKey server_key = mxp::PrivateKey::generate(random);
  mxp::Endpoint client({.identity = mxp::PrivateKey::generate(random)}, random, at_client);
  mxp::Endpoint server({.identity = server_key, .accept = true}, random, at_server);
  const mxp::SocketAddress here = mxp::SocketAddress::ipv4(127, 0, 0, 1, 1),
                           there = mxp::SocketAddress::ipv4(127, 0, 0, 1, 2);
  mxp::Timestamp now{};
  if (!client.connect(now, there, server_key.public_key())) return 1;
  std::vector<std::uint8_t> buffer(65536);
  for (int round = 0; round < 4; ++round) {
    while (const auto sent = client.poll_transmit(now, buffer))
      server.receive(now, {mxp::MutableBytes(buffer).first(sent->size), here, there});
    while (const auto sent = server.poll_transmit(now, buffer))
      client.receive(now, {mxp::MutableBytes(buffer).first(sent->size), there, here});
  }
  std::array<std::uint8_t, mxp::kMessageOverhead> message;
  const bool encoded = mxp::encode_message({}, message).has_value();
  std::printf("mxp %s: %s\n", mxp::kLibraryVersion.data(),
              at_client.connected && at_server.connected && encoded ? "connected" : "failed");
  return at_client.connected && at_server.connected && encoded ? 0 : 1;
}

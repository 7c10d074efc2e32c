#include "mxp-perf/limits/limits.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "crypto/packet_protection.h"
#include "crypto/primitives.h"
#include "crypto/replay_window.h"
#include "mxp-perf/limits/limits_pipeline.h"
#include "mxp-perf/partner.h"
#include "mxp/config.h"
#include "mxp/event_loop.h"
#include "udp/clock.h"

namespace mxp::perf {

namespace {

constexpr std::size_t kHeaderBytes = 1 + 8 + 4;  // a 1-RTT packet with a packet number of four bytes

std::size_t segments_for(std::size_t datagram_bytes) {
  return std::clamp<std::size_t>(kMaxUdpPayload / datagram_bytes, 1, 64);
}

// Calls `op` in growing rounds until `duration` has passed. Returns the nanoseconds that each call took.
template <typename Op>
double time_op(Duration duration, Op op) {
  std::uint64_t done = 0;
  const Timestamp begin = monotonic_now();
  Timestamp now = begin;
  for (std::uint64_t round = 1; now - begin < duration; round = std::min<std::uint64_t>(round * 2, 1024)) {
    for (std::uint64_t i = 0; i < round; ++i) op();
    done += round;
    now = monotonic_now();
  }
  return static_cast<double>((now - begin).count()) / static_cast<double>(done);
}

Spread spread_of(std::vector<double>& us) {
  if (us.empty()) return {};
  std::sort(us.begin(), us.end());
  return {us[us.size() / 2], us[us.size() * 99 / 100]};
}

TrafficSecret fixed_secret() {
  TrafficSecret secret;
  for (std::uint8_t& byte : secret.bytes()) byte = 0x42;
  return secret;
}

// Our choice: what takes so long on loopback was lost.
constexpr std::chrono::seconds kLostAfter(1);

struct UdpPair {
  int a = -1, b = -1;
  UdpPair() = default;
  UdpPair(const UdpPair&) = delete;
  UdpPair& operator=(const UdpPair&) = delete;
  ~UdpPair() {
    if (a >= 0) close(a);
    if (b >= 0) close(b);
  }
  // Two sockets on loopback, connected to each other.
  bool open() {
    a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return a >= 0 && b >= 0 && bind_loopback(a) && bind_loopback(b) && connect_to(a, b) && connect_to(b, a) &&
           give_up_waiting(a) && give_up_waiting(b);
  }

 private:
  static bool bind_loopback(int fd) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  static bool give_up_waiting(int fd) {
    const timeval time{kLostAfter.count(), 0};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0;
  }
  static bool connect_to(int fd, int peer) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    return getsockname(peer, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
           connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  }
};

}  // namespace

tools::Result<double> measure_udp(std::size_t datagram_bytes, Duration duration) {
  const std::size_t run_bytes = segments_for(datagram_bytes) * datagram_bytes;
  return measure_pipeline(
      duration, datagram_bytes, [&](MutableBytes) { return run_bytes; },
      [](const ReceivedRun& run) { return run.bytes.size(); });
}

tools::Result<double> measure_sealed(std::size_t datagram_bytes, Suite suite, Duration duration) {
  const std::size_t segments = segments_for(datagram_bytes);
  PacketSealer sealer(suite, fixed_secret());
  PacketOpener opener(suite, fixed_secret());
  ReplayWindow window;
  std::uint64_t number = 0;

  const auto fill = [&](MutableBytes buffer) {
    std::array<HeaderSlot, kMaxHeaderBatch> slots;
    for (std::size_t i = 0; i < segments; ++i) {
      const MutableBytes packet = buffer.subspan(i * datagram_bytes, datagram_bytes);
      Writer writer(packet);
      write_short_header(writer, ConnectionId(), false, PacketNumber(number), 4);
      sealer.seal_payload(packet, kHeaderBytes, PacketNumber(number++));
      slots[i] = {packet.data(), 4};
    }
    sealer.protect_headers(std::span(slots).first(segments));
    return segments * datagram_bytes;
  };
  const auto receive = [&](const ReceivedRun& run) {
    std::size_t opened = 0;
    for_each_datagram(run, [&](MutableBytes packet) {
      if (const auto result = opener.open(packet, window)) opened += result->payload.size();
    });
    return opened;
  };
  return measure_pipeline(duration, datagram_bytes, fill, receive);
}

double measure_aead_seal(Suite suite, std::size_t bytes, Duration duration) {
  Aead aead(suite, AeadKey());
  std::vector<std::uint8_t> data(bytes);
  std::array<std::uint8_t, kAeadTagSize> tag;
  AeadNonce nonce{};
  std::uint64_t counter = 0;
  return time_op(duration, [&] {
    ++counter;
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
    aead.seal(nonce, {}, data, tag);
  });
}

double measure_x25519(Duration duration) {
  const PrivateKey mine = PrivateKey::generate(system_random());
  const PublicKey theirs = PrivateKey::generate(system_random()).public_key();
  return time_op(duration, [&] { (void)x25519(mine, theirs); });
}

namespace {

// A datagram, or what recv says if that fails or none comes within kLostAfter.
ssize_t receive_one(int fd, std::span<std::uint8_t> bytes, Waiting waiting) {
  if (waiting == Waiting::asleep) return recv(fd, bytes.data(), bytes.size(), 0);
  const Timestamp end = monotonic_now() + kLostAfter;
  for (;;) {
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got >= 0 || (errno != EAGAIN && errno != EINTR) || monotonic_now() > end) return got;
  }
}

}  // namespace

tools::Result<Spread> measure_ping_pong(Waiting waiting, Duration duration) {
  UdpPair pair;
  if (!pair.open()) return tools::fail_errno(tools::ErrorKind::network, "a pair of UDP sockets on loopback", errno);
  const auto partner = Partner::start([&](int) {
    std::array<std::uint8_t, 64> bytes{};
    for (;;) {
      const ssize_t got = receive_one(pair.b, bytes, waiting);
      if (got <= 0 || send(pair.b, bytes.data(), static_cast<std::size_t>(got), 0) < 0) return 0;
    }
  });
  if (!partner) return std::unexpected(partner.error());
  std::array<std::uint8_t, 64> bytes{};
  std::vector<double> us;
  us.reserve(1 << 17);
  for (const Timestamp end = monotonic_now() + duration; monotonic_now() < end && us.size() < us.capacity();) {
    const Timestamp sent = monotonic_now();
    if (send(pair.a, bytes.data(), bytes.size(), 0) < 0 || receive_one(pair.a, bytes, waiting) <= 0) break;
    us.push_back(std::chrono::duration<double, std::micro>(monotonic_now() - sent).count());
  }
  return spread_of(us);
}

Spread measure_timer(Duration duration) {
  std::vector<double> late;
  for (const Timestamp end = monotonic_now() + duration; monotonic_now() < end;) {
    const Timestamp before = monotonic_now();
    const timespec millisecond{0, 1'000'000};
    nanosleep(&millisecond, nullptr);
    late.push_back(std::chrono::duration<double, std::micro>(monotonic_now() - before).count() - 1000);
  }
  return spread_of(late);
}

tools::Result<void> measure_all_limits(std::size_t mtu, const std::function<TakeMore(LimitMode)>& take) {
  const auto enough = [&](LimitMode mode) { return take(std::move(mode)) == TakeMore::no; };
  constexpr std::size_t kHeaders = ip_and_udp_headers(AddressFamily::ipv4);
  constexpr std::size_t kEthernet = 1500;
  const std::vector<std::size_t> datagrams = mtu == 0 ? std::vector<std::size_t>{kEthernet - kHeaders, kMaxUdpPayload}
                                                      : std::vector<std::size_t>{mtu - kHeaders};
  for (const std::size_t bytes : datagrams) {
    const auto raw = measure_udp(bytes, kLimitDuration);
    if (!raw) return std::unexpected(raw.error());
    if (enough({.name = "udp", .datagram_bytes = bytes, .bits_per_second = *raw})) return {};
    for (const Suite suite : {Suite::aes_256_gcm, Suite::chacha20_poly1305}) {
      const auto sealed = measure_sealed(bytes, suite, kLimitDuration);
      if (!sealed) return std::unexpected(sealed.error());
      if (enough(
              {.name = "sealed_" + std::string(to_string(suite)), .datagram_bytes = bytes, .bits_per_second = *sealed}))
        return {};
    }
  }
  constexpr Duration kShort = std::chrono::milliseconds(200);
  for (const Suite suite : {Suite::aes_256_gcm, Suite::chacha20_poly1305})
    for (const std::size_t bytes : {64, 1400, 16384})
      if (enough({.name = "seal_" + std::string(to_string(suite)),
                  .datagram_bytes = bytes,
                  .ns_per_op = measure_aead_seal(suite, bytes, kShort)}))
        return {};
  if (enough({.name = "x25519", .ns_per_op = measure_x25519(kShort)})) return {};
  for (const auto& [waiting, name] :
       {std::pair(Waiting::asleep, "ping_pong_blocking"), {Waiting::spinning, "ping_pong_spinning"}}) {
    const auto ping = measure_ping_pong(waiting, kLimitDuration);
    if (!ping) return std::unexpected(ping.error());
    if (enough({.name = name, .datagram_bytes = 64, .us = *ping})) return {};
  }
  (void)enough({.name = "timer_1ms_late", .us = measure_timer(kLimitDuration)});
  return {};
}

}  // namespace mxp::perf

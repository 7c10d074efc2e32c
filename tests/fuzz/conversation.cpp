// Two applications on a live connection, in virtual time. The input decides what they do with streams, messages, calls
// and datagrams, with corks and drains, how little room each side gives the other, what becomes of each datagram on its
// way, how time passes, and which plaintext is sealed with the real keys in the name of one side, as a peer could that
// keeps no rule. What both are told is held against what both did (support/conversation.h) for as long as nobody has
// forged anything; afterwards, that it is still told as the API says.
#include "support/conversation.h"

#include <array>
#include <deque>
#include <string>

#include "choices.h"
#include "forger.h"
#include "require.h"

using namespace mxp;
using namespace mxp::test;
using fuzz::Choices;
using fuzz::Forger;
using fuzz::require;

namespace {

class Scene {
 public:
  explicit Scene(Choices& choices)
      : choices_(choices),
        client_(settings(Role::client), randoms_[0], talk_.client, &trace_),
        server_(settings(Role::server), randoms_[1], talk_.server) {
    talk_.may_time_out = true;  // a minute may pass at once
    require(client_.connect(now_, kServerAddress, server_.public_key()).has_value(), "a client connects");
    exchange();
    require(talk_.client.is_connected() && talk_.server.is_connected(), "a pair without trouble connects");
    require(!trace_.secrets.empty(), "the secrets are traced");
    secrets_ = trace_.secrets.front();
  }

  void step() {
    const std::uint8_t what = choices_.byte();
    const Role side = (what & 0x80) != 0 ? Role::server : Role::client;
    switch (what & 0x0f) {
      case 0: return pass_time(std::chrono::microseconds(1 << choices_.byte() % 27));
      case 1:
      case 2: return poll(side);
      case 3:
      case 4: return deliver(side, Fate::arrives);
      case 5: return deliver(side, Fate::is_copied);
      case 6: return deliver(side, Fate::is_lost);
      case 7: return deliver(side, Fate::is_damaged);
      case 8: return forge(side);
      case 9: return exchange();
      default: return command(side, (what & 0x40) != 0 ? Command::When::in_next_callback : Command::When::now);
    }
  }

  // No more trouble: what both have done comes to its end, and so does the connection. As in endpoint_pair.cpp, not in a
  // fixed time: a datagram that lay for a minute is a round trip of a minute.
  void settle_down() {
    talk_.end();
    const auto rests = [&] { return forged_ || talk_.is_settled() || talk_.is_over(); };
    for (int round = 0; round < 40 || (round < 1000 && !rests()); ++round)
      advance(round < 40 ? std::chrono::milliseconds(500) : std::chrono::seconds(5));
    if (!rests()) std::fprintf(stderr, "%s\n", talk_.unsettled().c_str());
    require(rests(), "what both have done comes to its end");
    for (const Role side : {Role::client, Role::server}) talk_.take({.verb = Command::Verb::close, .side = side});
    for (int round = 0; round < 1000 && !talk_.is_over(); ++round) advance(std::chrono::seconds(5));
    require(talk_.is_over(), "a connection that is closed ends");
    talk_.check_end();
    advance(std::chrono::minutes(10));
    require(client_.stats().memory_in_use == 0 && server_.stats().memory_in_use == 0, "nothing is left behind");
  }

 private:
  enum class Fate { arrives, is_copied, is_lost, is_damaged };
  static std::size_t index(Role side) { return side == Role::client ? 0 : 1; }
  static Role other(Role side) { return side == Role::client ? Role::server : Role::client; }
  static const SocketAddress& address(Role side) { return side == Role::client ? kClientAddress : kServerAddress; }
  Endpoint& endpoint(Role side) { return side == Role::client ? client_ : server_; }

  // One byte for each kind of room: 0 leaves the defaults, others are doublings of the least.
  EndpointConfig settings(Role side) {
    EndpointConfig config = side == Role::client ? default_client() : default_server();
    TransportConfig& transport = config.transport;
    transport.calls.enabled = true;
    transport.datagrams.max_payload = 10'000;
    const auto narrow = [this](auto&& set) {
      if (const unsigned room = choices_.byte() % 12; room != 0) set(room - 1);
    };
    narrow([&](unsigned room) {
      FlowControlConfig& flow = transport.flow_control;
      flow.connection_window = flow.max_connection_window = 200u << room;
      flow.stream_window = flow.max_stream_window = 100u << room;
      flow.max_streams_bidirectional = flow.max_streams_unidirectional = 1u << room % 4;
    });
    narrow([&](unsigned room) {
      MessageConfig& messages = transport.messages;
      messages.window = 1u << room;
      messages.receive_window = messages.max_receive_window = 2048u << room;
    });
    narrow([&](unsigned room) {
      transport.messages.send_buffer = 2048u << room;
      transport.flow_control.stream_send_buffer = transport.flow_control.connection_send_buffer = 100u << room;
      transport.datagrams.queue_bytes = 1000u << room;
      transport.datagrams.queue_datagrams = 1u << room;
    });
    narrow([&](unsigned room) { transport.calls.max_waiting = transport.calls.max_incoming = 1u << room; });
    return config;
  }

  void command(Role side, Command::When when) {
    const auto number = [this](int bytes) {
      std::uint32_t value = 0;
      while (bytes-- > 0) value = value << 8 | choices_.byte();
      return value;
    };
    const auto verb = static_cast<Command::Verb>(choices_.byte() % Command::kVerbs);
    const std::uint32_t size = number(1);
    // Small ones, and up to 65 KB.
    const std::uint32_t options = number(3), which = options >> 3;
    talk_.take({.verb = verb,
                .side = side,
                .when = when,
                .which = which,
                .size = size < 192 ? size * 7 : (size - 191) * 1024,
                .options = options});
  }

  void pass_time(Duration span) {
    now_ += span;
    for (const Role side : {Role::client, Role::server})
      if (endpoint(side).next_timeout() <= now_) endpoint(side).on_timeout(now_);
  }

  template <typename Sink>
  bool send(Role side, Sink&& sink) {
    std::size_t datagrams = 0;
    while (const auto sent = endpoint(side).poll_transmit(now_, buffer_)) {
      for (std::size_t at = 0; at < sent->size; at += sent->segment_size) {
        require(++datagrams < 100'000, "a side falls silent until time passes or something arrives");
        sink(ByteView(buffer_).subspan(at, std::min(sent->segment_size, sent->size - at)));
      }
    }
    return datagrams != 0;
  }
  void receive(Role side, Bytes datagram) {
    endpoint(side).receive(now_, {MutableBytes(datagram), address(other(side)), address(side), Ecn::not_ect});
  }
  void poll(Role side) {
    send(side, [&](ByteView datagram) {
      if (on_the_way_[index(side)].size() < 256) on_the_way_[index(side)].push_back(copy_of(datagram));
    });
  }

  void deliver(Role sender, Fate fate) {
    auto& queue = on_the_way_[index(sender)];
    if (queue.empty()) return;
    const auto at = queue.begin() + choices_.byte() % static_cast<std::ptrdiff_t>(queue.size());
    Bytes datagram = *at;
    if (fate != Fate::is_copied) queue.erase(at);
    if (fate == Fate::is_lost) return;
    if (fate == Fate::is_damaged) datagram[(choices_.byte() * 7u) % datagram.size()] ^= choices_.byte() | 1;
    receive(other(sender), std::move(datagram));
  }

  void forge(Role as) {
    const std::size_t size = choices_.byte();
    Bytes plaintext = copy_of(choices_.take(size));
    if (plaintext.size() < 8) plaintext.resize(8);  // PADDING is zero bytes
    forged_ = true;
    talk_.forged();
    // Beyond every number that the honest side has used or will use here.
    receive(other(as), Forger(secrets_, as).seal(plaintext, PacketNumber(next_forged_++)));
  }

  // Everything that both want to say at this point of time arrives at once.
  void exchange() {
    for (int round = 0; round < 100'000; ++round) {
      bool busy = false;
      for (const Role side : {Role::client, Role::server}) {
        if (endpoint(side).next_timeout() <= now_) {
          endpoint(side).on_timeout(now_);
          busy = true;
        }
        busy |= send(side, [&](ByteView datagram) { receive(other(side), copy_of(datagram)); });
      }
      if (!busy) return;
    }
    require(false, "the work at one point of time comes to an end");
  }
  void advance(Duration span) {
    const Timestamp end = now_ + span;
    for (exchange();; exchange()) {
      const Timestamp next = std::min(client_.next_timeout(), server_.next_timeout());
      if (next > end) break;
      now_ = next;
    }
    now_ = end;
    exchange();
  }

  Choices& choices_;
  Timestamp now_{std::chrono::hours(1)};
  SeededRandom randoms_[2] = {SeededRandom(1), SeededRandom(2)};
  TraceRecorder trace_;
  Conversation talk_{[this] { return now_; }, [](const std::string& text) { require(false, text.c_str()); }};
  Bytes buffer_ = Bytes(65536);
  Endpoint client_, server_;
  TraceRecorder::Secrets secrets_;
  std::array<std::deque<Bytes>, 2> on_the_way_;  // by the sender
  bool forged_ = false;
  std::uint64_t next_forged_ = 100'000;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Scene scene(choices);
  while (choices.any()) scene.step();
  scene.settle_down();
  return 0;
}

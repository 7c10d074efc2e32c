// Two endpoints with a live connection, in virtual time. The input decides what happens to each datagram on its way
// (order, loss, copies, damage), how time passes, what the applications do, and which plaintext is sealed with the real
// keys in the name of one side, as a peer could that keeps no rule. What must hold whatever happens is demanded at
// every step.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "choices.h"
#include "forger.h"
#include "require.h"
#include "support/host.h"
#include "support/pattern.h"

using namespace mxp;
using namespace mxp::test;
using fuzz::Choices;
using fuzz::Forger;
using fuzz::require;

namespace {

class Scene {
 public:
  explicit Scene(Choices& choices) : choices_(choices) {
    for (Host* host : {&pair_.client, &pair_.server}) host->app.keep_data = false;
    listen(pair_.client, Role::server);
    listen(pair_.server, Role::client);
    Connection* connection = pair_.establish();
    require(connection != nullptr && pair_.server_connection() != nullptr, "a pair without trouble connects");
    ends_[0] = connection;
    ends_[1] = pair_.server_connection();
    require(!pair_.client_trace.secrets.empty(), "the secrets are traced");
    secrets_ = pair_.client_trace.secrets.front();
  }

  void step() {
    const std::uint8_t what = choices_.byte();
    const Role side = (what & 0x80) != 0 ? Role::server : Role::client;
    switch (what & 0x0f) {
      case 0: pass_time(); break;
      case 1:
      case 2: poll(side); break;
      case 3:
      case 4:
      case 5: deliver(side, Fate::arrives); break;
      case 6: deliver(side, Fate::is_copied); break;
      case 7: deliver(side, Fate::is_lost); break;
      case 8: deliver(side, Fate::is_damaged); break;
      case 9: forge(side); break;
      case 10: open_and_write(side); break;
      case 11: write_more(side); break;
      case 12: end_stream(side); break;
      case 13: refuse_stream(side); break;
      case 14: take_slowly(side); break;
      default: close(side); break;
    }
    check();
  }

  // No more trouble: whatever was done before, both sides come to rest, and honest ones have everything.
  void settle_down() {
    slow_[0] = slow_[1] = false;
    for (const Role side : {Role::client, Role::server})
      if (alive(side))
        for (const StreamId id : seen_[index(side)]) (void)end(side)->resume(id);
    // Not a fixed span: a datagram that an input let lie for a minute is a round trip of a minute, and then a probe
    // waits for three of them before it is sent the first time. One side may fall silent for longer than the other
    // allows, and end.
    for (int round = 0; round < 40 || (round < 1000 && owed()); ++round) {
      require(pair_.exchange(), "the work at one point of time comes to an end");
      pair_.advance(round < 40 ? std::chrono::milliseconds(500) : std::chrono::seconds(5));
    }
    check();
    require(!owed(), "what was written arrives in the end");
  }

 private:
  enum class Fate { arrives, is_copied, is_lost, is_damaged };
  static std::size_t index(Role side) { return side == Role::client ? 0 : 1; }
  static Role other(Role side) { return side == Role::client ? Role::server : Role::client; }
  Host& host(Role side) { return side == Role::client ? pair_.client : pair_.server; }
  Connection* end(Role side) { return ends_[index(side)]; }
  bool alive(Role side) { return host(side).app.closed.empty() && end(side)->state() == ConnectionState::established; }

  // Something that was written, undisturbed and on a connection that lives, has not arrived.
  bool owed() {
    if (forged_ || !alive(Role::client) || !alive(Role::server)) return false;
    return std::any_of(written_.begin(), written_.end(), [this](const auto& stream) {
      return !disturbed_.contains(stream.first.first) && read_[stream.first] != stream.second;
    });
  }

  // What a host is told is held against what the other side wrote.
  void listen(Host& host, Role sender) {
    host.app.hook = [this, sender](std::string_view event, Connection&, StreamId id) {
      if (event == "opened") seen_[index(other(sender))].push_back(id);
    };
    host.app.take = [this, sender](Connection&, StreamId id, ByteView data) {
      std::uint64_t& read = read_[{id, sender}];
      if (!forged_) {
        require(matches_pattern(id, sender, read, data), "data arrive as they were written, in order");
        require(read + data.size() <= written_[{id, sender}], "and no more than was written");
      }
      const std::size_t taken = slow_[index(other(sender))] ? data.size() / 2 : data.size();
      read += taken;
      return taken;
    };
  }

  void pass_time() {
    pair_.now += std::chrono::microseconds(1 << (choices_.byte() % 27));
    for (const Role side : {Role::client, Role::server}) {
      Endpoint& endpoint = host(side).endpoint;
      if (endpoint.next_timeout() > pair_.now) continue;
      endpoint.on_timeout(pair_.now);
      // It may be due again at once, but not for ever: poll() and settle_down() bound that.
    }
  }

  void poll(Role side) {
    std::size_t datagrams = 0;
    host(side).poll(pair_.now, [&](const SocketAddress&, ByteView datagram) {
      require(++datagrams < 100'000, "a side falls silent until time passes or something arrives");
      require(datagram.size() <= 65507, "a datagram fits UDP");
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
    host(other(sender)).receive(pair_.now, datagram, host(sender).address);
  }

  void forge(Role as) {
    const std::size_t size = choices_.byte();
    Bytes plaintext = copy_of(choices_.take(size));
    if (plaintext.size() < 8) plaintext.resize(8);  // PADDING is zero bytes
    forged_ = true;
    // Beyond every number that the honest side has used or will use here.
    const Bytes datagram = Forger(secrets_, as).seal(plaintext, PacketNumber(next_forged_++));
    host(other(as)).receive(pair_.now, datagram, host(as).address);
  }

  void open_and_write(Role side) {
    if (!alive(side)) return;
    const auto id =
        end(side)->open_stream((choices_.byte() & 1) != 0 ? StreamType::bidirectional : StreamType::unidirectional);
    if (!id) return;
    ours_[index(side)].push_back(*id);
    write(side, *id);
  }
  void write_more(Role side) {
    auto& streams = ours_[index(side)];
    if (alive(side) && !streams.empty()) write(side, streams[choices_.byte() % streams.size()]);
  }
  void write(Role side, StreamId id) {
    Bytes data(choices_.byte() * 64u);
    std::uint64_t& written = written_[{id, side}];
    fill_pattern(id, side, written, data);
    const auto taken = end(side)->write(id, data);
    if (!taken) return;
    require(*taken <= data.size(), "no more is taken than was offered");
    written += *taken;
  }
  void end_stream(Role side) {
    auto& streams = ours_[index(side)];
    if (!alive(side) || streams.empty()) return;
    const StreamId id = streams[choices_.byte() % streams.size()];
    if ((choices_.byte() & 1) != 0) {
      (void)end(side)->finish(id);
    } else {
      (void)end(side)->reset(id, AppErrorCode(7));
      disturbed_[id] = true;
    }
  }
  void refuse_stream(Role side) {
    auto& streams = seen_[index(side)];
    if (!alive(side) || streams.empty()) return;
    const StreamId id = streams[choices_.byte() % streams.size()];
    (void)end(side)->stop_sending(id, AppErrorCode(8));
    disturbed_[id] = true;
  }
  void take_slowly(Role side) {
    slow_[index(side)] = !slow_[index(side)];
    if (!slow_[index(side)] && alive(side))
      for (const StreamId id : seen_[index(side)]) (void)end(side)->resume(id);
  }
  void close(Role side) {
    // Rare: one in sixteen of these, so that inputs live on.
    if (choices_.byte() % 16 == 0 && alive(side)) end(side)->close(AppErrorCode(1), "done");
  }

  void check() {
    for (const Role side : {Role::client, Role::server}) {
      Host& each = host(side);
      require(each.app.closed.size() <= 1, "a connection ends once");
      require(each.endpoint.connection_count() <= 1, "nothing makes a second connection");
    }
    for (const TraceRecorder* trace : {&pair_.client_trace, &pair_.server_trace}) {
      auto& checked = checked_[trace == &pair_.client_trace ? 0 : 1];
      for (; checked.first < trace->sent.size(); ++checked.first) {
        const std::uint64_t number = trace->sent[checked.first].second.value();
        require(!checked.second || number > *checked.second, "packet numbers only grow");
        checked.second = number;
      }
    }
  }

  Choices& choices_;
  DirectPair pair_;
  Connection* ends_[2] = {};
  TraceRecorder::Secrets secrets_;
  std::deque<Bytes> on_the_way_[2];  // by the sender
  std::vector<StreamId> ours_[2];    // opened by this side
  std::vector<StreamId> seen_[2];    // opened by the other
  std::map<std::pair<StreamId, Role>, std::uint64_t> written_, read_;
  std::map<StreamId, bool> disturbed_;  // reset or refused: need not arrive whole
  bool slow_[2] = {};
  bool forged_ = false;
  std::uint64_t next_forged_ = 100'000;
  std::pair<std::size_t, std::optional<std::uint64_t>> checked_[2];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Scene scene(choices);
  while (choices.any()) scene.step();
  scene.settle_down();
  return 0;
}

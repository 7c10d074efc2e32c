#include "support/sim_capture.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "mxp-dump/dissect/dissector.h"
#include "mxp/key_log_file.h"

namespace mxp::test {
namespace {

// A key log in a file that is gone with it: the key ring reads files.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int fd = ::mkstemp(path_);
    if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("cannot write a temporary file");
    ::close(fd);
  }
  ~TemporaryFile() { ::unlink(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/mxp_keys_XXXXXX";
};

}  // namespace

SimCapture::SimCapture(SimPair& sim) : sim_(sim) {
  sim.passing = [this](const SimPair::Passing& passing) {
    add(passing.at, passing.datagram, passing.from, passing.to);
  };
  sim.on_event = [this](Role role, const TraceEvent& event) {
    if (const auto* secrets = std::get_if<TraceSecrets>(&event); secrets != nullptr && role == Role::client)
      key_log += key_log_lines(*secrets);
  };
}

void SimCapture::add(Role at, ByteView datagram, const SocketAddress& from, const SocketAddress& to) {
  constexpr std::int64_t kBegin = 1'700'000'000'000'000'000;
  const std::int64_t now = kBegin + std::chrono::duration_cast<std::chrono::nanoseconds>(sim_.elapsed()).count();
  (at == Role::client ? at_client : at_server).push_back({now, from, to, {datagram.begin(), datagram.end()}});
}

std::vector<Diagnosis> diagnose(const Capture& capture, const std::string& key_log) {
  dump::KeyRing keys;
  const TemporaryFile file(key_log);
  if (!key_log.empty() && !keys.load(file.path())) throw std::runtime_error("cannot load the key log");
  dump::Dissector dissector(keys, 0, [](const dump::Connection&) {});
  std::vector<Diagnosis> result;
  dump::CaptureStory story([&](const dump::Story& one, const dump::Surroundings& around) {
    result.push_back({one.connection, one.packets, one.length_ns(), dump::judge(one, around), one.time_sums()});
  });
  const auto each = [&](auto&& look) {
    std::uint64_t frame = 0;
    for (const CapturedDatagram& datagram : capture) {
      dump::CapturedPacket packet;
      packet.frame = ++frame;
      packet.time_ns = static_cast<std::uint64_t>(datagram.time_ns);
      dump::UdpDatagram udp;
      udp.source = datagram.from;
      udp.destination = datagram.to;
      udp.payload = datagram.bytes;
      udp.length = static_cast<std::uint32_t>(datagram.bytes.size());
      look(packet, udp);
    }
  };
  each([&](const auto& packet, const auto& udp) { dissector.survey(packet, udp); });
  dissector.end_survey();
  const dump::Dissector::Sink sink = [&](const dump::PacketRecord& record) { story.add(record); };
  each([&](const auto& packet, const auto& udp) { dissector.dissect(packet, udp, sink); });
  story.finish();
  return result;
}

}  // namespace mxp::test

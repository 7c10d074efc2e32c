#include "mxp-dump/capture/live_capture.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <poll.h>

#include <array>

namespace mxp::dump {
namespace {

constexpr int kBufferBytes = 8 * 1024 * 1024;  // what arrives while we are busy: 50 ms at 1.2 Gbit/s

}  // namespace

struct LiveCapture::Handle {
  pcap_t* pcap = nullptr;
  ~Handle() {
    if (pcap != nullptr) ::pcap_close(pcap);
  }
};

LiveCapture::LiveCapture(std::unique_ptr<Handle> handle, int wake)
    : handle_(std::move(handle)), wake_(wake), link_type_(static_cast<std::uint32_t>(::pcap_datalink(handle_->pcap))) {}

LiveCapture::~LiveCapture() = default;

tools::Result<std::unique_ptr<LiveCapture>> LiveCapture::open(const std::string& interface, const std::string& filter,
                                                              int wake) {
  using tools::ErrorKind;
  std::array<char, PCAP_ERRBUF_SIZE> complaint{};
  auto handle = std::make_unique<Handle>();
  handle->pcap = ::pcap_create(interface.c_str(), complaint.data());
  if (handle->pcap == nullptr)
    return tools::fail(ErrorKind::io, fmt::format("cannot capture from {}: {}", interface, complaint.data()));
  ::pcap_set_snaplen(handle->pcap, static_cast<int>(kMaxCapturedBytes));
  ::pcap_set_buffer_size(handle->pcap, kBufferBytes);
  ::pcap_set_immediate_mode(handle->pcap, 1);
  // Not every interface can do this: then the handle says microseconds, and next() asks it about that.
  ::pcap_set_tstamp_precision(handle->pcap, PCAP_TSTAMP_PRECISION_NANO);
  const int status = ::pcap_activate(handle->pcap);
  if (status < 0) {
    const std::string detail = ::pcap_geterr(handle->pcap);
    const std::string_view status_text = ::pcap_statustostr(status);
    const bool says_more = !detail.empty() && detail != status_text;  // some versions say the same twice
    const std::string said = fmt::format("cannot capture from {}: {}{}{}", interface, status_text,
                                         says_more ? ": " : "", says_more ? detail : "");
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) {
      return tools::fail(ErrorKind::io, fmt::format("no permission to capture from {}: run as root, or allow the "
                                                    "program: setcap cap_net_raw+ep $(command -v mxp-dump)",
                                                    interface));
    }
    if (status == PCAP_ERROR_NO_SUCH_DEVICE)
      return tools::fail(ErrorKind::usage, said + "; \"ip link\" lists the interfaces, and \"any\" is all");
    return tools::fail(ErrorKind::io, said);
  }
  if (!filter.empty()) {
    bpf_program program{};
    if (::pcap_compile(handle->pcap, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      return tools::fail(ErrorKind::usage,
                         fmt::format("cannot use the filter \"{}\": {}", filter, ::pcap_geterr(handle->pcap)));
    }
    const int installed = ::pcap_setfilter(handle->pcap, &program);
    ::pcap_freecode(&program);
    if (installed != 0)
      return tools::fail(ErrorKind::io, fmt::format("cannot install the filter: {}", ::pcap_geterr(handle->pcap)));
  }
  if (::pcap_setnonblock(handle->pcap, 1, complaint.data()) != 0)
    return tools::fail(ErrorKind::io, fmt::format("cannot capture from {}: {}", interface, complaint.data()));
  return std::unique_ptr<LiveCapture>(new LiveCapture(std::move(handle), wake));
}

std::expected<std::optional<CapturedPacket>, CaptureError> LiveCapture::next() {
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{wake_, POLLIN, 0}, pollfd{::pcap_get_selectable_fd(handle_->pcap), POLLIN, 0}};
    if (::poll(waits.data(), 1, 0) > 0) return std::nullopt;
    pcap_pkthdr* header = nullptr;
    const std::uint8_t* bytes = nullptr;
    const int got = ::pcap_next_ex(handle_->pcap, &header, &bytes);
    if (got == 1) {
      const bool nanoseconds = ::pcap_get_tstamp_precision(handle_->pcap) == PCAP_TSTAMP_PRECISION_NANO;
      return CapturedPacket{.frame = ++frames_,
                            .time_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                                       static_cast<std::uint64_t>(header->ts.tv_usec) * (nanoseconds ? 1 : 1000),
                            .link_type = link_type_,
                            .original_length = header->len,
                            .bytes = ByteView(bytes, header->caplen)};
    }
    if (got < 0)
      return std::unexpected(
          CaptureError{CaptureError::Kind::unreadable, 0, frames_ + 1, ::pcap_geterr(handle_->pcap)});
    // Nothing is there, so it waits for a packet or a signal. EINTR is looked at in the next turn.
    static_cast<void>(::poll(waits.data(), waits.size(), -1));
  }
}

std::uint64_t LiveCapture::dropped() const {
  pcap_stat counts{};
  return ::pcap_stats(handle_->pcap, &counts) == 0 ? counts.ps_drop : 0;
}

}  // namespace mxp::dump

#include "mxp-dump/capture/pcap_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/write_all.h"
#include "mxp-dump/capture/capture_reader.h"
#include "mxp-dump/capture/packet_filter.h"

namespace mxp::dump {
namespace {

constexpr std::uint32_t kEthernet = 1;

// stdout as a stream that waits where a plain one would lose data, since another program may have set the pipe not to
// block.
std::FILE* open_stdout() {
  const auto write = [](void*, const char* bytes, std::size_t size) {
    errno = tools::write_all_or_errno(STDOUT_FILENO, {bytes, size});
    return errno == 0 ? static_cast<ssize_t>(size) : 0;
  };
  return ::fopencookie(nullptr, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
}

}  // namespace

tools::Result<PcapWriter> PcapWriter::open(const std::string& path, const tools::OutputRules& rules) {
  PcapWriter writer;
  writer.path_ = path == "-" ? "stdout" : path;
  if (path == "-") {
    if (::isatty(STDOUT_FILENO) == 1)
      return tools::fail(tools::ErrorKind::usage, "-w - would write a capture to the terminal: redirect stdout");
    writer.file_.reset(open_stdout());
  } else {
    auto file = tools::open_output_file(path, rules);
    if (!file) return std::unexpected(file.error());
    writer.file_.reset(::fdopen(file->get(), "w"));
    if (writer.file_ != nullptr) static_cast<void>(file->release());
  }
  if (writer.file_ == nullptr)
    return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", writer.path_), errno);
  return writer;
}

tools::Result<void> PcapWriter::start(std::uint32_t link_type) {
  link_type_ = link_type;
  handle_.reset(::pcap_open_dead_with_tstamp_precision(static_cast<int>(dlt_of(link_type)), kMaxCapturedBytes,
                                                       PCAP_TSTAMP_PRECISION_NANO));
  if (handle_ != nullptr) dump_.reset(::pcap_dump_fopen(handle_.get(), file_.get()));
  if (dump_ == nullptr) {
    return tools::fail(
        tools::ErrorKind::io,
        fmt::format("cannot write {}: {}", path_, handle_ == nullptr ? "out of memory" : ::pcap_geterr(handle_.get())));
  }
  static_cast<void>(file_.release());  // the dumper closes it
  return {};
}

std::unexpected<tools::ToolError> PcapWriter::cannot_write(int error) const {
  return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path_), error);
}

tools::Result<void> PcapWriter::write(const CapturedPacket& packet) {
  if (dump_ == nullptr) {
    if (auto started = start(packet.link_type); !started) return started;
  }
  if (packet.link_type != link_type_) {
    return tools::fail(
        tools::ErrorKind::usage,
        fmt::format(
            "the capture has interfaces of link types {} and {}, and a pcap file has room for one: choose one with -f",
            link_type_, packet.link_type));
  }
  pcap_pkthdr header{};
  const std::uint64_t time = packet.time_ns.value_or(0);
  header.ts.tv_sec = static_cast<decltype(header.ts.tv_sec)>(time / 1'000'000'000);
  header.ts.tv_usec =
      static_cast<decltype(header.ts.tv_usec)>(time % 1'000'000'000);  // nanoseconds, by the handle's precision
  header.caplen = static_cast<bpf_u_int32>(packet.bytes.size());
  header.len = packet.original_length;
  ::pcap_dump(reinterpret_cast<u_char*>(dump_.get()), &header, packet.bytes.data());
  if (std::ferror(::pcap_dump_file(dump_.get())) != 0) return cannot_write(errno);
  return {};
}

tools::Result<void> PcapWriter::flush() {
  if (dump_ != nullptr && ::pcap_dump_flush(dump_.get()) != 0) return cannot_write(errno);
  return {};
}

tools::Result<void> PcapWriter::finish() {
  if (dump_ == nullptr) {
    if (auto started = start(kEthernet); !started) return started;
  }
  return flush();
}

}  // namespace mxp::dump

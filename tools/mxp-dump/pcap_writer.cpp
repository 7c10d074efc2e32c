#include "mxp-dump/pcap_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/write_all.h"
#include "mxp-dump/capture_reader.h"
#include "mxp-dump/packet_filter.h"
#include "udp/unique_fd.h"

namespace mxp::dump {
namespace {

constexpr std::uint32_t kEthernet = 1;

bool same_file(const std::string& a, const std::string& b) {
  struct stat first{}, second{};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

// stdout as a stream that waits where a plain one would lose data: another program may have set the pipe not to block.
std::FILE* open_stdout() {
  const auto write = [](void*, const char* bytes, std::size_t size) {
    errno = tools::write_all_or_errno(STDOUT_FILENO, {bytes, size});
    return errno == 0 ? static_cast<ssize_t>(size) : 0;
  };
  return ::fopencookie(nullptr, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
}

}  // namespace

tools::Result<PcapWriter> PcapWriter::open(const std::string& path, IfExists if_exists, const std::string& input) {
  PcapWriter writer;
  writer.path_ = path == "-" ? "stdout" : path;
  if (path == "-") {
    if (::isatty(STDOUT_FILENO) == 1)
      return tools::fail(tools::ErrorKind::usage, "-w - would write a capture to the terminal: redirect stdout");
    writer.file_.reset(open_stdout());
  } else {
    if (!input.empty() && same_file(path, input))
      return tools::fail(tools::ErrorKind::usage, fmt::format("{} is being read: -w needs another file", path));
    UniqueFd descriptor;
    const int replace = if_exists == IfExists::replace ? O_TRUNC : O_EXCL;
    descriptor.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | replace, 0666));
    if (!descriptor && errno == EEXIST)
      return tools::fail(tools::ErrorKind::usage, fmt::format("{} exists: choose another name or use --force", path));
    if (descriptor) writer.file_.reset(::fdopen(descriptor.get(), "w"));
    if (writer.file_ != nullptr) static_cast<void>(descriptor.release());
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
  if (std::ferror(::pcap_dump_file(dump_.get())) != 0)
    return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path_), errno);
  return {};
}

tools::Result<void> PcapWriter::flush() {
  if (dump_ != nullptr && ::pcap_dump_flush(dump_.get()) != 0)
    return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path_), errno);
  return {};
}

tools::Result<void> PcapWriter::finish() {
  if (dump_ == nullptr) {
    if (auto started = start(kEthernet); !started) return started;
  }
  return flush();
}

}  // namespace mxp::dump

#include "mxp-dump/capture/packet_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>

#include "mxp-dump/capture/capture_reader.h"

namespace mxp::dump {

std::uint32_t dlt_of(std::uint32_t link_type) {
  constexpr std::uint32_t kLinktypeRaw = 101;
  return link_type == kLinktypeRaw ? DLT_RAW : link_type;
}

PacketFilter::~PacketFilter() {
  for (const auto& [link_type, program] : programs_) {
    ::pcap_freecode(program);
    delete program;
  }
}

tools::Result<bool> PacketFilter::passes(const CapturedPacket& packet) {
  if (expression_.empty()) return true;
  auto found = programs_.find(packet.link_type);
  if (found == programs_.end()) {
    const std::unique_ptr<pcap_t, decltype(&::pcap_close)> handle(
        ::pcap_open_dead(static_cast<int>(dlt_of(packet.link_type)), kMaxCapturedBytes), &::pcap_close);
    auto program = std::make_unique<bpf_program>();
    if (handle == nullptr ||
        ::pcap_compile(handle.get(), program.get(), expression_.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      return tools::fail(tools::ErrorKind::usage,
                         fmt::format("cannot use the filter \"{}\": {}", expression_,
                                     handle == nullptr ? "out of memory" : ::pcap_geterr(handle.get())));
    }
    found = programs_.emplace(packet.link_type, program.release()).first;
  }
  pcap_pkthdr header{};
  header.caplen = static_cast<bpf_u_int32>(packet.bytes.size());
  header.len = packet.original_length;
  return ::pcap_offline_filter(found->second, &header, packet.bytes.data()) != 0;
}

}  // namespace mxp::dump

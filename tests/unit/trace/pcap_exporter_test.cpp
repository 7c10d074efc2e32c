#include "trace/debug/pcap_exporter.h"

#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "support/temporary_folder.h"
#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct Block {
  std::uint32_t type;
  std::string body;  // between the lengths
};

std::uint32_t number_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  BOOST_REQUIRE(at + sizeof value <= text.size());
  std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

std::vector<Block> blocks(std::string_view text) {
  std::vector<Block> all;
  while (!text.empty()) {
    const std::uint32_t length = number_at(text, 4);
    BOOST_REQUIRE(length % 4 == 0u);
    BOOST_REQUIRE(length <= text.size());
    BOOST_TEST(number_at(text, length - 4) == length);
    all.push_back({number_at(text, 0), std::string(text.substr(8, length - 12))});
    text.remove_prefix(length);
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pcap_exporter)

BOOST_AUTO_TEST_CASE(datagrams_and_the_secrets_that_open_them_are_in_one_file) {
  const TemporaryFolder folder;
  const std::array<std::uint8_t, 5> payload = {1, 2, 3, 4, 5};
  const SocketAddress here = SocketAddress::ipv4(10, 0, 0, 1, 40000), there = SocketAddress::ipv4(10, 0, 0, 2, 9000);
  SocketAddress there6 = here;
  there6.family = AddressFamily::ipv6;
  {
    const int fd = ::open((folder.path / "it").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    PcapExporter exporter(fd, {Timestamp(1s), 1'795'000'000'000'000'000});
    exporter.on(Timestamp(2s), kLocalId, TraceSecrets{kLocalId, kLocalId, 0, kSecretToServer, kSecretToClient});
    exporter.on(Timestamp(2s), ConnectionId(), TraceDatagram{TraceDatagram::Way::sent, there, here, payload});
    exporter.on(Timestamp(2s), ConnectionId(),
                TraceDatagram{TraceDatagram::Way::received, there6, SocketAddress(), payload});
    BOOST_TEST(exporter.dropped() == 0u);
  }
  const auto all = blocks(folder.read("it"));
  BOOST_REQUIRE(all.size() == 5u);
  BOOST_TEST(all[0].type == 0x0a0d0d0au);
  BOOST_TEST(all[1].type == 1u);
  BOOST_TEST(all[2].type == 10u);
  BOOST_TEST(number_at(all[2].body, 0) == 0x4d58504bu);
  BOOST_TEST(all[2].body.find("MXP_C2S_TRAFFIC_SECRET_0 1122334455667788 deadbeef") == 8u);
  BOOST_TEST(all[3].type == 6u);
  const std::string packet = all[3].body.substr(20, number_at(all[3].body, 12));
  BOOST_TEST(packet.size() == 20u + 8 + 5);
  BOOST_TEST(packet[0] == 0x45);
  std::uint32_t sum = 0;  // of a right header it is all ones
  for (std::size_t i = 0; i < 20; i += 2)
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(packet[i]) << 8 |
                                      static_cast<std::uint8_t>(packet[i + 1]));
  BOOST_TEST(((sum & 0xffff) + (sum >> 16)) == 0xffffu);
  BOOST_TEST(packet.substr(28) == std::string("\1\2\3\4\5"));
  BOOST_TEST(number_at(all[4].body, 12) == 40u + 8 + 5);
}

BOOST_AUTO_TEST_SUITE_END()

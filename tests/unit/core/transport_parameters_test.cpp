#include "core/transport_parameters.h"

#include <boost/test/unit_test.hpp>

#include "mxp/version.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(transport_parameters)

namespace {

// The two required ones, to be put around what a case is about.
constexpr const char* kRequired = "11 04 4d585031 12 02 0201 ";

TransportParameters minimal() {
  TransportParameters parameters;
  parameters.versions = {kWireVersion};
  parameters.suites = {2, 1};
  return parameters;
}

std::expected<TransportParameters, TransportError> parsed(std::string_view more, Role sender = Role::client) {
  return parse_transport_parameters(hex(kRequired + std::string(more)), sender);
}

void refused(std::string_view more, std::string_view reason, Role sender = Role::client) {
  BOOST_TEST_CONTEXT(more) {
    const auto result = parsed(more, sender);
    BOOST_REQUIRE(!result.has_value());
    BOOST_TEST((result.error().code == TransportErrorCode::transport_parameter_error));
    BOOST_TEST(result.error().reason.find(reason) != std::string_view::npos, result.error().reason);
  }
}

class CountingRandom : public Random {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 1;
};

}  // namespace

BOOST_AUTO_TEST_CASE(absent_parameters_have_their_defaults) {
  const auto result = parsed("");
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST((*result == minimal()));
  BOOST_TEST((result->max_idle_timeout == 0ms && result->max_udp_payload == 1200 && result->max_ack_delay == 25ms));
}

BOOST_AUTO_TEST_CASE(every_parameter_is_read_by_its_id) {
  const auto result = parsed(
      "01 02 7530 03 04 8000ffe3 04 01 04 05 01 05 06 01 06 07 01 07 08 01 08 09 01 09 0b 01 0a 0e 01 03 13 02 43e8 14 "
      "01 20 16 02 4492 10 "
      "08 "
      "a1a2a3a4a5a6a7a8",
      Role::server);
  BOOST_REQUIRE(result.has_value());
  TransportParameters expected = minimal();
  expected.max_idle_timeout = 0x3530ms;
  expected.max_udp_payload = 65507;
  expected.initial_max_data = 4;
  expected.initial_max_stream_data_bidi_local = 5;
  expected.initial_max_stream_data_bidi_remote = 6;
  expected.initial_max_stream_data_uni = 7;
  expected.initial_max_streams_bidi = 8;
  expected.initial_max_streams_uni = 9;
  expected.max_ack_delay = 10ms;
  expected.active_connection_id_limit = 3;
  expected.min_ack_delay = 1ms;
  expected.max_receive_timestamps_per_ack = 32;
  expected.max_datagram_payload = 1170;
  expected.connection_id = ConnectionId({0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8});
  BOOST_TEST((*result == expected));
}

BOOST_AUTO_TEST_CASE(written_parameters_have_the_bytes_of_the_document) {
  TransportParameters parameters = minimal();
  parameters.max_idle_timeout = 30s;
  parameters.initial_max_streams_uni = 9;
  std::array<std::uint8_t, 64> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_transport_parameters(out, parameters, nullptr));
  BOOST_TEST(
      std::vector(out.so_far().begin(), out.so_far().end()) == hex("01 04 80007530 09 01 09 11 04 4d585031 12 02 0201"),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bounds_are_inclusive_where_the_document_says_so) {
  BOOST_TEST(parsed("01 08 c000000100000000").has_value());
  refused("01 08 c000000100000001", "out of bounds");
  BOOST_TEST(parsed("03 02 44b0").has_value());
  refused("03 02 44af", "out of bounds");
  refused("03 04 8000ffe4", "out of bounds");
  BOOST_TEST(parsed("08 08 d000000000000000").has_value());
  refused("08 08 d000000000000001", "out of bounds");
  BOOST_TEST(parsed("09 08 d000000000000000").has_value());
  refused("09 08 d000000000000001", "out of bounds");
  BOOST_TEST(parsed("0b 02 7fff").has_value());
  refused("0b 04 80004000", "out of bounds");
  BOOST_TEST(parsed("04 08 ffffffffffffffff").has_value());
  BOOST_TEST(parsed("0e 01 01").has_value());
  refused("0e 01 00", "out of bounds");
  BOOST_TEST(parsed("0e 08 ffffffffffffffff").has_value());
  BOOST_TEST(parsed("14 01 00")->max_receive_timestamps_per_ack == 0u);
  BOOST_TEST(parsed("14 02 4040")->max_receive_timestamps_per_ack == 64u);
  refused("14 02 4041", "out of bounds");
  BOOST_TEST(parsed("")->max_receive_timestamps_per_ack == 0u);
  BOOST_TEST(parsed("16 01 00").has_value());
  BOOST_TEST(parsed("16 04 8000ffe3").has_value());
  refused("16 04 8000ffe4", "out of bounds");
  BOOST_TEST(parsed("0b 02 7fff 13 04 80f9fc18").has_value());
  refused("0b 02 7fff 13 04 80f9fc19", "out of bounds");
}

BOOST_AUTO_TEST_CASE(shortest_ack_delay_is_not_above_the_longest) {
  BOOST_TEST((*parsed("13 04 800061a8")->min_ack_delay == 25ms));  // the default of max_ack_delay
  refused("13 04 800061a9", "above max_ack_delay");
  refused("13 02 43e9 0b 01 01", "above max_ack_delay");  // whichever comes first
  BOOST_TEST((*parsed("13 01 00")->min_ack_delay == 0ms));
  BOOST_TEST(!parsed("")->min_ack_delay.has_value());  // absent is not zero
  refused("13 01 00 13 01 00", "twice");
  TransportParameters parameters = minimal();
  parameters.min_ack_delay = 26ms;
  std::array<std::uint8_t, 64> buffer;
  Writer out(buffer);
  BOOST_TEST(!write_transport_parameters(out, parameters, nullptr));
  parameters.min_ack_delay = 1ms;
  parameters.active_connection_id_limit = 8;
  BOOST_REQUIRE(write_transport_parameters(out, parameters, nullptr));
  BOOST_TEST((parse_transport_parameters(out.so_far(), Role::client).value() == parameters));
}

BOOST_AUTO_TEST_CASE(value_must_fill_its_length) {
  refused("04 02 0405", "fill");
  refused("04 01 44", "fill");
  refused("04 00", "fill");
  refused("0b 03 400a00", "fill");
}

BOOST_AUTO_TEST_CASE(duplicates_are_refused_known_or_not) {
  refused("04 01 04 04 01 04", "twice");
  refused("12 01 01", "twice");
  refused("11 04 4d585031", "twice");
  refused("7a00 00 1b 00 7a00 00", "twice");
  refused("10 08 0000000000000000 10 08 0000000000000000", "twice", Role::server);
}

BOOST_AUTO_TEST_CASE(unknown_parameters_are_ignored) {
  const auto result = parsed("1b 03 aabbcc 02 10 000102030405060708090a0b0c0d0e0f c123456789abcdef 00");
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST((*result == minimal()));
}

BOOST_AUTO_TEST_CASE(connection_id_is_the_servers_alone) {
  refused("10 08 a1a2a3a4a5a6a7a8", "from a client", Role::client);
  refused("10 07 a1a2a3a4a5a6a7", "8 bytes", Role::server);
  refused("10 09 a1a2a3a4a5a6a7a8a9", "8 bytes", Role::server);
  refused("10 00", "8 bytes", Role::server);
}

BOOST_AUTO_TEST_CASE(lists_are_required_and_bounded) {
  const auto fails = [](std::string_view bytes, std::string_view reason) {
    BOOST_TEST_CONTEXT(bytes) {
      const auto result = parse_transport_parameters(hex(bytes), Role::client);
      BOOST_REQUIRE(!result.has_value());
      BOOST_TEST(result.error().reason.find(reason) != std::string_view::npos);
    }
  };
  fails("", "versions is missing");
  fails("12 01 02", "versions is missing");
  fails("11 04 4d585031", "suites is missing");
  fails("11 00 12 01 02", "1 to 16");
  fails("11 03 4d5850 12 01 02", "1 to 16");
  fails("11 4044" + std::string(136, '0') + "12 01 02", "1 to 16");
  fails("11 04 4d585031 12 00", "1 to 16");
  fails("11 04 4d585031 12 11" + std::string(34, '0'), "1 to 16");
  const auto most =
      parse_transport_parameters(hex("11 4040" + std::string(128, '1') + "12 10" + std::string(32, '2')), Role::client);
  BOOST_REQUIRE(most.has_value());
  BOOST_TEST(most->versions.size() == 16u);
  BOOST_TEST(most->suites.size() == 16u);  // unknown ones are kept
}

BOOST_AUTO_TEST_CASE(parameters_cut_off_anywhere_are_refused) {
  const auto bytes = hex("01 04 80007530 1b 02 aabb 11 04 4d585031 12 02 0201");
  BOOST_REQUIRE(parse_transport_parameters(bytes, Role::client).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST(!parse_transport_parameters(ByteView(bytes).first(size), Role::client).has_value(), "cut to " << size);
  }
  refused("1b", "length cut off");
  refused("40", "id cut off");
  refused("1b 05 00", "value cut off");
  refused("1b ffffffffffffffff 00", "value cut off");
}

BOOST_AUTO_TEST_CASE(one_greased_parameter_is_added_and_ignored) {
  CountingRandom random;
  for (int i = 0; i < 100; ++i) {
    std::array<std::uint8_t, 128> buffer;
    Writer plain(buffer);
    BOOST_REQUIRE(write_transport_parameters(plain, minimal(), nullptr));
    const std::size_t without = plain.written();
    Writer out(buffer);
    BOOST_REQUIRE(write_transport_parameters(out, minimal(), &random));
    Reader grease(out.so_far().subspan(without));
    BOOST_TEST(*grease.varint() % 31 == 27u);
    const auto size = *grease.varint();
    BOOST_TEST(size <= 16u);
    BOOST_TEST(grease.remaining() == size);
    const auto again = parse_transport_parameters(out.so_far(), Role::client);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((*again == minimal()));
  }
}

BOOST_AUTO_TEST_CASE(what_a_peer_would_refuse_is_not_written) {
  std::array<std::uint8_t, 256> buffer;
  const auto writes = [&](auto change) {
    TransportParameters parameters = minimal();
    change(parameters);
    Writer out(buffer);
    const bool written = write_transport_parameters(out, parameters, nullptr);
    BOOST_TEST((written || out.written() == 0));
    return written;
  };
  BOOST_TEST(writes([](auto&) {}));
  BOOST_TEST(!writes([](auto& p) { p.versions.clear(); }));
  BOOST_TEST(!writes([](auto& p) { p.suites.clear(); }));
  BOOST_TEST(!writes([](auto& p) { p.versions.resize(17); }));
  BOOST_TEST(!writes([](auto& p) { p.suites.resize(17); }));
  BOOST_TEST(!writes([](auto& p) { p.max_udp_payload = 1199; }));
  BOOST_TEST(!writes([](auto& p) { p.max_udp_payload = 65508; }));
  BOOST_TEST(!writes([](auto& p) { p.max_datagram_payload = 65508; }));
  BOOST_TEST(!writes([](auto& p) { p.max_ack_delay = 16384ms; }));
  BOOST_TEST(!writes([](auto& p) { p.max_idle_timeout = -1ms; }));
  BOOST_TEST(!writes([](auto& p) { p.initial_max_streams_bidi = (std::uint64_t{1} << 60) + 1; }));
  BOOST_TEST(!writes([](auto& p) { p.initial_max_data = kMaxVarint + 1; }));
}

BOOST_AUTO_TEST_CASE(parameters_that_do_not_fit_write_nothing) {
  for (std::size_t space = 0; space < 10; ++space) {
    std::array<std::uint8_t, 10> buffer;
    Writer out(MutableBytes(buffer).first(space));
    BOOST_TEST(!write_transport_parameters(out, minimal(), nullptr));
    BOOST_TEST(out.written() == 0u);
  }
  std::array<std::uint8_t, 10> exact;
  Writer out(exact);
  BOOST_TEST(write_transport_parameters(out, minimal(), nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

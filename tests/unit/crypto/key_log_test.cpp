#include "crypto/key_log.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

#include "unit/crypto/bytes_of.h"

namespace mxp::test {
namespace {

const std::string kId = "0001020304050607",
                  kSecret = "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f";

}  // namespace

BOOST_AUTO_TEST_SUITE(key_log)

BOOST_AUTO_TEST_CASE(a_line_is_read) {
  for (const auto direction :
       {KeyLogLine::TrafficDirection::client_to_server, KeyLogLine::TrafficDirection::server_to_client}) {
    for (const std::uint32_t phase : {0u, 1u, 4'294'967'295u}) {
      const std::string label = direction == KeyLogLine::TrafficDirection::client_to_server ? "MXP_C2S" : "MXP_S2C";
      const auto read =
          parse_key_log_line(label + "_TRAFFIC_SECRET_" + std::to_string(phase) + " " + kId + " " + kSecret);
      BOOST_REQUIRE(read.has_value());
      BOOST_TEST((read->direction == direction));
      BOOST_TEST(read->phase == phase);
      BOOST_TEST((read->destination == ConnectionId(hex_array<8>(kId))));
      BOOST_TEST((read->secret == hex_secret(kSecret)));
    }
  }
}

BOOST_AUTO_TEST_CASE(capital_hex_digits_are_read) {
  const auto read = parse_key_log_line("MXP_C2S_TRAFFIC_SECRET_0 00ABCDEF04050607 " + kSecret);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(to_hex(read->destination.bytes()) == "00abcdef04050607");
}

BOOST_AUTO_TEST_CASE(bad_lines_are_refused_by_what_is_wrong_with_them) {
  struct Case {
    std::string line;
    KeyLogError error;
  };
  const std::string label = "MXP_C2S_TRAFFIC_SECRET_0";
  const std::vector<Case> cases = {
      {"", KeyLogError::wrong_field_count},
      {label, KeyLogError::wrong_field_count},
      {label + " " + kId, KeyLogError::wrong_field_count},
      {label + " " + kId + " " + kSecret + " more", KeyLogError::wrong_field_count},
      {label + " " + kId + "  " + kSecret, KeyLogError::wrong_field_count},
      {"CLIENT_TRAFFIC_SECRET_0 " + kId + " " + kSecret, KeyLogError::unknown_label},
      {"MXP_C2S_TRAFFIC_SECRET 0 " + kSecret, KeyLogError::unknown_label},
      {"mxp_c2s_traffic_secret_0 " + kId + " " + kSecret, KeyLogError::unknown_label},
      {" " + label.substr(1) + " " + kSecret, KeyLogError::unknown_label},
      {"MXP_C2S_TRAFFIC_SECRET_ " + kId + " " + kSecret, KeyLogError::bad_phase},
      {"MXP_C2S_TRAFFIC_SECRET_x " + kId + " " + kSecret, KeyLogError::bad_phase},
      {"MXP_C2S_TRAFFIC_SECRET_-1 " + kId + " " + kSecret, KeyLogError::bad_phase},
      {"MXP_C2S_TRAFFIC_SECRET_00 " + kId + " " + kSecret, KeyLogError::bad_phase},
      {"MXP_C2S_TRAFFIC_SECRET_4294967296 " + kId + " " + kSecret, KeyLogError::bad_phase},
      {label + " " + kId.substr(1) + " " + kSecret, KeyLogError::bad_connection_id},
      {label + " " + kId + "00 " + kSecret, KeyLogError::bad_connection_id},
      {label + " 000102030405060g " + kSecret, KeyLogError::bad_connection_id},
      {label + " " + kId + " " + kSecret.substr(2), KeyLogError::bad_secret},
      {label + " " + kId + " " + kSecret + "00", KeyLogError::bad_secret},
      {label + " " + kId + " " + kSecret.substr(1) + ":", KeyLogError::bad_secret},
      {label + " " + kId + " " + kSecret + "\r", KeyLogError::bad_secret},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.line) {
      const auto read = parse_key_log_line(c.line);
      BOOST_REQUIRE(!read.has_value());
      BOOST_TEST(to_string(read.error()) == to_string(c.error));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test

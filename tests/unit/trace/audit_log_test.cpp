#include "mxp/audit_log.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/temporary_folder.h"
#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;
using Json = nlohmann::json;

namespace {

const SocketAddress kSomebody = SocketAddress::ipv4(192, 0, 2, 1, 9000);

template <typename Tell>
std::vector<Json> write_lines(Tell tell, std::string* text = nullptr) {
  const TemporaryFolder folder;
  {
    auto log = AuditLog::open((folder.path / "audit").string(), {.clock = {Timestamp(1s), 1'795'000'000'000'000'000}});
    BOOST_REQUIRE(log.has_value());
    tell(**log);
  }
  const std::string all = folder.read("audit");
  if (text != nullptr) *text = all;
  std::vector<Json> lines;
  std::istringstream in(all);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_log)

BOOST_AUTO_TEST_CASE(each_decision_is_a_line_and_nothing_else_is) {
  std::string text;
  const auto lines = write_lines(
      [](AuditLog& log) {
        for (const TraceEvent& event : every_event()) log.on(Timestamp(2s), kLocalId, event);
      },
      &text);
  std::vector<std::string> events;
  for (const Json& line : lines) events.push_back(line["event"]);
  const std::vector<std::string> expected = {"client_accepted",  "server_dialled", "handshake_completed",
                                             "packet_rejected",  "key_updated",    "path_changed",
                                             "connection_closed"};
  BOOST_TEST(events == expected, boost::test_tools::per_element());
  BOOST_TEST(!holds_secret(text));
  BOOST_TEST(lines[0]["time"] == "2026-11-18T11:06:41.000Z");
  BOOST_TEST(lines[0]["connection"] == "1122334455667788");
  BOOST_TEST(lines[3]["reason"] == "authentication failed");
  BOOST_TEST(lines[3]["remote"] == "192.0.2.1:9000");
  BOOST_TEST(lines[6]["error"] == "protocol violation");
  for (const char c : lines[6]["reason"].get<std::string>()) BOOST_TEST(static_cast<unsigned char>(c) >= 0x20);
}

BOOST_AUTO_TEST_CASE(refusals_and_limits_say_which) {
  const auto lines = write_lines([](AuditLog& log) {
    const ConnectionId none;
    log.on(Timestamp(2s), none, TraceAdmission{false, TransportErrorCode::not_authorized, PublicKey(), kSomebody});
    log.on(Timestamp(2s), none, TracePacketDropped{DropReason::half_open_limit, 1200, kSomebody});
    log.on(Timestamp(2s), none, TracePacketDropped{DropReason::malformed_header, 1200, kSomebody});  // no decision
    log.on(
        Timestamp(2s), kLocalId,
        TraceClosed{CloseInfo::By::local, false, static_cast<std::uint64_t>(TransportErrorCode::aead_limit_reached)});
  });
  BOOST_REQUIRE(lines.size() == 4u);
  BOOST_TEST(lines[0]["event"] == "client_refused");
  BOOST_TEST(lines[0]["reason"] == "not authorized");
  BOOST_TEST(!lines[0].contains("connection"));
  BOOST_TEST(lines[1]["event"] == "limit_reached");
  BOOST_TEST(lines[1]["reason"] == "half-open limit");
  BOOST_TEST(lines[2]["event"] == "limit_reached");
  BOOST_TEST(lines[3]["event"] == "connection_closed");
}

BOOST_AUTO_TEST_CASE(a_flood_of_one_reason_is_some_lines_and_a_count) {
  const auto lines = write_lines([](AuditLog& log) {
    for (int i = 0; i < 1000; ++i)
      log.on(Timestamp(2s), ConnectionId(), TracePacketDropped{DropReason::bad_mac1, 1200, kSomebody});
    log.on(Timestamp(2s), ConnectionId(), TracePacketDropped{DropReason::handshake_failed, 1200, kSomebody});
    log.on(Timestamp(3s), ConnectionId(), TracePacketDropped{DropReason::bad_mac1, 1200, kSomebody});
    for (int i = 0; i < 14; ++i)
      log.on(Timestamp(3s), ConnectionId(), TracePacketDropped{DropReason::bad_mac1, 1200, kSomebody});
  });
  BOOST_TEST(lines.size() == 10u + 1 + 1 + 9 + 1);
  BOOST_TEST(!lines[10].contains("suppressed"));
  BOOST_TEST(lines[11]["suppressed"] == 990);
  BOOST_TEST(lines.back()["suppressed"] == 5);  // at the end
}

// Whoever knows the server's key makes as many of these as it likes.
BOOST_AUTO_TEST_CASE(a_flood_of_clients_without_rights_is_some_lines_and_a_count) {
  const auto lines = write_lines([](AuditLog& log) {
    for (int i = 0; i < 1000; ++i) {
      log.on(Timestamp(2s), ConnectionId(),
             TraceAdmission{false, TransportErrorCode::not_authorized, PublicKey(), kSomebody});
      TraceClosed closed{CloseInfo::By::timeout, false, 0};
      closed.before_established = true;
      log.on(Timestamp(2s), kLocalId, closed);
    }
    log.on(Timestamp(4s), ConnectionId(),
           TraceAdmission{false, TransportErrorCode::not_authorized, PublicKey(), kSomebody});
  });
  BOOST_REQUIRE(lines.size() == 10u + 10 + 1 + 1);
  BOOST_TEST(lines[20]["event"] == "client_refused");
  BOOST_TEST(lines[20]["suppressed"] == 990);
  BOOST_TEST(lines[21]["event"] == "handshake_failed");  // at the end
  BOOST_TEST(lines[21]["suppressed"] == 990);
}

BOOST_AUTO_TEST_SUITE_END()

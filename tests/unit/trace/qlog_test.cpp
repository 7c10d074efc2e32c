// The files are read here as a JSON text sequence; tests/tools/qlog_rules.py and qvis_rules.js hold them against what
// the draft and the qvis tools ask for.
#include "mxp/qlog.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.h"
#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;
using Json = nlohmann::json;

namespace {

const std::string kClientFile = "1122334455667788_client.sqlog";
constexpr TraceClock kClock{Timestamp(1s), 1'795'000'000'123'456'789};

// Throws if a record is not framed as RFC 7464 has it, or is not JSON.
std::vector<Json> records(const std::string& text) {
  std::vector<Json> all;
  for (std::size_t at = 0; at < text.size();) {
    BOOST_REQUIRE(text[at] == '\x1e');
    const std::size_t end = text.find('\n', at);
    BOOST_REQUIRE(end != std::string::npos);
    all.push_back(Json::parse(text.substr(at + 1, end - at - 1)));
    at = end + 1;
  }
  return all;
}

Json find(const std::vector<Json>& all, std::string_view name) {
  for (const Json& record : all)
    if (record.value("name", "") == name) return record;
  BOOST_TEST_MESSAGE("there is no " << name);
  return {};
}

std::vector<Json> write_everything(QlogFlavour flavour, std::string* text = nullptr) {
  const TemporaryFolder folder;
  {
    auto qlog = QlogFolder::open(
        {.folder = folder.path.string(), .flavour = flavour, .clock = kClock, .program = "test", .decisions = true});
    BOOST_REQUIRE(qlog.has_value());
    Timestamp now = kClock.at;
    for (const TraceEvent& event : every_event()) (*qlog)->on(now += 1500us, kLocalId, event);
    BOOST_TEST((*qlog)->dropped() == 0u);
  }
  const std::string all = folder.read(kClientFile);
  if (text != nullptr) *text = all;
  return records(all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qlog)

BOOST_AUTO_TEST_CASE(each_event_is_a_record_in_the_namespace_mxp) {
  std::string text;
  const auto all = write_everything(QlogFlavour::ietf, &text);
  BOOST_TEST(all[0]["file_schema"] == "urn:ietf:params:qlog:file:sequential");
  BOOST_TEST(all[0]["serialization_format"] == "application/qlog+json-seq");
  BOOST_TEST(!all[0].contains("qlog_version"));
  BOOST_TEST(text.substr(0, 256).find("json-seq") != std::string::npos);
  BOOST_TEST(all[0]["trace"]["vantage_point"]["type"] == "client");
  BOOST_TEST(all[0]["trace"]["common_fields"]["reference_time"]["wall_clock_time"] == "2026-11-18T11:06:40.123Z");
  // All but the secrets, the decision that comes before there is a connection, and the end of all.
  BOOST_TEST(all.size() == 1 + every_event().size() - 3);
  for (std::size_t i = 1; i < all.size(); ++i)
    BOOST_TEST(all[i]["name"].get<std::string>().starts_with("mxp:"), all[i].dump());
  const Json sent = find(all, "mxp:packet_sent");
  BOOST_TEST(sent["data"]["header"]["packet_number"] == 5);
  BOOST_TEST(sent["data"]["raw"]["length"] == 1200);
  BOOST_TEST(sent["data"]["trigger"] == "pto_probe");
  BOOST_TEST(sent["data"]["frames"].size() == kTraceFrameKinds);
  BOOST_TEST(sent["data"]["frames_cut"] == true);
  BOOST_TEST(sent["data"]["frames"][2].dump() ==
             R"({"acked_ranges":[[7,9],[1,3]],"fin":true,"frame_type":"ack","length":12})");
  BOOST_TEST(sent["data"]["frames"][3].dump() == R"({"frame_type":"stream","length":13,"offset":1003,"stream_id":4})");
  const Json metrics = find(all, "mxp:recovery_metrics_updated")["data"];
  BOOST_TEST(metrics["congestion_window"] == 64000);
  BOOST_TEST(metrics["min_rtt"] == 19.0);
  BOOST_TEST(find(all, "mxp:connection_started")["time"] == 3.0);
  BOOST_TEST(find(all, "mxp:blocked")["data"]["reason"] == "handshake");
  BOOST_TEST(find(all, "mxp:stream_state_updated")["data"]["new"] == "open");
  BOOST_TEST(all[all.size() - 2]["data"]["blocked_time"].dump() == R"({"pacing":250.0})");
}

BOOST_AUTO_TEST_CASE(the_qvis_flavour_has_the_names_of_quic_where_they_mean_the_same) {
  const auto all = write_everything(QlogFlavour::qvis);
  BOOST_TEST(all[0]["qlog_version"] == "0.3");
  BOOST_TEST(all[0]["qlog_format"] == "JSON-SEQ");
  BOOST_TEST(!all[0].contains("file_schema"));
  BOOST_TEST(all[0]["trace"]["common_fields"]["time_format"] == "relative");
  BOOST_TEST(all[0]["trace"]["common_fields"]["reference_time"] == 1795000000123.456);
  for (const char* name : {"transport:packet_sent", "transport:packet_received", "recovery:packet_lost",
                           "recovery:metrics_updated", "transport:parameters_set", "mxp:blocked", "mxp:scheduled"})
    BOOST_TEST(!find(all, name).is_null(), name);
}

BOOST_AUTO_TEST_CASE(no_secret_is_written_and_what_a_peer_wrote_breaks_nothing) {
  for (const QlogFlavour flavour : {QlogFlavour::ietf, QlogFlavour::qvis}) {
    std::string text;
    const auto all = write_everything(flavour, &text);
    BOOST_TEST(!holds_secret(text));
    const std::string reason = all.back()["data"]["reason"];
    for (const char c : reason) BOOST_TEST(static_cast<unsigned char>(c) >= 0x20);
    BOOST_TEST(reason.find("\\x1b") != std::string::npos);
    BOOST_TEST(reason.find("\xe2\x80\xae") == std::string::npos);
  }
  BOOST_TEST(holds_secret("xx5ec2e7"));  // the search finds what there is
}

BOOST_AUTO_TEST_CASE(a_file_is_its_owners_alone_and_none_is_overwritten) {
  const TemporaryFolder folder;
  std::vector<IoError> errors;
  const auto run = [&] {
    auto qlog =
        QlogFolder::open({.folder = folder.path.string(), .clock = kClock, .on_error = [&](const IoError& error) {
                            errors.push_back(error);
                          }});
    BOOST_REQUIRE(qlog.has_value());
    for (const TraceEvent& event : every_event(Role::server)) (*qlog)->on(kClock.at, kLocalId, event);
  };
  const mode_t before = ::umask(0);
  run();
  ::umask(before);
  const std::string name = "1122334455667788_server.sqlog";
  struct stat status{};
  BOOST_REQUIRE(::stat((folder.path / name).c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777) == 0600u);
  const std::string text = folder.read(name);
  run();
  BOOST_TEST(folder.read(name) == text);
  BOOST_REQUIRE(errors.size() == 1u);
  BOOST_TEST(errors[0].code == EEXIST);
}

BOOST_AUTO_TEST_CASE(a_connection_that_changes_its_id_keeps_its_file_under_the_new_one) {
  const TemporaryFolder folder;
  const ConnectionId other({9, 9, 9, 9, 9, 9, 9, 9});
  for (const bool written_before : {false, true}) {
    {
      auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock});
      (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::client});
      if (written_before) (*qlog)->flush();
      (*qlog)->on(kClock.at, other, TraceIdChanged{kLocalId});
      (*qlog)->on(kClock.at, other, TraceEstablished{5ms});
      (*qlog)->on(kClock.at, kLocalId, TraceEstablished{6ms});  // nobody's
    }
    BOOST_TEST(!std::filesystem::exists(folder.path / kClientFile));
    BOOST_TEST(records(folder.read("0909090909090909_client.sqlog")).size() == 4u);
    std::filesystem::remove(folder.path / "0909090909090909_client.sqlog");
  }
}

BOOST_AUTO_TEST_CASE(what_finds_no_room_is_dropped_and_counted_in_the_file) {
  const TemporaryFolder folder;
  constexpr std::uint64_t kEvents = 50'000;
  std::uint64_t dropped = 0;
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock, .most_bytes = 4096});
    (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::client});
    for (std::uint64_t i = 0; i < kEvents; ++i)
      (*qlog)->on(kClock.at, kLocalId, TracePacketReceived{PacketNumber(i), 100});
    dropped = (*qlog)->dropped();
  }
  BOOST_TEST(dropped > 0u);
  std::uint64_t received = 0, told_dropped = 0;
  for (const Json& record : records(folder.read(kClientFile))) {
    received += record.value("name", "") == "mxp:packet_received";
    if (record.value("name", "") == "mxp:events_dropped") told_dropped += record["data"]["count"].get<std::uint64_t>();
  }
  BOOST_TEST(told_dropped == dropped);
  BOOST_TEST(received + dropped == kEvents);
}

BOOST_AUTO_TEST_CASE(a_client_that_never_confirms_leaves_no_file_and_one_that_does_leaves_all_of_it) {
  const TemporaryFolder folder;
  const ConnectionId flooding({9, 9, 9, 9, 9, 9, 9, 9});
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock});
    for (const ConnectionId id : {flooding, kLocalId}) {
      (*qlog)->on(kClock.at, id, TraceStarted{Role::server});
      (*qlog)->on(kClock.at, id, TraceHandshakeSent{2, false});
    }
    (*qlog)->flush();
    BOOST_TEST(std::filesystem::is_empty(folder.path));
    (*qlog)->on(kClock.at, flooding, TraceForgotten{});
    (*qlog)->on(kClock.at, kLocalId, TraceEstablished{5ms});
  }
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  BOOST_TEST(records(folder.read("1122334455667788_server.sqlog")).size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_confirmation_is_bounded_and_what_is_left_out_is_told) {
  const TemporaryFolder folder;
  std::uint64_t dropped = 0;
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock});
    (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::server});
    for (std::uint64_t i = 0; i < 1000; ++i)
      (*qlog)->on(kClock.at, kLocalId, TracePacketReceived{PacketNumber(i), 100});
    (*qlog)->on(kClock.at, kLocalId, TraceEstablished{5ms});
    dropped = (*qlog)->dropped();
  }
  BOOST_TEST(dropped > 500u);
  const auto all = records(folder.read("1122334455667788_server.sqlog"));
  BOOST_TEST(find(all, "mxp:events_dropped")["data"]["count"] == dropped);
}

// Others have taken the room that is shared, but for a little.
BOOST_AUTO_TEST_CASE(where_the_header_finds_no_room_there_is_no_file) {
  const TemporaryFolder folder;
  const ConnectionId flooding({9, 9, 9, 9, 9, 9, 9, 9});
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock, .most_bytes = 2000});
    (*qlog)->on(kClock.at, flooding, TraceStarted{Role::server});
    for (std::uint64_t i = 0; i < 100; ++i) (*qlog)->on(kClock.at, flooding, TracePacketReceived{PacketNumber(i), 100});
    (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::server});
    (*qlog)->on(kClock.at, kLocalId, TraceHandshakeSent{2, false});
    (*qlog)->on(kClock.at, flooding, TraceForgotten{});
    (*qlog)->on(kClock.at, kLocalId, TraceEstablished{5ms});
    BOOST_TEST((*qlog)->dropped() > 0u);
  }
  BOOST_TEST(std::filesystem::is_empty(folder.path));
}

BOOST_AUTO_TEST_CASE(what_strangers_send_before_the_client_confirms_takes_no_room) {
  const TemporaryFolder folder;
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock});
    (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::server});
    for (int i = 0; i < 1000; ++i)
      (*qlog)->on(kClock.at, kLocalId, TracePacketDropped{DropReason::authentication_failed, 100});
    (*qlog)->on(kClock.at, kLocalId, TraceHandshakeSent{2, false});
    (*qlog)->on(kClock.at, kLocalId, TraceEstablished{5ms});
  }
  const auto all = records(folder.read("1122334455667788_server.sqlog"));
  BOOST_TEST(all.size() == 5u);  // the header, started, how many were left out, message 2, established
  BOOST_TEST(find(all, "mxp:events_dropped")["data"]["count"] == 1000u);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_ends_only_itself) {
  const TemporaryFolder folder;
  const ConnectionId other({9, 9, 9, 9, 9, 9, 9, 9}), third({8, 8, 8, 8, 8, 8, 8, 8});
  for (const char* taken : {"1122334455667788_client.sqlog", "0808080808080808_client.sqlog"})
    std::filesystem::create_directory(folder.path / taken);
  std::vector<IoError> errors;
  {
    auto qlog =
        QlogFolder::open({.folder = folder.path.string(), .clock = kClock, .on_error = [&](const IoError& error) {
                            errors.push_back(error);
                          }});
    for (const ConnectionId id : {kLocalId, third, other}) {
      (*qlog)->on(kClock.at, id, TraceStarted{Role::client});
      (*qlog)->flush();
    }
    (*qlog)->on(kClock.at, other, TraceEstablished{5ms});
  }
  BOOST_TEST(records(folder.read("0909090909090909_client.sqlog")).size() == 3u);
  BOOST_REQUIRE(errors.size() == 2u);  // the first, and how many
  BOOST_TEST(errors[0].message.find(kClientFile) != std::string::npos, errors[0].message);
  BOOST_TEST(errors[1].message.find("2 files") != std::string::npos, errors[1].message);
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_it_with_one_complaint) {
  const TemporaryFolder folder;
  std::vector<IoError> errors;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{2000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  {
    auto qlog =
        QlogFolder::open({.folder = folder.path.string(), .clock = kClock, .on_error = [&](const IoError& error) {
                            errors.push_back(error);
                          }});
    (*qlog)->on(kClock.at, kLocalId, TraceStarted{Role::client});
    for (int round = 0; round < 3; ++round) {
      for (std::uint64_t i = 0; i < 100; ++i)
        (*qlog)->on(kClock.at, kLocalId, TracePacketReceived{PacketNumber(i), 100});
      (*qlog)->flush();
    }
    BOOST_TEST((*qlog)->dropped() > 0u);
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  BOOST_REQUIRE(errors.size() == 1u);
  BOOST_TEST(errors[0].code == EFBIG);
  BOOST_TEST(errors[0].message.find(folder.path.string()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_none_is_an_error_that_names_it) {
  for (const char* path : {"/no/such/folder", "/dev/null"}) {
    const auto qlog = QlogFolder::open({.folder = path});
    BOOST_REQUIRE(!qlog.has_value());
    BOOST_TEST(qlog.error().message.find(path) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(many_connections_need_no_descriptor_each) {
  const TemporaryFolder folder;
  constexpr int kConnections = 3000;  // more than a process may open, as a rule
  {
    auto qlog = QlogFolder::open({.folder = folder.path.string(), .clock = kClock});
    for (int i = 0; i < kConnections; ++i) {
      const ConnectionId id({1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 0, 0, 0, 0, 0});
      (*qlog)->on(kClock.at, id, TraceStarted{Role::server});
      (*qlog)->on(kClock.at, id, TraceEstablished{5ms});
    }
  }
  const auto files = std::distance(std::filesystem::directory_iterator(folder.path), {});
  BOOST_TEST(files == kConnections);
}

BOOST_AUTO_TEST_SUITE_END()

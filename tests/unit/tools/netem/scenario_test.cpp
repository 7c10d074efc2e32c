// Scenario files: what they come to, and what is wrong with those that come to nothing, by line.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "mxp-netem/scenario/csv_profile.h"
#include "mxp-netem/scenario/scenario_file.h"
#include "support/temporary_folder.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::tools;

namespace {

struct Folder {
  std::string write(const std::string& name, const std::string& content) {
    const auto path = folder.path / name;
    std::ofstream(path) << content;
    return path.string();
  }
  Result<Scenario> read(const std::string& content) { return read_scenario(write("s.toml", content)); }
  mxp::test::TemporaryFolder folder;
};

std::vector<std::string> events_of(const netem::Timeline& timeline) {
  std::vector<std::string> lines;
  for (const netem::TimelineEvent& event : timeline.events) {
    std::string line = std::to_string(event.at / 1ms) + (event.direction == netem::Direction::up ? " up" : " down");
    if (event.spec) line += " " + netem::to_string(*event.spec);
    if (event.ramp.count() > 0) line += " over " + std::to_string(event.ramp / 1ms);
    if (event.blocked) line += *event.blocked ? " blocked" : " open";
    if (event.rebind) line += " rebind";
    if (event.path == netem::Link::Path::other) line += " other";
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scenario, Folder)

BOOST_AUTO_TEST_CASE(steps_are_resolved_in_the_order_of_time) {
  const auto scenario = read(R"(
title = "all kinds"
repeat = 60
[link]
spec = "delay 10ms rate 10mbit"
down = "delay 20ms"
[[step]]
at = "20s"
set = "mtu 1280 marks strip"
direction = "up"
[[step]]
at = 10.5
spec = "delay 50ms rate 5mbit"
direction = "up"
ramp = "3s"
[[step]]
at = "30s"
blackout = "2s"
direction = "down"
[[step]]
at = "40s"
handover = true
up = "delay 5ms"
)");
  BOOST_REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  BOOST_REQUIRE(scenario->plans.size() == 1u);
  const netem::Timeline& timeline = scenario->plans.front().timeline;
  BOOST_TEST(netem::to_string(timeline.up) == "delay 10ms rate 10mbit");
  BOOST_TEST(netem::to_string(timeline.down) == "delay 20ms");
  BOOST_TEST((timeline.repeat == 60s));
  const std::vector<std::string> expected = {"10500 up delay 50ms rate 5mbit over 3000",
                                             "20000 up delay 50ms rate 5mbit mtu 1280 marks strip",
                                             "30000 down blocked",
                                             "32000 down open",
                                             "40000 up rebind",
                                             "40000 up delay 5ms other"};
  BOOST_TEST(events_of(timeline) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(drops_stay_through_every_change) {
  const auto scenario = read(R"(
[link]
spec = "delay 10ms"
[[step]]
at = 5
spec = "delay 20ms"
[[drop]]
handshake = 2
[[drop]]
first = 3
direction = "up"
)");
  BOOST_REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  const netem::Timeline& timeline = scenario->plans.front().timeline;
  BOOST_TEST(netem::to_string(timeline.up) == "delay 10ms droplist 1-3");
  BOOST_TEST(netem::to_string(timeline.down) == "delay 10ms droplist h1");
  const std::vector<std::string> expected = {"5000 up delay 20ms droplist 1-3", "5000 down delay 20ms droplist h1"};
  BOOST_TEST(events_of(timeline) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(clients_have_links_and_steps_of_their_own) {
  const auto scenario = read(R"(
[link]
spec = "delay 1ms"
per_client = true
[[client]]
name = "far"
match = "10.1.0.0/16"
spec = "delay 100ms"
[[client]]
nth = 2
shared = true
[[step]]
at = 1
client = "far"
set = "loss 5%"
)");
  BOOST_REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  BOOST_REQUIRE(scenario->plans.size() == 3u);
  const LinkPlan& far = scenario->plans[0];
  BOOST_TEST(far.name == "far");
  BOOST_TEST((far.sharing == LinkSharing::one_for_each));
  BOOST_TEST(far.timeline.events.size() == 2u);
  BOOST_TEST(far.match(SocketAddress::ipv4(10, 1, 200, 3, 99), 7));
  BOOST_TEST(!far.match(SocketAddress::ipv4(10, 2, 0, 3, 99), 7));
  const LinkPlan& second = scenario->plans[1];
  BOOST_TEST(second.name == "client 2");
  BOOST_TEST((second.sharing == LinkSharing::one_for_all));
  BOOST_TEST(second.match(SocketAddress::ipv4(10, 2, 0, 3, 99), 2));
  BOOST_TEST(!second.match(SocketAddress::ipv4(10, 2, 0, 3, 99), 1));
  BOOST_TEST(scenario->plans[2].name == "");
  BOOST_TEST((scenario->plans[2].sharing == LinkSharing::one_for_each));
  BOOST_TEST(scenario->plans[2].timeline.events.empty());
}

BOOST_AUTO_TEST_CASE(networks_match_by_their_bits) {
  const auto matches = [](std::string_view network, std::string_view client) {
    return (*parse_network(network))(*SocketAddress::parse(client), 1);
  };
  BOOST_TEST(matches("192.168.16.0/20", "192.168.31.255:1"));
  BOOST_TEST(!matches("192.168.16.0/20", "192.168.32.0:1"));
  BOOST_TEST(matches("0.0.0.0/0", "1.2.3.4:5"));
  BOOST_TEST(!matches("0.0.0.0/0", "[::1]:5"));
  BOOST_TEST(matches("127.0.0.1", "127.0.0.1:5"));
  BOOST_TEST(!matches("127.0.0.1", "127.0.0.2:5"));
  BOOST_TEST(matches("fd00::/9", "[fd7f::1]:5"));
  BOOST_TEST(!matches("fd00::/9", "[fd80::1]:5"));
  for (const std::string_view bad :
       {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::1/129", "name", "1.2.3.4:5"})
    BOOST_TEST(!parse_network(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_profile_is_played_row_by_row) {
  write("p.csv", "# recorded\nt,rate,loss,delay\n0,1mbit,,10ms\n1.5,2mbit,5%,\n3,,0,20ms\n");
  const auto scenario = read("[link]\nspec = \"delay 1ms\"\nprofile_down = \"p.csv\"\n");
  BOOST_REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  const netem::Timeline& timeline = scenario->plans.front().timeline;
  BOOST_TEST(netem::to_string(timeline.up) == "delay 1ms");
  BOOST_TEST(netem::to_string(timeline.down) == "delay 10ms rate 1mbit");
  const std::vector<std::string> expected = {"1500 down delay 10ms loss 5% rate 2mbit",
                                             "3000 down delay 20ms rate 2mbit"};
  BOOST_TEST(events_of(timeline) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_several_links_name_is_read_once) {
  write("t.up", "5\n10\n");
  const auto scenario = read("[link]\nspec = \"trace t.up\"\n[[step]]\nat = 1\nspec = \"trace t.up delay 1ms\"\n");
  BOOST_REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  const netem::Timeline& timeline = scenario->plans.front().timeline;
  BOOST_REQUIRE(timeline.up.trace.opportunities_ms.size() == 2u);
  BOOST_TEST(timeline.down.trace.opportunities_ms.begin() == timeline.up.trace.opportunities_ms.begin());
  BOOST_REQUIRE(timeline.events.size() == 2u);
  for (const netem::TimelineEvent& event : timeline.events)
    BOOST_TEST(event.spec->trace.opportunities_ms.begin() == timeline.up.trace.opportunities_ms.begin());
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_with_their_line) {
  write("bad.csv", "t,rate\n0,1mbit\n0,2mbit\n");
  const struct {
    std::string content;
    std::string_view says;
  } table[] = {
      {"x = ", "s.toml:1: "},
      {"\nspec = \"delay 1ms\"", "s.toml:2: 'spec' is unknown here: expected one of repeat, link"},
      {"[link]\nspec = \"dely 1ms\"", "s.toml:2: 'dely' is unknown"},
      {"[link]\nspec = 5", "s.toml:2: 'spec' is a text in quotes"},
      {"[link]\nper_client = 1", "s.toml:2: 'per_client' is true or false"},
      {"[link]\nprofile = \"none.csv\"", "s.toml:2: cannot read the profile"},
      {"[link]\nprofile = \"bad.csv\"", "bad.csv: line 3: t does not rise"},
      {"[link]\nspec = \"trace none.up\"", "s.toml:2: cannot read the trace"},
      {"repeat = 0", "s.toml:1: 'repeat' must be at least 1ms"},
      {"repeat = \"1ns\"", "s.toml:1: 'repeat' must be at least 1ms"},
      {"repeat = \"25h\"", "s.toml:1: 'repeat' is a time up to 24 hours"},
      {"[[step]]\nspec = \"\"", "s.toml:1: [[step]] needs 'at'"},
      {"[[step]]\nat = -1", "s.toml:2: 'at' is a time"},
      {"[[step]]\nat = 1", "s.toml:2: this step changes nothing"},
      {"[[step]]\nat = 1\nset = \"delay\"", "s.toml:3: 'delay' needs a time"},
      {"[[step]]\nat = 1\nset = \"delay 1ms\"\nspec = \"\"", "s.toml:3: 'spec' replaces the link"},
      {"[[step]]\nat = 1\nset = \"delay 1ms\"\ndirection = \"left\"", "s.toml:4: 'direction' is"},
      {"[[step]]\nat = 1\nrebind = true\nramp = 2", "s.toml:4: 'ramp' needs what the link becomes"},
      {"[[step]]\nat = 1\nblackout = 0", "s.toml:3: 'blackout' must be above 0"},
      {"[[step]]\nat = 1\nrebind = true\nclient = \"x\"", "s.toml:4: there is no [[client]]"},
      {"[[step]]\nat = 1\nhandover = true\nramp = 2\nset = \"delay 1ms\"", "exclude each other"},
      {"repeat = 5\n[[step]]\nat = 5\nset = \"delay 1ms\"", "s.toml:4: this comes after 'repeat'"},
      {"[[step]]\nat = 1\nset = \"rate 1mbit\"\n[link]\nspec=\"trace x\"", "cannot read the trace"},
      {"[[step]]\nat = 1\nset = \"queue codel\"", "s.toml:3: 'queue codel' needs a rate"},
      {"step = 5", "s.toml:1: 'step' is a table"},
      {"step = [{at = 1, rebind = true}, 5]", "s.toml:1: 'step' is a table"},
      {"[[drop]]\ndirection = \"up\"", "s.toml:1: [[drop]] needs one of"},
      {"[[drop]]\nfirst = 0", "s.toml:2: 'first' is a whole number"},
      {"[[drop]]\nhandshake = 3", "s.toml:2: 'handshake' is 1"},
      {"[[drop]]\nhandshake = 1\ndirection = \"up\"", "s.toml:3: 'handshake' says itself"},
      {"[[drop]]\npackets = \"3-1\"", "s.toml:2: 'packets' is a list"},
      {"[[client]]\nname = \"x\"", "s.toml:1: [[client]] needs 'match'"},
      {"[[client]]\nnth = 1\nmatch = \"1.2.3.4\"", "[[client]] needs 'match'"},
      {"[[client]]\nmatch = \"10.0.0.0/40\"", "s.toml:2: '10.0.0.0/40' is not an address"},
      {"[[client]]\nname = \"\"\nnth = 1", "s.toml:2: 'name' must not be empty"},
      {"[[client]]\nnth = 1\n[[client]]\nnth = 1", "s.toml:3: there are two [[client]] of the name 'client 1'"},
  };
  for (const auto& row : table) {
    const auto scenario = read(row.content);
    BOOST_TEST(!scenario.has_value(), row.content << " was accepted");
    if (scenario) continue;
    BOOST_TEST(scenario.error().message.find(row.says) != std::string::npos,
               row.content << "\nsays: " << scenario.error().message);
    BOOST_TEST((scenario.error().kind == ErrorKind::usage));
  }
}

BOOST_AUTO_TEST_CASE(what_is_for_all_has_a_bound_for_all) {
  std::string list = "1";
  for (int i = 1; i < 600; ++i) list += ",1";
  const std::string drop = "[[drop]]\ndirection = \"up\"\npackets = \"" + list + "\"\n";
  BOOST_TEST(read(drop).has_value());
  const auto twice = read(drop + drop);
  BOOST_REQUIRE(!twice.has_value());
  BOOST_TEST(twice.error().message.find("s.toml:6: all [[drop]] together") != std::string::npos, twice.error().message);

  std::string clients;
  for (int i = 1; i <= 100; ++i) clients += "[[client]]\nnth = " + std::to_string(i) + "\n";
  BOOST_TEST(read(clients).has_value());
  const auto one_more = read(clients + "[[client]]\nnth = 101\n");
  BOOST_REQUIRE(!one_more.has_value());
  BOOST_TEST(one_more.error().message.find("s.toml:201: more than 100 [[client]]") != std::string::npos,
             one_more.error().message);

  const auto large = read(std::string((1 << 20) + 1, '#'));
  BOOST_REQUIRE(!large.has_value());
  BOOST_TEST(large.error().message.find("has more than 1048576 bytes") != std::string::npos, large.error().message);

  // Refused before anything is made of the rows: each would take hundreds of bytes.
  std::string rows = "t,rate\n";
  for (int i = 0; i <= 500'000; ++i) rows += std::to_string(i) + "ms,8bit\n";
  write("long.csv", rows);
  const auto profiles = read("[link]\nprofile = \"long.csv\"\n");
  BOOST_REQUIRE(!profiles.has_value());
  BOOST_TEST(profiles.error().message.find("s.toml:2: the profiles have more than") != std::string::npos,
             profiles.error().message);
}

BOOST_AUTO_TEST_CASE(a_named_pipe_is_not_waited_for) {
  const std::string pipe = (folder.path / "pipe").string();
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto scenario = read("[link]\nspec = \"trace " + pipe + "\"");
  BOOST_REQUIRE(!scenario.has_value());
  BOOST_TEST(scenario.error().message.find("not a regular file") != std::string::npos, scenario.error().message);
}

BOOST_AUTO_TEST_CASE(csv_mistakes_are_named_with_their_line) {
  const struct {
    std::string_view text, says;
  } table[] = {
      {"", "no row"},
      {"t,rate\n", "no row"},
      {"time,rate\n0,1mbit\n", "line 1: column 'time' is unknown"},
      {"rate,delay\n", "line 1: the first line names the columns"},
      {"t\n0\n", "line 1: the first line names the columns"},
      {"t,rate,rate\n", "line 1: column 'rate' is there twice"},
      {"t,rate\n0\n", "line 2: 1 fields, but 2 columns"},
      {"t,rate\n,1mbit\n", "line 2: 't' is missing"},
      {"t,rate\nsoon,1mbit\n", "line 2: t: 'soon' is not a time"},
      {"t,rate\n86401,1mbit\n", "line 2: t: '86401' is not a time in seconds up to 24 hours"},
      {"t,rate\n0,fast\n", "line 2: rate: 'fast' is not a rate"},
      {"t,delay\n0,40\n", "line 2: delay: '40' is not a time with its unit"},
      {"t,loss\n\n0,101%\n", "line 3: loss: '101%' is not a percentage"},
      {"t,loss\n1,1\n0.5,2\n", "line 3: t does not rise"},
  };
  for (const auto& row : table) {
    const auto rows = parse_csv_profile(row.text);
    BOOST_REQUIRE_MESSAGE(!rows.has_value(), row.text);
    BOOST_TEST(rows.error().find(row.says) != std::string::npos, row.text << " says: " << rows.error());
  }
}

BOOST_AUTO_TEST_CASE(the_examples_are_read) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MXP_SOURCE_DIR "/examples/netem")) {
    if (entry.path().extension() != ".toml") continue;
    const auto scenario = read_scenario(entry.path().string());
    BOOST_TEST(scenario.has_value(), (scenario ? "" : scenario.error().message));
    ++count;
  }
  BOOST_TEST(count == 7u);
}

BOOST_AUTO_TEST_SUITE_END()

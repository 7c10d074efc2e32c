// What requests to the HTTP interface are refused for.
#include "mxp-netem/api/request_check.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace mxp;
using namespace mxp::tools;

BOOST_AUTO_TEST_SUITE(request_check)

BOOST_AUTO_TEST_CASE(hosts_are_addresses_or_localhost) {
  for (const char* host : {"localhost", "LocalHost:8474", "127.0.0.1", "127.0.0.1:8474", "192.0.2.1:80", "[::1]",
                           "[::1]:8474", "[fe80::1]:1"})
    BOOST_TEST(is_host_of_this_machine(host), host);
  for (const char* host : {"", "evil.example", "evil.example:8474", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.0.0.1:80.evil.example", "[::1", "[::1]x", "[localhost]", "[127.0.0.1]", "::1"})
    BOOST_TEST(!is_host_of_this_machine(host), host);
}

BOOST_AUTO_TEST_CASE(requests_of_browsers_and_encoded_bodies_are_refused) {
  const auto status_with = [](const std::string& name, const std::string& value, const std::string& method = "POST") {
    httplib::Request request;
    request.method = method;
    request.headers.emplace("Host", "localhost:8474");
    request.headers.emplace(name, value);
    const auto refusal = refusal_of(request);
    return refusal ? refusal->status : 0;
  };
  BOOST_TEST(status_with("User-Agent", "curl/8") == 0);
  BOOST_TEST(status_with("User-Agent", "Mozilla/5.0") == 403);
  BOOST_TEST(status_with("Origin", "null") == 403);
  BOOST_TEST(status_with("Sec-Fetch-Site", "same-origin") == 403);
  BOOST_TEST(status_with("host", "evil.example") == 403);
  BOOST_TEST(status_with("Content-Encoding", "gzip") == 415);
  BOOST_TEST(status_with("Content-Type", "multipart/form-data; boundary=x") == 415);
  BOOST_TEST(status_with("Accept", "*/*", "PUT") == 405);
  BOOST_TEST(status_with("Accept", "*/*", "PRI") == 405);
}

BOOST_AUTO_TEST_CASE(json_has_a_bound_of_levels) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  BOOST_TEST(json_of("").has_value());
  BOOST_TEST(json_of(nested(kMostJsonDepth)).has_value());
  for (const std::string& text : {nested(kMostJsonDepth + 1), nested(250'000), std::string(500'000, '['),
                                  R"({"a":)" + nested(kMostJsonDepth) + "}"}) {
    const auto json = json_of(text);
    BOOST_REQUIRE(!json.has_value());
    BOOST_TEST(json.error().status == 400);
    BOOST_TEST(json.error().message.find("levels of JSON") != std::string::npos, json.error().message);
  }
  BOOST_TEST(!json_of("{").has_value());
}

BOOST_AUTO_TEST_CASE(specs_of_requests_name_no_files) {
  BOOST_TEST(spec_of_request("delay 10ms 2ms distribution normal loss 1%").has_value());
  for (const char* text : {"trace /etc/passwd", "trace lte.up", "delay 10ms 2ms distribution /etc/passwd",
                           "delay 10ms 2ms distribution own", "slot distribution own 10ms 2ms"}) {
    const auto spec = spec_of_request(text);
    BOOST_REQUIRE(!spec.has_value());
    BOOST_TEST(spec.error().find("a request cannot name files") != std::string::npos, spec.error());
  }
  BOOST_TEST(!spec_of_request("delay 1ms" + std::string(16 << 10, ' ')).has_value());
}

BOOST_AUTO_TEST_CASE(names_have_a_bound) {
  const auto with_name = [](std::size_t size) {
    return toxic_from({{"type", "latency"}, {"name", std::string(size, 'x')}});
  };
  BOOST_TEST(with_name(kMostNameBytes).has_value());
  BOOST_TEST(!with_name(kMostNameBytes + 1).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

#include <boost/test/unit_test.hpp>

#include "mxp/message.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace agent_payloads_test {
namespace {

using Bytes = std::vector<std::uint8_t>;
using By = AgentDiscoverPayload::By;

const std::string kOne = "000102030405060708090a0b0c0d0e0f ", kTwo = "101112131415161718191a1b1c1d1e1f ";

Uuid uuid(const std::string& text) {
  Uuid result;
  std::ranges::copy(hex(text), result.begin());
  return result;
}

template <typename Decode>
void refused(Decode decode, const std::string& bytes) {
  const auto result = decode(hex(bytes));
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error() == MessageError::bad_payload));
}
// Cut off anywhere and one byte longer: the payload is filled exactly.
template <typename Decode>
void has_one_size(Decode decode, const Bytes& bytes) {
  BOOST_REQUIRE(decode(bytes).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) BOOST_TEST(!decode(ByteView(bytes).first(size)).has_value());
  Bytes longer = bytes;
  longer.push_back(0);
  BOOST_TEST(!decode(longer).has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_payloads)

BOOST_AUTO_TEST_CASE(agent_heartbeat_has_the_bytes_of_the_document) {
  for (const auto& [state, digits] : {std::pair(AgentState::alive, "01"), std::pair(AgentState::leaving, "02")}) {
    const Bytes bytes = hex(kOne + digits);
    BOOST_TEST((encode_payload(AgentHeartbeatPayload{uuid(kOne), state}) == bytes));
    const auto decoded = decode_agent_heartbeat(bytes);
    BOOST_REQUIRE(decoded.has_value());
    BOOST_TEST((decoded->agent == uuid(kOne) && decoded->state == state));
    has_one_size(decode_agent_heartbeat, bytes);
  }
  refused(decode_agent_heartbeat, kOne + "00");
  refused(decode_agent_heartbeat, kOne + "03");
}

BOOST_AUTO_TEST_CASE(agent_discover_has_the_bytes_of_the_document) {
  const Bytes by_name = hex("01" + kTwo + "6162"), by_capability = hex("02" + kTwo), by_agent = hex("03" + kTwo + kOne);
  BOOST_TEST((encode_payload(AgentDiscoverPayload{By::name, uuid(kTwo), "ab", {}}) == by_name));
  BOOST_TEST((encode_payload(AgentDiscoverPayload{By::capability, uuid(kTwo), "", {}}) == by_capability));
  BOOST_TEST((encode_payload(AgentDiscoverPayload{By::agent, uuid(kTwo), "", uuid(kOne)}) == by_agent));
  const auto named = decode_agent_discover(by_name);
  BOOST_REQUIRE(named.has_value());
  BOOST_TEST((named->by == By::name && named->after == uuid(kTwo) && named->text == "ab"));
  BOOST_TEST((named->text.data() == reinterpret_cast<const char*>(by_name.data() + 17)));  // a view
  const auto capable = decode_agent_discover(by_capability);
  BOOST_REQUIRE(capable.has_value());
  BOOST_TEST((capable->by == By::capability && capable->text.empty()));
  const auto agent = decode_agent_discover(by_agent);
  BOOST_REQUIRE(agent.has_value());
  BOOST_TEST((agent->by == By::agent && agent->agent == uuid(kOne) && agent->after == uuid(kTwo)));
  has_one_size(decode_agent_discover, by_agent);
}

BOOST_AUTO_TEST_CASE(agent_discover_that_asks_for_nothing_known_is_refused) {
  refused(decode_agent_discover, "");
  refused(decode_agent_discover, "00" + kTwo + "61");
  refused(decode_agent_discover, "04" + kTwo + "61");
  refused(decode_agent_discover, "01 0001");
  refused(decode_agent_discover, "01" + kTwo + "ff");  // not UTF-8
  BOOST_TEST(encode_payload(AgentDiscoverPayload{By::name, {}, "\xff", {}}).empty());
  const std::string longest(65535, 'a'), longer(65536, 'a');
  BOOST_TEST(encode_payload(AgentDiscoverPayload{By::name, {}, longer, {}}).empty());
  Bytes bytes = encode_payload(AgentDiscoverPayload{By::name, {}, longest, {}});
  BOOST_TEST(decode_agent_discover(bytes).has_value());
  bytes.push_back('a');
  BOOST_TEST(!decode_agent_discover(bytes).has_value());
}

BOOST_AUTO_TEST_CASE(agent_lease_has_the_bytes_of_the_document) {
  const Bytes bytes = hex("5a000000");
  BOOST_TEST((encode_payload(AgentLeasePayload{90}) == bytes));
  BOOST_TEST(decode_agent_lease(bytes).value().lifetime_seconds == 90u);
  has_one_size(decode_agent_lease, bytes);
}

BOOST_AUTO_TEST_CASE(agent_list_has_the_bytes_of_the_document) {
  PublicKey::Bytes key;
  key.fill(0xaa);
  const std::string owner(64, 'a'), agent = kOne + "0100 78 0100 0100 79 c0000201 2823",
                                    nameless = kTwo + "0000 0000 00000000 0000";
  const Bytes bytes = hex("01 0200" + owner + agent + owner + nameless);
  const AgentListPayload payload{true,
                                 {{PublicKey(key), {uuid(kOne), "x", {"y"}, {192, 0, 2, 1}, 9000}},
                                  {PublicKey(key), {uuid(kTwo), "", {}, {}, 0}}}};
  BOOST_TEST((encode_payload(payload) == bytes));
  const auto decoded = decode_agent_list(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST(decoded->more);
  BOOST_REQUIRE(decoded->agents.size() == 2u);
  BOOST_TEST((decoded->agents[0].owner == PublicKey(key)));
  BOOST_TEST((decoded->agents[0].description.name == "x" && decoded->agents[0].description.port == 9000));
  BOOST_TEST((decoded->agents[1].description.agent == uuid(kTwo)));
  has_one_size(decode_agent_list, bytes);
  BOOST_TEST((encode_payload(AgentListPayload{}) == hex("00 0000")));
  has_one_size(decode_agent_list, hex("00 0000"));
}

BOOST_AUTO_TEST_CASE(agent_list_that_does_not_fit_is_refused) {
  refused(decode_agent_list, "02 0000");
  refused(decode_agent_list, "00 ffff");  // many are promised and none is there
  BOOST_TEST(encode_payload(AgentListPayload{false, {{{}, {{}, "\xff", {}, {}, 0}}}}).empty());
  BOOST_TEST(encode_payload(AgentListPayload{false, std::vector<AgentListPayload::Agent>(65536)}).empty());
}

BOOST_AUTO_TEST_CASE(error_has_the_bytes_of_the_document) {
  const Bytes bytes = hex("0200 6e6f");
  BOOST_TEST((encode_payload(ErrorPayload{ErrorReason::taken, "no"}) == bytes));
  const auto decoded = decode_error(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST((decoded->reason == ErrorReason::taken && decoded->text == "no"));
  BOOST_TEST((decode_error(hex("0080")).value().reason == static_cast<ErrorReason>(0x8000)));  // an application's
  refused(decode_error, "");
  refused(decode_error, "02");
  refused(decode_error, "0200 ff");
  BOOST_TEST(encode_payload(ErrorPayload{ErrorReason::taken, "\xff"}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace agent_payloads_test

// The small parts of a connection, each by its own rule.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "connection/amplification.h"
#include "connection/handshake_payload.h"
#include "connection/idle_timer.h"
#include "connection/lifecycle.h"
#include "connection/number_skipper.h"
#include "connection/sent_frame_log.h"
#include "support/attacker.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {
const Timestamp kBegin{1h};
}

BOOST_AUTO_TEST_SUITE(number_skipper)

BOOST_AUTO_TEST_CASE(numbers_only_grow_and_skips_lie_one_to_four_windows_apart) {
  for (const std::uint64_t window : {std::uint64_t{1}, std::uint64_t{64}, std::uint64_t{1000}}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SeededRandom random(seed);
      NumberSkipper numbers(random);
      const std::uint64_t distance = std::max<std::uint64_t>(window, 64);
      std::uint64_t expected = 0;
      std::uint64_t run = 0;
      std::uint64_t skips = 0;
      for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t number = numbers.take(window).value();
        if (number != expected) {
          BOOST_REQUIRE(number == expected + 1);
          BOOST_REQUIRE(run >= distance);
          ++skips;
          run = 0;
        }
        BOOST_REQUIRE(run <= 4 * distance);
        ++run;
        expected = number + 1;
        BOOST_REQUIRE(numbers.next().value() == expected);
      }
      BOOST_TEST(skips >= 20'000 / (4 * distance) - 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(two_connections_do_not_skip_alike) {
  SeededRandom first(1), second(2);
  NumberSkipper a(first), b(second);
  bool differ = false;
  for (int i = 0; i < 1000 && !differ; ++i) differ = a.take(10) != b.take(10);
  BOOST_TEST(differ);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(idle_timer)

BOOST_AUTO_TEST_CASE(the_smaller_wish_counts_and_zero_is_none) {
  const auto deadline = [](Duration ours, Duration theirs) {
    IdleTimer timer(0s, kBegin);
    timer.set_timeout(ours, theirs);
    return timer.deadline(0s);
  };
  BOOST_TEST((deadline(30s, 10s) == kBegin + 10s));
  BOOST_TEST((deadline(10s, 30s) == kBegin + 10s));
  BOOST_TEST((deadline(0s, 30s) == kBegin + 30s));
  BOOST_TEST((deadline(30s, 0s) == kBegin + 30s));
  BOOST_TEST((deadline(0s, 0s) == kNever));
}

BOOST_AUTO_TEST_CASE(starts_again_with_what_is_received_and_with_the_first_packet_sent_after_it) {
  IdleTimer timer(0s, kBegin);
  timer.set_timeout(10s, 10s);
  timer.on_packet_received(kBegin + 2s);
  BOOST_TEST((timer.deadline(0s) == kBegin + 12s));
  timer.on_ack_eliciting_sent(kBegin + 5s);
  BOOST_TEST((timer.deadline(0s) == kBegin + 15s));
  timer.on_ack_eliciting_sent(kBegin + 7s);  // a peer that is gone must not be kept alive by our own probes
  BOOST_TEST((timer.deadline(0s) == kBegin + 15s));
  timer.on_packet_received(kBegin + 9s);
  timer.on_ack_eliciting_sent(kBegin + 11s);
  BOOST_TEST((timer.deadline(0s) == kBegin + 21s));
}

BOOST_AUTO_TEST_CASE(never_sooner_than_three_probe_timeouts) {
  IdleTimer timer(0s, kBegin);
  timer.set_timeout(1s, 0s);
  BOOST_TEST((timer.deadline(333ms) == kBegin + 1s));
  BOOST_TEST((timer.deadline(2s) == kBegin + 6s));
  BOOST_TEST((timer.deadline(30min) == kBegin + 60s));  // a peer makes them long by answering slowly: threat t56
  timer.set_timeout(90s, 0s);
  BOOST_TEST((timer.deadline(30min) == kBegin + 90s));
}

BOOST_AUTO_TEST_CASE(keepalive_counts_from_the_last_packet_either_way) {
  BOOST_TEST((IdleTimer(0s, kBegin).keepalive_deadline() == kNever));
  IdleTimer timer(5s, kBegin);
  BOOST_TEST((timer.keepalive_deadline() == kBegin + 5s));
  timer.on_ack_eliciting_sent(kBegin + 1s);
  timer.on_ack_eliciting_sent(kBegin + 3s);
  BOOST_TEST((timer.keepalive_deadline() == kBegin + 8s));
  timer.on_packet_received(kBegin + 4s);
  BOOST_TEST((timer.keepalive_deadline() == kBegin + 9s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(amplification_limit)

BOOST_AUTO_TEST_CASE(three_bytes_for_each_received_until_lifted) {
  AmplificationLimit limit;
  BOOST_TEST(limit.allowance() == 0u);
  limit.on_received(1200);
  BOOST_TEST(limit.allowance() == 3600u);
  limit.on_sent(3599);
  BOOST_TEST(limit.allowance() == 1u);
  limit.on_sent(100);  // never below nothing
  BOOST_TEST(limit.allowance() == 0u);
  limit.on_received(33);
  BOOST_TEST(limit.allowance() == 0u);
  limit.on_received(1);
  BOOST_TEST(limit.allowance() == 3u);
  BOOST_TEST(!limit.lifted());
  limit.lift();
  BOOST_TEST(limit.lifted());
  BOOST_TEST(limit.allowance() == std::numeric_limits<std::uint64_t>::max());
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_of_what_came_before_proves_nothing) {
  AmplificationLimit limit;
  limit.on_received(1200);
  limit.on_acknowledged(PacketNumber(5));  // nothing was asked
  BOOST_TEST(!limit.lifted());
  limit.move_to_new_address(50);
  limit.await_proof(PacketNumber(1000));
  BOOST_TEST(limit.allowance() == 150u);
  limit.on_acknowledged(PacketNumber(999));
  BOOST_TEST(!limit.lifted());
  limit.on_acknowledged(PacketNumber(1000));
  BOOST_TEST(limit.lifted());
  BOOST_TEST(!limit.awaits_proof());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sent_frame_log)

BOOST_AUTO_TEST_CASE(holds_what_a_plain_list_holds) {
  BOOST_TEST(rc::check("log and list agree", [] {
    SentFrameLog log;
    std::vector<std::uint64_t> model;
    std::uint64_t begin = 0;
    const auto steps = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint8_t>>>(
        rc::gen::arbitrary<std::pair<std::uint8_t, std::uint8_t>>());
    for (const auto& [add, release] : steps) {
      for (int i = 0; i < add; ++i) {
        SentFrame frame;
        frame.value = mix(model.size());
        model.push_back(frame.value);
        log.append(frame);
      }
      if (release % 2 == 0) {
        begin = std::max(begin, std::min<std::uint64_t>(begin + release, model.size()));
        log.release_below(begin);
      } else {
        log.release_below(begin / 2);  // what is released stays so
      }
      RC_ASSERT(log.end() == model.size());
      RC_ASSERT(log.size() == model.size() - begin);
      for (std::uint64_t i = begin; i < model.size(); ++i) RC_ASSERT(log.at(i).value == model[i]);
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(handshake_payload)

BOOST_AUTO_TEST_CASE(the_best_common_choice_is_the_clients_first_that_the_server_has) {
  struct Case {
    std::vector<std::uint8_t> client, server;
    std::uint8_t used;
    bool good;
  };
  const Case cases[] = {
      {{2, 1}, {2, 1}, 2, true}, {{2, 1}, {1, 2}, 2, true}, {{2, 1}, {1}, 1, true},     {{2, 1}, {2, 1}, 1, false},
      {{1}, {2, 1}, 1, true},    {{9, 2}, {2}, 2, true},    {{9, 2}, {9, 2}, 2, false}, {{1}, {2}, 1, false},
  };
  for (const Case& each : cases) {
    TransportParameters client, server;
    client.versions = server.versions = {0x3150584D};
    client.suites = each.client;
    server.suites = each.server;
    BOOST_TEST(is_best_common_choice(client, server, each.used) == each.good);
    // A better version that both have is a downgrade as well; one that only one has is none.
    client.versions = {7, 0x3150584D};
    BOOST_TEST(is_best_common_choice(client, server, each.used) == each.good);
    server.versions = {0x3150584D, 7};
    BOOST_TEST(!is_best_common_choice(client, server, each.used));
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back_and_padded_to_the_byte) {
  const EndpointConfig config = default_server();
  const TransportParameters parameters =
      local_parameters(config.transport, config.suites, ConnectionId({1, 2, 3, 4, 5, 6, 7, 8}));
  CloseFrame close;
  close.code = 2;
  close.reason = text("no");
  SeededRandom random(3);
  Bytes payload(1138, 0xee);
  BOOST_TEST(write_handshake_payload(payload, parameters, close, &random));
  const auto read = parse_handshake_payload(payload, Role::server);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->parameters == parameters));
  BOOST_REQUIRE(read->close.has_value());
  BOOST_TEST(read->close->code == 2u);
  BOOST_TEST(payload.back() == 0u);
  // A client has no CLOSE to send here, and no id to give.
  BOOST_TEST(!parse_handshake_payload(payload, Role::client).has_value());
  BOOST_TEST(!write_handshake_payload(MutableBytes(payload).first(40), parameters, close, &random));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(escaped_reason)

BOOST_AUTO_TEST_CASE(what_could_rewrite_a_terminal_is_escaped) {
  BOOST_TEST(escape_reason(text("plain text, ä and 漢 too")) == "plain text, ä and 漢 too");
  BOOST_TEST(escape_reason(text("\x1b[2Jgone\r\n\t\x7f")) == "\\x1b[2Jgone\\x0d\\x0a\\x09\\x7f");
  BOOST_TEST(escape_reason(text("\xc2\x9b"
                                "31m")) == "\\x9b31m");  // C1: CSI
  BOOST_TEST(escape_reason(text("\xe2\x80\xae"
                                "abc")) == "\\u202eabc");  // right-to-left override
  BOOST_TEST(escape_reason(text("a\xe2\x80\x8b"
                                "b")) == "a\\u200bb");                // zero width
  BOOST_TEST(escape_reason(text("back\\slash")) == "back\\\\slash");  // so that an escape cannot be forged
  BOOST_TEST(escape_reason(text("\xff\xc3(\xed\xa0\x80")) ==
             "\\xff\\xc3(\\xed\\xa0\\x80");  // not UTF-8, and a surrogate
  BOOST_TEST(escape_reason(text("\xc0\xaf\xf0\x80\x80\x80")) == "\\xc0\\xaf\\xf0\\x80\\x80\\x80");  // overlong
  BOOST_TEST(escape_reason(text("\xf4\x90\x80\x80")) == "\\xf4\\x90\\x80\\x80");  // beyond the last code point
  BOOST_TEST(escape_reason(text("\xe6\xbc")) == "\\xe6\\xbc");                    // cut off
}

BOOST_AUTO_TEST_CASE(the_result_has_at_most_256_bytes_and_no_half_escape) {
  BOOST_TEST(escape_reason(Bytes(256, 'x')).size() == 256u);
  BOOST_TEST(escape_reason(Bytes(300, 'x')).size() == 256u);
  const std::string escaped = escape_reason(Bytes(256, 0x07));
  BOOST_TEST(escaped.size() == 256u);
  BOOST_TEST(escaped.ends_with("\\x07"));
  const std::string odd = escape_reason(Bytes(1, 'x') + Bytes(256, 0x07));
  BOOST_TEST(odd.size() == 253u);
  BOOST_TEST(odd.ends_with("\\x07"));
}

BOOST_AUTO_TEST_SUITE_END()

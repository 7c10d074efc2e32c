// A message of any type, with any flags, sent with any wish and in any class, arrives as it was.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"
#include "unit/connection/calls_fixture.h"

using namespace mxp;
using namespace mxp::test;

namespace message_payloads_property {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr auto kCompressed = static_cast<std::uint8_t>(MessageFlag::compressed);
constexpr auto kEncrypted = static_cast<std::uint8_t>(MessageFlag::encrypted);

}  // namespace

BOOST_AUTO_TEST_SUITE(message_payload_properties)

BOOST_AUTO_TEST_CASE(message_of_every_type_flag_and_class_arrives_as_it_was) {
  BOOST_TEST(rc::check([] {
    CallPair pair({}, {});  // calls are nobody's business here
    struct Sent {
      Message message;
      Bytes payload;
      std::uint8_t undone;  // at least these flags
    };
    std::vector<Sent> sent(*rc::gen::inRange<std::size_t>(1, 12));
    for (std::size_t i = 0; i != sent.size(); ++i) {
      Sent& it = sent[i];
      it.payload = *rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>());
      it.payload.resize(it.payload.size() + *rc::gen::inRange<std::size_t>(0, 600));
      it.message = {.type = static_cast<MessageType>(
                        *rc::gen::suchThat(rc::gen::arbitrary<std::uint8_t>(), is_valid_message_type)),
                    .flags = static_cast<std::uint8_t>(*rc::gen::inRange(0, 4) << 2),
                    .id = i,
                    .trace_id = *rc::gen::arbitrary<std::uint64_t>(),
                    .payload = it.payload};
      MessageOptions options{.traffic_class = static_cast<MessageClass>(*rc::gen::inRange(0, 4))};
      if (*rc::gen::arbitrary<bool>()) options.compress = PayloadCompression::zstd;
      if (*rc::gen::arbitrary<bool>()) options.seal = PayloadSealing::to_peer;
      // Or the application has done it itself, and the connection does only the other.
      Bytes packed(it.payload.size()), sealed(it.payload.size() + kSealingOverhead);
      Message out = it.message;
      if (*rc::gen::arbitrary<bool>()) {
        if (const auto size = MessageCompressor().compress(out.payload, packed)) {
          out.flags |= kCompressed;
          out.payload = ByteView(packed).first(*size);
          options.compress = PayloadCompression::none;
        }
      }
      if (options.compress == PayloadCompression::none && *rc::gen::arbitrary<bool>()) {
        SeededRandom random(i);
        out = *seal_payload(pair.client.identity, pair.server.identity.public_key(), out, random, sealed);
        options.seal = PayloadSealing::none;
      }
      RC_ASSERT(pair.client.wrapper.send(out, options).has_value());
      const bool encrypted = (out.flags & kEncrypted) != 0 || options.seal == PayloadSealing::to_peer;
      it.undone = static_cast<std::uint8_t>((out.flags & kCompressed) | (encrypted ? kEncrypted : 0));
    }
    pair.exchange();
    RC_ASSERT(pair.server.opener.counters().not_opened == 0u);
    std::map<std::uint64_t, RecordingCalls::Told> told;
    for (const auto& it : pair.server.app.told) RC_ASSERT(told.emplace(it.id, it).second);
    for (const Sent& it : sent) {
      const auto& got = told.at(it.message.id);
      RC_ASSERT(got.type == it.message.type);
      RC_ASSERT(got.flags == it.message.flags);
      RC_ASSERT(got.trace_id == it.message.trace_id);
      RC_ASSERT(got.payload == text_of(it.payload));
      const PayloadOrigin origin = got.origin.value_or(PayloadOrigin{});
      RC_ASSERT((origin.flags & kEncrypted) == (it.undone & kEncrypted));
      if ((it.undone & kCompressed) != 0) RC_ASSERT((origin.flags & kCompressed) != 0);
      if ((origin.flags & kEncrypted) != 0) RC_ASSERT(origin.sealed_by == pair.client.identity.public_key());
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_payloads_property

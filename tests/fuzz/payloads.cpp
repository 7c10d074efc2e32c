// A message from a stranger, compacted, whose payload may be compressed, sealed, or neither, as a connection opens it:
// what is told is the payload as it came with its flags, or an opened one within the limit; and what was opened can be
// wrapped and opened again.
#include <algorithm>
#include <vector>

#include "connection/message_opener.h"
#include "connection/message_wrapper.h"
#include "handshake_keys.h"
#include "message/compact.h"
#include "mxp/message_sealing.h"
#include "require.h"
#include "support/pattern.h"

using namespace mxp;
using fuzz::require;

namespace {

constexpr std::size_t kLimit = 64 * 1024;
constexpr auto kCompressed = static_cast<std::uint8_t>(MessageFlag::compressed);
constexpr auto kEncrypted = static_cast<std::uint8_t>(MessageFlag::encrypted);

struct Application final : MessageEvents, CallEvents {
  Message told;
  PayloadOrigin origin;
  std::vector<std::uint8_t> payload;
  int count = 0;
  bool on_message(const Message& message) override {
    ++count;
    told = message;
    origin = message.origin == nullptr ? PayloadOrigin{} : *message.origin;
    payload.assign(message.payload.begin(), message.payload.end());
    told.payload = payload;
    return true;
  }
  void on_messages_expired(std::uint64_t) override {}
  void on_message_outcome(MessageTicket, MessageOutcome) override {}
  void on_messages_writable(MessageClass) override {}
  void on_answer(const CallAnswer&) override {}
  void on_call(const IncomingCall&) override {}
  void on_call_cancelled(IncomingCallId, CallEnd) override {}
};

struct Receiver {
  MessageConfig config{.max_decompressed = kLimit};
  CallConfig call_config;
  PrivateKey identity = fuzz::server_key();
  PublicKey peer = fuzz::client_key().public_key();
  PayloadTools tools{1'000'000};
  test::SeededRandom random{1};
  Application application;
  MessageAcks acks{messages, application};
  MessageWrapper wrapper{messages, tools, random, identity, peer};
  Calls calls{call_config, wrapper, acks, application, 1};
  MessageOpener opener{config, tools, identity, messages, calls};
  Messages messages{config, opener};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Receiver receiver;
  static Timestamp now{};
  const auto message = decode_compact(ByteView(data, size));
  if (!message) return 0;
  Application& application = receiver.application;
  application.count = 0;
  now += std::chrono::seconds(1);  // the rate is not what is tried here
  receiver.opener.on_clock(now);
  require(receiver.opener.offer(*message, MessageEvents::Audience::connection) == MessageEvents::Offered::refused,
          "there are no calls here");
  require(receiver.opener.on_message(*message) && application.count == 1, "a message is told once");
  const Message& told = application.told;
  const PayloadOrigin& origin = application.origin;
  require(told.type == message->type && told.id == message->id && told.trace_id == message->trace_id,
          "opening changes the payload only");
  require((told.flags | origin.flags) == message->flags && (told.flags & origin.flags) == 0,
          "each flag says what the payload is, or what it was");
  require((told.flags & kEncrypted) == 0 || (told.flags & kCompressed) == (message->flags & kCompressed),
          "a seal is opened first");
  if (origin.flags == 0)
    require(std::ranges::equal(told.payload, message->payload), "what is not opened is as it came");
  if ((origin.flags & kCompressed) != 0) require(told.payload.size() <= kLimit, "content has its limit");
  if ((told.flags & (kCompressed | kEncrypted)) != 0) return 0;

  // Sealed to ourselves, which is as good as anybody.
  const std::vector<std::uint8_t> plain(told.payload.begin(), told.payload.end());
  Message again = told;
  again.payload = plain;
  std::vector<std::uint8_t> sealed(plain.size() + kSealingOverhead);
  const auto out = seal_payload(receiver.identity, receiver.identity.public_key(), again, receiver.random, sealed);
  require(out.has_value(), "what was told can be sealed");
  require(receiver.opener.on_message(*out) && application.told.flags == again.flags, "and is opened");
  require(application.payload == plain, "to what it was");
  require(application.origin.sealed_by == receiver.identity.public_key(), "and says who sealed it");
  return 0;
}

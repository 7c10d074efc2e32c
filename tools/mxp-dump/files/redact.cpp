// redact: every packet is made anew from what is known of it, so that nothing passes that was not thought of.
//
//   MXP, handshake   form, version, suite and lengths stay; the id gets a pseudonym; keys, token, ticket, contents, tag
//                    become other bytes, each field by itself, so that copies and damaged ones still show
//   MXP, 1-RTT       the first byte stays (its five lower bits are protected), the id gets a pseudonym, all other bytes
//                    are replaced as a whole
//   other UDP        addresses, ports, size; zeros for its content
//   anything else    a placeholder of its size
//
// Link layers, tunnels, IP options, other blocks of pcapng, comments and secrets are gone. Times and sizes stay.
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <unordered_set>

#include "common/counted.h"
#include "mxp-dump/dissect/batch.h"
#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/dissect/dissector.h"
#include "mxp-dump/files/block_stream.h"
#include "mxp-dump/files/commands.h"
#include "mxp-dump/files/file_pass.h"
#include "mxp-dump/files/pseudonyms.h"
#include "mxp-dump/files/rebuilt_packet.h"

namespace mxp::dump {
namespace {

using tools::counted;
using tools::ErrorKind;
using tools::ExitCode;
using tools::Result;

// Where the fields of a handshake message end that are replaced one by one: header, ephemeral key, the middle, tag.
// Token and ticket, where there are any, lie among them, and are replaced with them.
constexpr std::size_t kLengthFields = 4, kEphemeral = 32, kTag = 16;

Result<Pseudonyms::Key> key_for(const FileCommandOptions& options) {
  Pseudonyms::Key key{};
  if (options.pseudonym_key.empty()) {
    if (::RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
      return tools::fail(ErrorKind::io, "the system gives no random bytes");
    return key;
  }
  auto file = open_input(options.pseudonym_key);
  if (!file)
    return tools::fail(ErrorKind::usage, fmt::format("cannot use --key {}: {}", options.pseudonym_key, file.error()));
  std::array<std::uint8_t, 4096> bytes{};
  ByteSource source(file->release(), -1);
  const std::size_t size = source.read(bytes);
  if (size < 16 || size == bytes.size())
    return tools::fail(
        ErrorKind::usage,
        fmt::format("cannot use --key {}: it must have 16 to 4095 bytes, such as those of \"head -c 32 /dev/urandom\"",
                    options.pseudonym_key));
  ::SHA256(bytes.data(), size, key.data());
  ::OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

class Redaction {
 public:
  Redaction(const Pseudonyms::Key& key, std::uint16_t port)
      : names_(key), dissector_(no_keys_, port, [](const Connection&) {}) {}

  void survey(const CapturedPacket& packet, const FoundUdp& found) {
    if (!found) return;
    if (found->fragment && incomplete_.size() < kMaxIncomplete) incomplete_.insert(packet.frame);
    dissector_.survey(packet, *found);
  }
  void end_survey() { dissector_.end_survey(); }

  RebuiltPacket redacted(const CapturedPacket& packet, const FoundUdp& found) {
    if (!found && found.error().why == NotUdp::malformed) return {{}, packet.original_length};
    if (!found) return placeholder(packet.original_length);
    records_.clear();
    UdpDatagram datagram = *found;
    std::vector<std::uint8_t> payload(found->payload.size());
    if (dissector_.dissect(packet, *found, [this](const PacketRecord& record) { records_.push_back(record); })) {
      ++packets_of_mxp_;
      std::size_t at = 0;
      for (const PacketRecord& record : records_) {
        const std::size_t size = std::min<std::size_t>(record.length, payload.size() - at);
        packet_of_mxp(record, found->payload.subspan(at, size), MutableBytes(payload).subspan(at, size));
        at += size;
      }
    }
    datagram.source = names_.of(found->source);
    datagram.destination = names_.of(found->destination);
    return rebuild(datagram, payload);
  }

  // Whether this frame is a first fragment whose datagram never becomes whole.
  bool incomplete(std::uint64_t frame) const { return incomplete_.contains(frame); }
  std::uint64_t packets_of_mxp() const { return packets_of_mxp_; }

 private:
  static constexpr std::size_t kMaxIncomplete = 100'000;

  void packet_of_mxp(const PacketRecord& record, ByteView in, MutableBytes out) {
    if (in.empty()) return;
    out[0] = in[0];
    if (record.type == PacketType::one_rtt) {
      if (in.size() < kShortHeaderSize) return names_.replace('h', in.subspan(1), out.subspan(1));
      put_id(id_at(in, 1), record.destination_id.value_or(id_at(in, 1)), out.subspan(1));
      names_.replace('p', in.subspan(1), out.subspan(kShortHeaderSize));
      return;
    }
    handshake(record, in, out);
  }

  void put_id(ConnectionId stands, ConnectionId right, MutableBytes out) const {
    const ConnectionId pseudonym = names_.of(stands, right);
    std::copy(pseudonym.bytes().begin(), pseudonym.bytes().end(), out.begin());
  }

  void handshake(const PacketRecord& record, ByteView in, MutableBytes out) {
    const std::size_t clear = std::min<std::size_t>(6, in.size());
    std::copy_n(in.begin(), clear, out.begin());
    if (in.size() < kHandshakeHeaderSize) return names_.replace('h', in.subspan(clear), out.subspan(clear));
    put_id(id_at(in, 6), client_id(record, id_at(in, 6)), out.subspan(6));
    std::size_t at = kHandshakeHeaderSize;
    if (in[0] == packet_bits::kInitial) {
      const std::size_t lengths = std::min(kLengthFields, in.size() - at);
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(at), lengths, out.begin() + static_cast<std::ptrdiff_t>(at));
      at += lengths;
    }
    const std::size_t end = in.size() - std::min(kTag, in.size() - at);
    for (const auto& [domain, until] :
         {std::pair{'e', std::min(at + kEphemeral, end)}, std::pair{'r', end}, std::pair{'t', in.size()}}) {
      field(domain, in.subspan(at, until - at), out.subspan(at, until - at));
      at = until;
    }
  }

  // Bytes that are all the same identify nothing, and stay: a field of zeros is no key. A short piece of a key may be
  // alike by chance.
  static constexpr std::size_t kTooLongForChance = 8;
  void field(char domain, ByteView in, MutableBytes out) const {
    if (in.size() >= kTooLongForChance &&
        std::all_of(in.begin(), in.end(), [&](std::uint8_t byte) { return byte == in[0]; }))
      std::copy(in.begin(), in.end(), out.begin());
    else names_.replace(domain, in, out);
  }

  // The id of the connection, which may not be the one that stands here.
  ConnectionId client_id(const PacketRecord& record, ConnectionId stands) const {
    if (record.connection == 0) return stands;
    for (const Connection& connection : dissector_.table().connections()) {
      if (connection.number == record.connection) return connection.client_id().value_or(stands);
    }
    return stands;
  }

  Pseudonyms names_;
  KeyRing no_keys_;
  Dissector dissector_;
  std::vector<PacketRecord> records_;
  std::unordered_set<std::uint64_t> incomplete_;
  std::uint64_t packets_of_mxp_ = 0;
};

}  // namespace

Result<ExitCode> redact(const FileCommandOptions& options, tools::Output& output) {
  tools::SignalWatch signals;
  const auto key = key_for(options);
  if (!key) return std::unexpected(key.error());
  FilePass input(options.inputs.front(), signals);
  Redaction redaction(*key, options.port);
  if (auto done = input.each({}, [&](const auto& packet, const auto& found) { redaction.survey(packet, found); });
      !done)
    return std::unexpected(done.error());
  redaction.end_survey();

  auto out = open_new_file(options, Readers::as_umask_says);
  if (!out) return std::unexpected(out.error());
  Result<void> written = out->write(section_block().bytes());
  if (written) written = out->write(interface_block(kRawIp).bytes());
  std::uint64_t frames = 0, last = 0;
  const auto done = input.each({}, [&](const CapturedPacket& packet, const FoundUdp& found) {
    // A first fragment is handed out again at the end of its wait; it was written in its place.
    if (!written || (packet.frame <= last && redaction.incomplete(packet.frame))) return;
    last = std::max(last, packet.frame);
    ++frames;
    const RebuiltPacket made = redaction.incomplete(packet.frame) ? redaction.redacted(packet, find_udp(packet))
                                                                  : redaction.redacted(packet, found);
    CapturedPacket block = packet;
    block.bytes = made.bytes;
    block.original_length = made.original_length;
    written = out->write(packet_block(0, block).bytes());
  });
  if (!done) return std::unexpected(done.error());
  if (!written) return std::unexpected(written.error());
  output.note(fmt::format("{} redacted, {} with MXP in them", counted(frames, "frame was", "frames were"),
                          redaction.packets_of_mxp()));
  return finish_file(*out, input.damage());
}

}  // namespace mxp::dump

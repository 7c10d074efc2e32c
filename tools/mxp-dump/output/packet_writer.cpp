#include "mxp-dump/output/packet_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "common/write_all.h"
#include "mxp-dump/output/fields_output.h"
#include "mxp-dump/output/json_output.h"
#include "mxp-dump/output/text_output.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kFlushSize = 64 * 1024;

}  // namespace

void StdoutBuffer::append(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kFlushSize) flush();
}

void StdoutBuffer::flush() {
  if (!closed_ && !failure_) {
    const int error = tools::write_all_or_errno(STDOUT_FILENO, pending_);
    if (error == EPIPE) closed_ = true;
    else if (error != 0) failure_ = tools::write_error("stdout", error);
  }
  pending_.clear();
}

std::unique_ptr<PacketWriter> make_packet_writer(const Options& options, bool colour) {
  if (!options.packets) return nullptr;
  switch (*options.packets) {
    case Format::text: return std::make_unique<TextWriter>(colour);
    case Format::json: return std::make_unique<JsonWriter>();
    case Format::fields: return std::make_unique<FieldsWriter>(options.fields);
  }
  return nullptr;
}

std::string hex(ConnectionId id) {
  std::string text;
  for (const std::uint8_t byte : id.bytes()) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

std::string suite_word(std::uint8_t suite) {
  if (suite == static_cast<std::uint8_t>(Suite::chacha20_poly1305)) return "chacha20";
  if (suite == static_cast<std::uint8_t>(Suite::aes_256_gcm)) return "aes256";
  return fmt::format("unknown-{}", suite);
}

std::string_view direction_word(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? "client_to_server" : "server_to_client";
}

std::string_view protection_word(Protection protection) {
  switch (protection) {
    case Protection::none:
    case Protection::opened: return {};
    case Protection::no_key: return "no key";
    case Protection::key_misfit: return "key does not fit";
    case Protection::incomplete: return "incomplete";
    case Protection::damaged: return "damaged";
  }
  return {};
}

}  // namespace mxp::dump

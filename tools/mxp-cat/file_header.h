// What stands first on a stream of a file transfer (docs/file-transfer.md §2), and the rules for its name (§3).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/bytes.h"

namespace mxp::tools {

// What the stream is about. A folder and a notice have no content: their stream ends after the header. Of an unsized
// file nobody knows in advance how large it will be, as of what comes out of a pipe: its content goes over in chunks.
enum class RecordKind : std::uint8_t { file, folder, not_sent, unsized_file };

constexpr bool has_content(RecordKind kind) { return kind == RecordKind::file || kind == RecordKind::unsized_file; }

struct FileHeader {
  std::string name;        // relative path, '/' between its components; of not_sent: for people, never a path
  std::uint64_t size = 0;  // bytes of content; of a RecordKind::file only
  std::uint16_t mode = 0;  // permission bits, 0..0777
  RecordKind kind = RecordKind::file;

  bool operator==(const FileHeader&) const = default;
};

inline constexpr std::size_t kMaxNameBytes = 4096;
inline constexpr std::size_t kFixedHeaderBytes = 17;
// What the receiver answers when the file is whole and has its name, the folder is there, or the notice was read.
inline constexpr std::uint8_t kVerdictWhole = 1;
inline constexpr std::string_view kPartSuffix = ".part";

// REQUIRES: name.size() <= kMaxNameBytes.
std::vector<std::uint8_t> encode_header(const FileHeader& header);

// Before each chunk of an unsized file its length, and 0 after the last one.
inline constexpr std::size_t kChunkLengthBytes = 4;
void append_chunk_length(std::vector<std::uint8_t>& out, std::uint32_t length);
// REQUIRES: bytes.size() == kChunkLengthBytes.
std::uint32_t parse_chunk_length(ByteView bytes);

// Whether a stream that begins so is a file transfer, of any version that there is.
bool begins_file_transfer(ByteView bytes);

struct ParsedHeader {
  FileHeader header;
  std::size_t consumed = 0;  // bytes
};
// Nothing: more bytes are needed (at most kFixedHeaderBytes + kMaxNameBytes in all). The error is one sentence.
std::expected<std::optional<ParsedHeader>, std::string> parse_header(ByteView bytes);

// Why a name must not be used; nothing if it may. The one place that decides whether a name could leave the folder.
std::optional<std::string_view> objection_to_name(std::string_view name);

}  // namespace mxp::tools

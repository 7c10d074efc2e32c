#include "mxp-cat/file_header.h"

#include <algorithm>
#include <array>

#include "common/escape.h"
#include "mxp/text.h"

namespace mxp::tools {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'M', 'X', 'P', 'F'};
constexpr std::uint8_t kFileVersion = 1;
constexpr std::uint8_t kRecordVersion = 2;  // all other kinds; receivers that know version 1 only refuse them
constexpr std::uint8_t kFolderRecord = 1;
constexpr std::uint8_t kNotSentRecord = 2;
constexpr std::uint8_t kUnsizedFileRecord = 3;
constexpr std::size_t kFixedRecordBytes = 10;
// NAME_MAX of Linux file systems, less the suffix of an unfinished file.
constexpr std::size_t kMaxComponentBytes = 255 - kPartSuffix.size();

template <typename Integer>
void put(std::vector<std::uint8_t>& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <typename Integer>
Integer get(ByteView bytes) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Integer>(value | static_cast<Integer>(Integer{bytes[i]} << (8 * i)));
  return value;
}

std::uint8_t record_byte(RecordKind kind) {
  switch (kind) {
    case RecordKind::folder: return kFolderRecord;
    case RecordKind::not_sent: return kNotSentRecord;
    case RecordKind::unsized_file: return kUnsizedFileRecord;
    case RecordKind::file: break;  // has a version of its own
  }
  return 0;
}

std::optional<RecordKind> record_kind(std::uint8_t byte) {
  for (const RecordKind kind : {RecordKind::folder, RecordKind::not_sent, RecordKind::unsized_file})
    if (byte == record_byte(kind)) return kind;
  return std::nullopt;
}

std::expected<std::optional<ParsedHeader>, std::string> parse_record(ByteView bytes) {
  const auto kind = bytes.size() > 5 ? record_kind(bytes[5]) : RecordKind::folder;
  if (!kind) return std::unexpected("unknown kind of record");
  if (bytes.size() < kFixedRecordBytes) return std::nullopt;
  ParsedHeader parsed;
  parsed.header.kind = *kind;
  parsed.header.mode = get<std::uint16_t>(bytes.subspan(6));
  const std::size_t length = get<std::uint16_t>(bytes.subspan(8));
  if (parsed.header.mode > 0777) return std::unexpected("the mode has more than permission bits");
  if (length > kMaxNameBytes) return std::unexpected("the name is longer than 4096 bytes");
  if (bytes.size() < kFixedRecordBytes + length) return std::nullopt;
  const ByteView name = bytes.subspan(kFixedRecordBytes, length);
  parsed.header.name.assign(name.begin(), name.end());
  parsed.consumed = kFixedRecordBytes + length;
  return parsed;
}

}  // namespace

std::vector<std::uint8_t> encode_header(const FileHeader& header) {
  std::vector<std::uint8_t> out(kMagic.begin(), kMagic.end());
  const bool is_file = header.kind == RecordKind::file;
  out.push_back(is_file ? kFileVersion : kRecordVersion);
  if (!is_file) out.push_back(record_byte(header.kind));
  put(out, header.mode);
  if (is_file) put(out, header.size);
  put(out, static_cast<std::uint16_t>(header.name.size()));
  out.insert(out.end(), header.name.begin(), header.name.end());
  return out;
}

void append_chunk_length(std::vector<std::uint8_t>& out, std::uint32_t length) { put(out, length); }

std::uint32_t parse_chunk_length(ByteView bytes) { return get<std::uint32_t>(bytes); }

bool begins_file_transfer(ByteView bytes) {
  return bytes.size() > kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin()) &&
         (bytes[kMagic.size()] == kFileVersion || bytes[kMagic.size()] == kRecordVersion);
}

std::expected<std::optional<ParsedHeader>, std::string> parse_header(ByteView bytes) {
  const std::size_t compared = std::min(bytes.size(), kMagic.size());
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(compared), kMagic.begin())) {
    return std::unexpected("the stream does not begin with a file header");
  }
  if (bytes.size() > kMagic.size() && bytes[kMagic.size()] == kRecordVersion) return parse_record(bytes);
  if (bytes.size() > kMagic.size() && bytes[kMagic.size()] != kFileVersion)
    return std::unexpected("unknown version of the file header");
  if (bytes.size() < kFixedHeaderBytes) return std::nullopt;
  ParsedHeader parsed;
  parsed.header.mode = get<std::uint16_t>(bytes.subspan(5));
  parsed.header.size = get<std::uint64_t>(bytes.subspan(7));
  const std::size_t length = get<std::uint16_t>(bytes.subspan(15));
  if (parsed.header.mode > 0777) return std::unexpected("the mode has more than permission bits");
  if (parsed.header.size > static_cast<std::uint64_t>(INT64_MAX))
    return std::unexpected("the size is larger than any file");
  if (length > kMaxNameBytes) return std::unexpected("the name is longer than 4096 bytes");
  if (bytes.size() < kFixedHeaderBytes + length) return std::nullopt;
  const ByteView name = bytes.subspan(kFixedHeaderBytes, length);
  parsed.header.name.assign(name.begin(), name.end());
  parsed.consumed = kFixedHeaderBytes + length;
  return parsed;
}

std::optional<std::string_view> objection_to_name(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > kMaxNameBytes) return "it is longer than 4096 bytes";
  if (!is_valid_utf8(name)) return "it is not UTF-8";
  if (!is_plain_but_for_selectors(name)) return "it has control or invisible characters";
  if (name.find('\\') != std::string_view::npos) return "it has a backslash";
  if (name.front() == '/') return "it is an absolute path";
  if (name.ends_with(kPartSuffix)) return "it ends in .part, the mark of an unfinished file";
  while (true) {
    const auto slash = name.find('/');
    const std::string_view component = name.substr(0, slash);
    if (component.empty()) return "it has an empty component";
    if (component == "." || component == "..") return "it has a component . or ..";
    if (component.size() > kMaxComponentBytes) return "it has a component longer than 250 bytes";
    if (slash == std::string_view::npos) return std::nullopt;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace mxp::tools

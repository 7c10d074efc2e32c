// inject-keys and strip-keys: everything but the secrets passes through as it is. Secrets come behind the interfaces
// and before the first packet of each section, where every reader of pcapng takes them.
#include <openssl/crypto.h>

#include <map>
#include <set>

#include "common/counted.h"
#include "crypto/key_log.h"
#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/files/block_stream.h"
#include "mxp-dump/files/commands.h"
#include "mxp-dump/files/file_pass.h"
#include "mxp-dump/files/replacement_file.h"

namespace mxp::dump {
namespace {

using tools::counted;
using tools::ErrorKind;
using tools::ExitCode;
using tools::Result;

// Our choice: a million connections have 260 MB of lines; such a log is for --keylog, not for a capture.
constexpr std::size_t kMaxKeyLogBytes = 64 * 1024 * 1024;

// The lines of a key log by connection id, wiped when they go.
class LoggedLines {
 public:
  ~LoggedLines() {
    for (auto& [id, lines] : by_id_) OPENSSL_cleanse(lines.data(), lines.size());
    OPENSSL_cleanse(text_.data(), text_.size());
  }
  Result<void> load(const std::string& path) {
    auto file = open_input(path);
    if (!file) return tools::fail(ErrorKind::usage, fmt::format("cannot use the key log {}: {}", path, file.error()));
    ByteSource source(file->release(), -1);
    std::array<std::uint8_t, 4096> piece{};
    text_.reserve(1 << 20);
    while (const std::size_t got = source.read(piece)) {
      text_.append(reinterpret_cast<const char*>(piece.data()), got);
      if (text_.size() > kMaxKeyLogBytes)
        return tools::fail(ErrorKind::usage, fmt::format("the key log {} is larger than 64 MiB", path));
    }
    OPENSSL_cleanse(piece.data(), piece.size());
    if (source.failed() != ByteSource::Failure::none)
      return tools::fail(ErrorKind::usage, fmt::format("cannot use the key log {}: {}", path, source.failure()));
    return sort(path);
  }
  bool has(ConnectionId id) const { return by_id_.contains(id.key()); }
  std::size_t ids() const { return by_id_.size(); }
  std::uint64_t malformed() const { return malformed_; }
  // The lines of the ids that `wanted` says.
  template <typename Wanted>
  std::string lines(Wanted wanted) const {
    std::size_t size = 0;
    for (const auto& [id, text] : by_id_) size += wanted(id) ? text.size() : 0;
    std::string out;
    out.reserve(size);
    for (const auto& [id, text] : by_id_) {
      if (wanted(id)) out += text;
    }
    return out;
  }

 private:
  Result<void> sort(const std::string& path) {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      std::string_view line(text_.data() + at, end - at);
      at = end + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty() || line.starts_with('#')) continue;
      const auto parsed = parse_key_log_line(line);
      if (!parsed) {
        ++malformed_;
        continue;
      }
      std::string& lines = by_id_[parsed->destination.key()];
      lines.append(line).append("\n");
    }
    if (by_id_.empty())
      return tools::fail(ErrorKind::usage,
                         fmt::format("cannot use the key log {}: it holds no line of an MXP key log", path));
    return {};
  }

  std::string text_;
  std::map<std::uint64_t, std::string> by_id_;
  std::uint64_t malformed_ = 0;
};

// The ids of the log to which packets of the capture go.
Result<std::set<std::uint64_t>> ids_in(FilePass& pass, const LoggedLines& log) {
  std::set<std::uint64_t> seen;
  const auto note = [&](ConnectionId id) {
    if (log.has(id)) seen.insert(id.key());
  };
  const auto done = pass.each({}, [&](const CapturedPacket&, const FoundUdp& found) {
    if (!found) return;
    const ByteView payload = found->payload;
    if (is_handshake(payload)) {
      if (payload.size() >= kHandshakeHeaderSize) note(id_at(payload, 6));
    } else if (payload.size() >= kShortHeaderSize) {
      note(id_at(payload, 1));
    }
  });
  if (!done) return std::unexpected(done.error());
  return seen;
}

// Copies the blocks for which `pass(block, out)` says so; it may write others before them.
template <typename Pass>
Result<std::optional<tools::ToolError>> copy_blocks(FilePass& input, const tools::SignalWatch& signals,
                                                    ReplacementFile& out, Pass pass) {
  auto source = input.source();
  if (!source) return std::unexpected(source.error());
  auto blocks = open_blocks(std::move(*source));
  if (!blocks) return std::unexpected(input_error(input.path(), blocks.error()));
  for (;;) {
    const auto block = (*blocks)->next();
    if (signals.received() != 0) return tools::fail(ErrorKind::interrupted, "interrupted; nothing was written");
    if (!block) return input_error(input.path(), block.error());
    if (!*block) return std::nullopt;
    const auto keep = pass(**block);
    if (!keep) return std::unexpected(keep.error());
    if (!*keep) continue;
    if (auto written = out.write((*block)->bytes()); !written) return std::unexpected(written.error());
  }
}

}  // namespace

Result<ExitCode> inject_keys(const FileCommandOptions& options, tools::Output& output) {
  tools::SignalWatch signals;
  LoggedLines log;
  if (auto loaded = log.load(options.key_log.path); !loaded) return std::unexpected(loaded.error());
  if (log.malformed() > 0)
    output.warning(fmt::format("{}: {} not of an MXP key log", options.key_log.path,
                               counted(log.malformed(), "line is", "lines are")));
  FilePass input(options.inputs.front(), signals);
  const auto seen = ids_in(input, log);
  if (!seen) return std::unexpected(seen.error());
  std::string secrets = log.lines([&](std::uint64_t id) { return options.all || seen->contains(id); });
  const std::size_t ids = options.all ? log.ids() : seen->size();
  if (secrets.size() > kMaxBlockBytes - 64)
    return tools::fail(ErrorKind::usage, "the secrets are more than fit into a block: leave out --all");
  auto out = open_new_file(options, Readers::owner_only);
  if (!out) return std::unexpected(out.error());
  bool due = false;
  const auto damage = copy_blocks(input, signals, *out, [&](const CaptureBlock& block) -> Result<bool> {
    if (block.type == block_type::kSectionHeader) due = !secrets.empty();
    if (!due || !block.is_packet()) return true;
    due = false;
    CaptureBlock added =
        secrets_block(ByteView(reinterpret_cast<const std::uint8_t*>(secrets.data()), secrets.size()), block.order);
    auto bytes = added.bytes();
    auto written = out->write(bytes);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    OPENSSL_cleanse(added.body.data(), added.body.size());
    if (!written) return std::unexpected(written.error());
    return true;
  });
  OPENSSL_cleanse(secrets.data(), secrets.size());
  if (!damage) return std::unexpected(damage.error());
  if (ids == 0)
    output.warning(
        fmt::format("the key log has no secret of a connection in {}: nothing was added", options.inputs.front()));
  else
    output.note(fmt::format("{} added: who has {} can read this traffic",
                            counted(ids, "secret's lines were", "secrets' lines were"), options.output));
  return finish_file(*out, *damage);
}

Result<ExitCode> strip_keys(const FileCommandOptions& options, tools::Output& output) {
  tools::SignalWatch signals;
  FilePass input(options.inputs.front(), signals);
  auto out = open_new_file(options, Readers::as_umask_says);
  if (!out) return std::unexpected(out.error());
  std::uint64_t removed = 0;
  const auto damage = copy_blocks(input, signals, *out, [&](const CaptureBlock& block) -> Result<bool> {
    if (block.type != block_type::kDecryptionSecrets) return true;
    ++removed;
    return false;
  });
  if (!damage) return std::unexpected(damage.error());
  output.note(fmt::format("{} taken out", counted(removed, "block of secrets was", "blocks of secrets were")));
  return finish_file(*out, *damage);
}

}  // namespace mxp::dump

#include "mxp-cat/keys_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/key_files.h"
#include "common/write_all.h"
#include "mxp/event_loop.h"

namespace mxp::tools {
namespace {

Result<void> print_key(const PublicKey& key) { return write_all(STDOUT_FILENO, key.to_string() + "\n", "stdout"); }

Result<std::filesystem::path> path_or_default(const Options& options) {
  if (!options.key_file.empty()) return options.key_file;
  return default_identity_path();
}

}  // namespace

Result<void> run_keygen(const Options& options, Output& output) {
  const auto path = path_or_default(options);
  if (!path) return std::unexpected(path.error());
  const PrivateKey key = PrivateKey::generate(system_random());
  const auto written = write_private_key(*path, key, options.force ? IfExists::replace : IfExists::refuse);
  if (!written) return written;
  output.verbose(fmt::format("private key written to {}", path->string()));
  return print_key(key.public_key());
}

Result<void> run_pubkey(const Options& options) {
  const auto path = path_or_default(options);
  if (!path) return std::unexpected(path.error());
  const auto key = load_private_key(*path);
  if (!key) return std::unexpected(key.error());
  return print_key(key->public_key());
}

}  // namespace mxp::tools

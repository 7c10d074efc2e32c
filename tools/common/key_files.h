// Private keys, public keys and authorized_keys as files. Private: PKCS#8 PEM, mode 0600, refused when others have
// access. Public: one line of unpadded base64url.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp/keys.h"
#include "mxp/random.h"

namespace mxp::tools {

// $XDG_CONFIG_HOME/mxp/id_25519, else ~/.config/mxp/id_25519; an error when neither variable is set.
Result<std::filesystem::path> default_identity_path();

Result<PrivateKey> load_private_key(const std::filesystem::path& path);
// Without a path a key of this run alone.
Result<PrivateKey> key_of_file_or_new(const std::filesystem::path& path, Random& random);

// As write_secret_file of output_file.h; makes missing parent folders with mode 0700.
Result<void> write_private_key(const std::filesystem::path& path, const PrivateKey& key, IfExists if_exists);

struct Identity {
  PrivateKey key;
  std::filesystem::path path;
  bool created = false;
};
// An explicit path must exist; the default (`path` empty) is made on first use.
Result<Identity> load_identity(const std::filesystem::path& path, Random& random);

// One line of authorized_keys: KEY [name] [option=value,…]. Empty lines and those beginning with # are skipped.
struct AuthorizedKey {
  PublicKey key;
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;
};
// `source` names the input in errors: "<source>:<line>: …".
Result<std::vector<AuthorizedKey>> parse_authorized_keys(std::string_view text, std::string_view source);
// Refuses options, as no tool knows any.
Result<std::vector<AuthorizedKey>> load_authorized_keys(const std::filesystem::path& path);

}  // namespace mxp::tools

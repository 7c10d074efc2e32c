// Searches the process itself for a secret that it should have wiped.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace mxp::test {

// How often a text, which is given with each byte inverted so that the search does not find itself, is in what this
// process may write to: heap, stacks, data.
inline std::size_t copies_in_own_memory(std::string inverted) {
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::size_t found = 0;
  static std::array<char, 1 << 20> chunk;  // its own content is wiped before the next search
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3 || rights[1] != 'w') continue;
    const auto own = reinterpret_cast<unsigned long>(chunk.data());
    for (unsigned long at = begin; at < end; at += chunk.size() / 2) {
      const ssize_t got =
          ::pread(memory, chunk.data(), std::min<std::size_t>(chunk.size(), end - at), static_cast<off_t>(at));
      const bool reads_itself = at < own + chunk.size() && own < at + chunk.size();
      for (std::size_t i = 0;
           got > 0 && !reads_itself && i < chunk.size() / 2 && i + inverted.size() <= static_cast<std::size_t>(got);
           ++i) {
        std::size_t same = 0;
        while (same < inverted.size() && static_cast<char>(~chunk[i + same]) == inverted[same]) ++same;
        if (same == inverted.size()) ++found;
      }
    }
  }
  ::close(memory);
  ::explicit_bzero(chunk.data(), chunk.size());
  return found;
}

}  // namespace mxp::test

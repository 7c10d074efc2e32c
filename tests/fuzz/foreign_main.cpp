// Runs the target over many seeds in one process, and watches its memory.
//
// Usage: foreign_captures COUNT SEED
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

volatile std::uint64_t g_now = 0;

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// A capture takes some hundred microseconds: one that takes seconds hangs.
void on_alarm(int) {
  std::fprintf(stderr, "foreign captures: seed %llu takes more than ten seconds\n",
               static_cast<unsigned long long>(g_now));
  std::abort();
}
void on_abort(int) {
  std::fprintf(stderr, "foreign captures: at seed %llu; again with: foreign_captures 1 %llu\n",
               static_cast<unsigned long long>(g_now), static_cast<unsigned long long>(g_now));
  std::signal(SIGABRT, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: foreign_captures COUNT SEED\n");
    return 2;
  }
  const std::uint64_t count = std::strtoull(argv[1], nullptr, 10), first = std::strtoull(argv[2], nullptr, 10);
  std::signal(SIGALRM, on_alarm);
  std::signal(SIGABRT, on_abort);
  // A sanitizer tells more of it.
  struct sigaction present{};
  ::sigaction(SIGSEGV, nullptr, &present);
  if (present.sa_handler == SIG_DFL) {
    std::signal(SIGSEGV, [](int) {
      on_abort(0);
      ::_exit(139);
    });
  }
  const auto begun = std::chrono::steady_clock::now();
  long early_kib = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    g_now = first + i;
    ::alarm(10);
    std::uint8_t seed[8];
    for (std::size_t k = 0; k < sizeof seed; ++k) seed[k] = static_cast<std::uint8_t>(g_now >> (8 * k));
    LLVMFuzzerTestOneInput(seed, sizeof seed);
    if (i == count / 10) early_kib = peak_kib();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf(
      "%llu captures from seed %llu in %.1f s: no MXP found in them; peak memory %ld KiB, after a tenth of them %ld "
      "KiB\n",
      static_cast<unsigned long long>(count), static_cast<unsigned long long>(first), seconds, peak_kib(), early_kib);
  // Our choice: what an allocator may still take, and a leak of a hundred bytes for each of a million does not pass.
  constexpr long kMostGrowthKib = 16384;
  if (peak_kib() - early_kib <= kMostGrowthKib) return 0;
  std::fprintf(stderr, "foreign captures: memory grows\n");
  return 1;
}

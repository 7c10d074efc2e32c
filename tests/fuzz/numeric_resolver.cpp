// In the place of getaddrinfo (the linker's --wrap, see CMakeLists.txt): knows addresses and asks nobody for names, so
// that an input takes the same time and has the same answer everywhere.
#include <netdb.h>

extern "C" {
int __real_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found);
int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found);

int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
  numeric.ai_flags |= AI_NUMERICHOST;
  return __real_getaddrinfo(host, service, &numeric, found);
}
}

// Numbers of several documents as one. What no document has is nothing; a number that is none of the kind throws
// nlohmann::json::exception.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "mxp-perf-mpi/outcome.h"

namespace mxp::perf_mpi {

// The one of a document, where it has one. `where`: a JSON pointer.
std::optional<double> number_in(const Outcome& outcome, const std::string& where);
std::optional<std::uint64_t> count_in(const Outcome& outcome, const std::string& where);
// How long after the time that it was told a rank began; 0 where its document does not say.
double seconds_late(const Outcome& outcome);

// The sum of those documents that have it: of times and rates, and of counts.
std::optional<double> sum_of(std::span<const Outcome> outcomes, const std::string& where);
std::optional<std::uint64_t> count_of(std::span<const Outcome> outcomes, const std::string& where);
// Nothing unless each document has it.
std::optional<std::uint64_t> count_of_each(std::span<const Outcome> outcomes, const std::string& where);
// Whether all say true.
std::optional<bool> all_of(std::span<const Outcome> outcomes, const std::string& where);

// `transport` or `server_transport` of all connections together: counts and waiting times are sums, the shortest round
// trip and the largest datagrams those of all, the time of handshakes the mean over all connections. The smoothed round
// trip has no place in it: how many connections of a rank know one is not told. Empty where no document has that part.
nlohmann::json transport_of(std::span<const Outcome> outcomes, const std::string& part);

}  // namespace mxp::perf_mpi

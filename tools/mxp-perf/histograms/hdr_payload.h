// A histogram as text: HdrHistogram's V2 encoding (counts as ZigZag LEB128, runs of zeros as their negative length),
// compressed by zlib, in base64. It begins with "HISTFAAA", and all programs that know HdrHistogram read it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "mxp-perf/histograms/hdr_histogram.h"

namespace mxp::perf {

// The same histogram gives the same text.
std::string encode_histogram(const HdrHistogram& histogram);

// What a file may hold: histograms of five figures over any time that fits. Our choice: 32 MiB.
inline constexpr std::size_t kMostBins = std::size_t{1} << 22;

// The error is a clause that says what is wrong with `base64`: it may come from anywhere, and takes no more memory than
// `most_bins` need.
std::expected<HdrHistogram, std::string> decode_histogram(std::string_view base64, std::size_t most_bins = kMostBins);

}  // namespace mxp::perf

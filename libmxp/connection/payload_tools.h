// What compressing, sealing and their undoing need, once for each endpoint and shared by its connections, since an
// endpoint does one thing at a time: zstd's contexts (570 and 94 KiB), which are taken with the first payload that
// needs them, and room for one payload on its way out and for one on its way in. A payload that was opened stays where
// it is until the next one.
#pragma once

#include "connection/opening_budget.h"
#include "connection/scratch_buffer.h"
#include "mxp/message_compression.h"

namespace mxp {

struct PayloadTools {
  explicit PayloadTools(std::size_t openings_per_second) : budget(openings_per_second) {}

  MessageCompressor compressor;
  MessageDecompressor decompressor;
  ScratchBuffer outgoing;  // compressed, or sealed
  ScratchBuffer opened;    // what was in a seal
  ScratchBuffer content;   // decompressed
  OpeningBudget budget;

  void shrink() {
    for (ScratchBuffer* scratch : {&outgoing, &opened, &content}) scratch->shrink();
  }
  std::size_t memory() const { return outgoing.memory() + opened.memory() + content.memory(); }
};

}  // namespace mxp

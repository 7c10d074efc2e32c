// All kinds of findings. Ids are stable: scripts and the runbook name them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace mxp::dump {

struct FindingKind {
  std::string_view id;
  std::string_view title;
};

inline constexpr std::array kFindingKinds{
    FindingKind{"handshake-unanswered", "The handshake was not answered"},
    FindingKind{"handshake-wrong-key", "The client has another key for this server than the server's own"},
    FindingKind{"handshake-blocked-by-size", "Datagrams as large as a handshake message do not get through"},
    FindingKind{"handshake-answer-lost", "The server's answer does not reach the client"},
    FindingKind{"handshake-refused", "The server refused the client"},
    FindingKind{"handshake-replayed", "Copies of a handshake message came from elsewhere, or late"},
    FindingKind{"loss-random", "Packets are lost, one here and one there"},
    FindingKind{"loss-bursts", "Packets are lost in bursts"},
    FindingKind{"congestion-loss", "A queue on the path overflows"},
    FindingKind{"policing", "The path drops what exceeds a rate, without a queue"},
    FindingKind{"queueing-delay", "Packets wait in a queue on the path"},
    FindingKind{"rate-limited", "The path carries little"},
    FindingKind{"reverse-path-thin", "The way back is too narrow for the acknowledgements"},
    FindingKind{"ack-loss", "Acknowledgements are lost"},
    FindingKind{"pmtu-black-hole", "Large datagrams vanish, small ones arrive"},
    FindingKind{"reordering", "Packets overtake each other"},
    FindingKind{"duplicates", "Packets come twice"},
    FindingKind{"damaged", "Packets are damaged on the way, or forged"},
    FindingKind{"spurious-retransmission", "Data was sent again that had not been lost"},
    FindingKind{"outage", "The path was down for a while"},
    FindingKind{"nat-rebinding", "The client's address changed under it"},
    FindingKind{"client-moved", "The client moved to another address"},
    FindingKind{"stream-credit-stall", "A stream waits for its window"},
    FindingKind{"connection-credit-stall", "The connection waits for its window"},
    FindingKind{"message-credit-stall", "Messages wait for credit"},
    FindingKind{"slow-reader", "The receiving application reads slowly"},
    FindingKind{"application-limited", "The sending application has nothing to send most of the time"},
    FindingKind{"congestion-limited", "Congestion marks hold the sender back"},
    FindingKind{"pacing-limited", "The sender goes at a fixed pace below what the path carries"},
    FindingKind{"priority-inversion", "Urgent messages wait behind bulk"},
    FindingKind{"idle-timeout", "One side fell silent, and the connection ended without a word"},
    FindingKind{"closed-by-transport", "The connection was closed with a transport error"},
    FindingKind{"closed-by-application", "An application closed the connection with an error"},
    FindingKind{"clock-jump", "The clock of the capture jumped"},
    FindingKind{"capture-incomplete", "The capture lacks packets that did arrive"},
    FindingKind{"one-sided-capture", "Only one direction was captured"},
};

constexpr std::string_view title_of(std::string_view id) {
  for (const FindingKind& kind : kFindingKinds) {
    if (kind.id == id) return kind.title;
  }
  return {};
}
inline std::string page_of(std::string_view id) { return "docs/runbook/incidents/" + std::string(id) + ".md"; }

}  // namespace mxp::dump

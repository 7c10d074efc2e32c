// How the clock of one machine stands to that of another, from the times at which packets left one and reached the
// other. Neither the delays nor the clocks are known; but no delay is negative, so that with
//
//   server clock - client clock = offset + drift * (time since the first packet)
//
// this line must lie below all (arrival - departure) of packets to the server, and above all (departure - arrival) of
// packets to the client. Among the lines that do, that with the largest distance from both is taken: the least delays
// of both directions are then equal (Moon, Skelly and Towsley, INFOCOM 1999; Paxson, SIGMETRICS 1998). That they are
// equal cannot be known, so the offset may be wrong by that distance, which is half of the least round trip.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace mxp::dump {

class ClockFit {
 public:
  // `origin_ns`: the earliest of the client's times, or about that.
  explicit ClockFit(std::int64_t origin_ns) : origin_ns_(origin_ns) {}

  // A packet's time at the client, and by how much the server's time of the same packet is larger.
  void to_server(std::int64_t client_ns, std::int64_t server_minus_client_ns);
  void to_client(std::int64_t client_ns, std::int64_t server_minus_client_ns);

  // Our choice: over less time the drift of a clock (1 to 100 ppm) is smaller than what queues do.
  static constexpr double kLeastSecondsForDrift = 10;
  static constexpr std::size_t kLeastPacketsForDrift = 20;

  struct Clocks {
    std::int64_t origin_ns = 0;         // client's time at which the offset holds
    std::int64_t base_ns = 0;           // offset, whole part
    double offset_ns = 0;               // and the rest of it
    double drift = 0;                   // seconds in a second
    std::optional<double> drift_error;  // absent: too short for a drift, and none is assumed
    double error_ns = 0;                // of the offset
    bool consistent = true;             // false: no line fits, so that a clock was set
    double offset_at(std::int64_t client_ns) const {
      return offset_ns + drift * (static_cast<double>(client_ns) - static_cast<double>(origin_ns));
    }
  };
  // Nothing without packets in both directions.
  std::optional<Clocks> fit() const;

 private:
  struct Point {
    double x = 0, y = 0;  // since the origin; beyond the base
  };
  // The lowest point of each stretch of time is kept; stretches double when there are too many.
  struct Envelope {
    double width_ns = 10e6;
    std::vector<std::optional<Point>> lowest;
    std::size_t count = 0;
    double least_x = 0, most_x = 0;
    void add(Point point);
    double lowest_above(double slope) const;  // of y - slope * x
  };
  Point point(std::int64_t client_ns, std::int64_t difference_ns);
  double margin(double drift) const;

  bool begun_ = false;
  std::int64_t origin_ns_, base_ns_ = 0;
  Envelope up_, down_;  // down_ with y negated
};

}  // namespace mxp::dump

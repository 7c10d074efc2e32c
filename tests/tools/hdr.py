"""HdrHistogram's files, read from their published form alone: the log (.hlog), the V2 encoding, and the percentiles."""
import base64
import math
import re
import struct
import zlib


class Histogram:
    """What a compressed V2 histogram holds: figures, lowest, highest, and counts by bin."""

    def __init__(self, text):
        packed = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack(">ii", packed[:8])
        assert cookie == 0x1C849314 and length == len(packed) - 8, (hex(cookie), length)
        plain = zlib.decompress(packed[8:])
        cookie, length, shift, self.figures, self.lowest, self.highest, ratio = struct.unpack(">iiiiqqd", plain[:40])
        assert cookie == 0x1C849313 and length == len(plain) - 40 and shift == 0 and ratio == 1.0
        self.counts, at, bin_ = {}, 40, 0
        while at < len(plain):
            value = shifted = 0
            for i in range(9):
                byte = plain[at]
                at += 1
                value |= (byte if i == 8 else byte & 0x7F) << shifted
                shifted += 7
                if i == 8 or byte < 0x80:
                    break
            count = (value >> 1) ^ -(value & 1)
            if count > 0:
                self.counts[bin_] = count
            bin_ += 1 if count >= 0 else -count
        self.half = 2 ** (math.ceil(math.log2(2 * 10 ** self.figures)) - 1)
        self.total = sum(self.counts.values())

    def first(self, bin_):
        bucket = 0 if bin_ < 2 * self.half else bin_ // self.half - 1
        return (bin_ - bucket * self.half) << bucket

    def last(self, bin_):
        return self.first(bin_ + 1) - 1

    def value_at(self, quantile):
        wanted, seen = math.ceil(quantile * self.total - 1e-9), 0
        for bin_ in sorted(self.counts):
            seen += self.counts[bin_]
            if seen >= wanted:
                return self.last(bin_)
        raise AssertionError("empty")


def read_hlog(text):
    """[(tag, begin, length, max in ms, Histogram)] and the start in seconds since 1970."""
    rows, start = [], None
    for line in text.splitlines():
        if found := re.match(r"#\[StartTime: ([\d.]+) \(seconds since epoch\), ", line):
            start = float(found[1])
        if line.startswith(("#", '"')):
            continue
        found = re.fullmatch(r"(?:Tag=([^,]+),)?([\d.]+),([\d.]+),([\d.]+),(HIST\S+)", line)
        assert found, line
        rows.append((found[1], float(found[2]), float(found[3]), float(found[4]), Histogram(found[5])))
    return rows, start


def read_hgrm(text):
    """[(value, quantile, count)] and the total that the footer says."""
    points = [(float(a), float(b), int(c)) for a, b, c in re.findall(r"^ *([\d.]+) +([01]\.\d+) +(\d+)", text, re.M)]
    return points, int(re.search(r"Total count    = +(\d+)\]", text)[1])

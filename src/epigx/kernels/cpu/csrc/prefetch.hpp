// Prefetches rows of the user's tensors into the cache while the scan computes.
#pragma once
#include "simd.hpp"

namespace {

// A group reads a short piece of a row, and the next row is far away, so hardware prefetchers do not help. Without this
// class, a tenth of the time is spent waiting for memory.
class Prefetch {
  public:
    // Adds rows `first`, `first + stride`, …, one for each step of the current chunk.
    template <class T>
    void add(const T* first, int64_t stride) {
        streams[count++] = {reinterpret_cast<uintptr_t>(first), int64_t(stride * sizeof(T)), int(sizeof(T))};
    }

    // The scan passes over a chunk `passes` times. Each pass prefetches a part of the streams, so that few cache lines
    // are in flight at once. Addresses may lie outside the tensor, as a prefetch reads nothing.
    void call(int pass, int passes, int t, int channel) const {
        for (int i = pass; i < count; i += passes) {
            const Stream& s = streams[i];
            __builtin_prefetch(reinterpret_cast<const void*>(s.first + t * s.stride + channel * s.size), 0, 2);
        }
    }

  private:
    struct Stream {
        uintptr_t first;
        int64_t stride;
        int size;
    };
    Stream streams[6];
    int count = 0;
};

}  // namespace

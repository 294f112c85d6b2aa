// Rows of the user's tensors that are wanted soon, called into the cache while the scan computes.
#pragma once
#include "simd.hpp"

namespace {

// The hardware does not foresee these rows, since a group's part of a row is short and the next one far away: without
// this, a tenth of the time goes into waiting for memory.
class Ahead {
  public:
    // Rows `first`, `first + stride` …, one for each step of the chunk that the scan is at.
    template <class T>
    void add(const T* first, int64_t stride) {
        streams[count++] = {reinterpret_cast<uintptr_t>(first), int64_t(stride * sizeof(T)), int(sizeof(T))};
    }

    // The scan goes over the chunk `passes` times; they share the streams, so that few lines are on their way at once.
    // An address may lie outside of the tensor: nothing is read.
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

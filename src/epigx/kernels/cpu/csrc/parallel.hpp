// Shared by the stand-alone operators: threads, and sums over sequences in a fixed order.
#pragma once
#include "block.hpp"

namespace {

// Runs body(0), …, body(count-1), each on one thread.
template <class Body>
static void each(int64_t count, int threads, const Body& body) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t i = 0; i < count; ++i) {
        const FlushDenormals flush;
        body(i);
    }
}

// Sums one column over `count` rows, in order.
static double add_rows(const float* first, int64_t count, int64_t row) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += first[i * row];
    return sum;
}

}  // namespace

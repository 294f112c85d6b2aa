// Shared by the forward and backward pass of a block: sizes, packed parameters, access to rows, division of work.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "denormal.hpp"
#include "c_api.hpp"
#include "small_gemm.hpp"
#include "scan.hpp"

namespace {

// Steps that stay in the cache between the projections and the scan. Sums over time are computed per segment.
constexpr int SEGMENT = CHUNK;
// Steps that a team of threads computes between two synchronisations.
constexpr int STRETCH = 64 * SEGMENT;

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Zero-initialised floats, aligned to a cache line.
class Floats {
  public:
    Floats() = default;
    explicit Floats(int64_t n)
        : data_(static_cast<float*>(std::aligned_alloc(64, round_up(std::max<int64_t>(n, 1) * sizeof(float), 64)))) {
        if (!data_) std::abort();
        std::fill_n(data_.get(), n, 0.0f);
    }
    float* get() const { return data_.get(); }

  private:
    struct Free {
        void operator()(float* p) const { std::free(p); }
    };
    std::unique_ptr<float, Free> data_;
};

struct Sizes {
    int64_t batch, length, chunks;
    int channels, state, taps, rank, directions;
    int groups;   // of GROUP channels, the last one padded
    int states;   // padded to whole tiles
    int used;     // columns of a projected row: step (rank), B (states), C (states)
    int row;      // floats from one projected row to the next

    explicit Sizes(const EpigxShape& s)
        : batch(s.batch), length(s.length), chunks((s.length + CHUNK - 1) / CHUNK), channels(s.channels),
          state(s.state), taps(s.taps), rank(s.rank), directions(s.directions),
          groups((s.channels + GROUP - 1) / GROUP), states(round_up(s.state, TILE)), used(s.rank + 2 * states),
          row(round_up(used, 16)) {}

    int width(int group) const { return std::min(GROUP, channels - group * GROUP); }
    int64_t sequence(int direction, int64_t b) const { return direction * batch + b; }
    int64_t group_states() const { return int64_t(states) * GROUP; }
    int64_t all_states() const { return groups * group_states(); }
    // Which row of x_proj feeds a column of a projected row; -1 for padding.
    int source(int column) const {
        if (column < rank) return column;
        const int n = (column - rank) % states, part = (column - rank) / states;
        return n < state && part < 2 ? rank + part * state + n : -1;
    }
};

// Parameters of one direction, grouped by channels and zero-padded.
struct Packed {
    Floats conv_weight, conv_bias, dt_weight, dt_bias, rate, skip, x_rows, x_columns;

    Packed(const Sizes& z, const EpigxDirection& p)
        : conv_weight(int64_t(z.groups) * z.taps * GROUP), conv_bias(z.groups * GROUP),
          dt_weight(int64_t(z.groups) * z.rank * GROUP), dt_bias(z.groups * GROUP), rate(z.all_states()),
          skip(z.groups * GROUP), x_rows(int64_t(z.groups) * z.row * GROUP), x_columns(int64_t(z.groups) * GROUP * z.row) {
        for (int d = 0; d < z.channels; ++d) {
            const int g = d / GROUP, c = d % GROUP;
            for (int k = 0; k < z.taps; ++k)
                conv_weight.get()[(g * z.taps + k) * GROUP + c] = p.conv_weight[d * z.taps + k];
            conv_bias.get()[d] = p.conv_bias[d];
            for (int r = 0; r < z.rank; ++r)
                dt_weight.get()[(g * z.rank + r) * GROUP + c] = p.dt_weight[d * z.rank + r];
            dt_bias.get()[d] = p.dt_bias[d];
            for (int n = 0; n < z.state; ++n) {
                const float r = -std::exp(p.A_log[d * z.state + n]) * LOG2E;
                rate.get()[(g * z.states + n) * GROUP + c] = r < -STEEPEST ? -STEEPEST : r;
            }
            skip.get()[d] = p.D[d];
            for (int q = 0; q < z.used; ++q)
                if (const int row = z.source(q); row >= 0) {
                    const float w = p.x_proj[int64_t(row) * z.channels + d];
                    x_rows.get()[(int64_t(g) * z.row + q) * GROUP + c] = w;
                    x_columns.get()[int64_t(d) * z.row + q] = w;
                }
        }
    }
};

// A sequence of the user's tensor in reading order: step s is row s, or row L-1-s in the reverse direction.
template <class T>
struct Steps {
    T* first;
    int64_t stride;
    Steps(T* sequence, int64_t row, int64_t length, bool reverse)
        : first(sequence + (reverse ? (length - 1) * row : 0)), stride(reverse ? -row : row) {}
    T* operator[](int64_t step) const { return first + step * stride; }
};

template <class T>
INLINE V load_channels(const T* p, int v, int width) {
    if (v + W <= width) return load(p + v);
    T part[W] = {};
    if (v < width) std::memcpy(part, p + v, (width - v) * sizeof(T));
    return load(part);
}

template <class T>
INLINE void store_channels(T* p, int v, int width, V x) {
    if (v + W <= width) return store(p + v, x);
    T part[W];
    store(part, x);
    if (v < width) std::memcpy(p + v, part, (width - v) * sizeof(T));
}

// Channels v, … of row `step`; zeros before the start of the sequence.
template <class T>
INLINE V row_at(const Steps<const T>& x, int64_t step, int v, int width) {
    return step < 0 ? V{} : load_channels(x[step], v, width);
}

// Converts rows first, …, first+count-1 of a group to float.
template <class T>
static void load_rows(const Steps<const T>& x, int64_t first, int count, int width, float* to) {
    for (int i = 0; i < count; ++i)
        for (int v = 0; v < GROUP; v += W) at(to + i * GROUP + v) = row_at(x, first + i, v, width);
}

// Calls store(t, v, bias + Σ_k weight[k] x[first+t-K+1+k]) for `steps` rows of a group.
template <class T, class Store>
INLINE void convolve_rows(const Steps<const T>& x, int64_t first, int steps, int width, const float* weight,
                          const float* bias, int taps, Store store) {
    for (int v = 0; v < GROUP; v += W) {
        if (taps == 4) {  // read each row once
            V rows[4] = {};
            for (int k = 0; k < 3; ++k) rows[k + 1] = row_at(x, first - 3 + k, v, width);
            for (int t = 0; t < steps; ++t) {
                for (int k = 0; k < 3; ++k) rows[k] = rows[k + 1];
                rows[3] = load_channels(x[first + t], v, width);
                V sum = at(bias + v);
                for (int k = 0; k < 4; ++k) sum += at(weight + k * GROUP + v) * rows[k];
                store(t, v, sum);
            }
            continue;
        }
        for (int t = 0; t < steps; ++t) {
            V sum = at(bias + v);
            for (int k = 0; k < taps; ++k)
                sum += at(weight + k * GROUP + v) * row_at(x, first + t - taps + 1 + k, v, width);
            store(t, v, sum);
        }
    }
}

// Runs body(0), …, body(count-1), by the calling team or by the calling thread only.
template <class Body>
static void share(bool team, int64_t count, const Body& body) {
    if (team) {
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < count; ++i) body(i);
    } else {
        for (int64_t i = 0; i < count; ++i) body(i);
    }
}

// Division of work. Sequences are assigned to units, each with its own memory. With at least as many units as threads,
// each thread processes whole units without waiting. With fewer, all threads share the groups of every unit and
// synchronise after each stretch. A stretch is longer than a segment, because a synchronisation costs a time slice when
// another program occupies a core. Both ways give the same bits.
struct Plan {
    int64_t units;
    int threads;
    bool team;
    int64_t stretch;

    Plan(int64_t batch, int threads)
        : units(std::min<int64_t>(batch, 64)), threads(threads), team(units < threads),
          stretch(team ? STRETCH : SEGMENT) {}

    template <class Run>
    void operator()(const Run& run) const {
        if (team) {
#pragma omp parallel num_threads(threads)
            {
                const FlushDenormals flush;
                run(0, units, true);
            }
        } else {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
            for (int64_t u = 0; u < units; ++u) {
                const FlushDenormals flush;
                run(u, u + 1, false);
            }
        }
    }
};

}  // namespace

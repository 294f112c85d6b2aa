// The recurrence over one chunk. Lanes are channels, states stay in registers, time is sequential.
//
//   h_t = a_t h_{t-1} + x_t B_t,  a_t = 2^(step_t · rate),  x_t = step_t u_t,  y_t += C_t · h_t
//
// Arrays over a chunk are (step, GROUP) for a group of GROUP channels; B and C are rows of `BC.row` floats.
#pragma once
#include "prefetch.hpp"

namespace {

constexpr int CHUNK = 32;   // steps between kept states
constexpr int GROUP = 128;  // channels per task
constexpr int TILE = 4;     // states per vector of channels that the backward pass keeps in registers
constexpr int MANY = W == 16 ? 16 : 8;  // states that the forward pass keeps in registers

struct StateInput {
    const float *B, *C;
    int64_t row;
};

template <int N>
INLINE void scan_column(int steps, const float* step, const float* x, const float* rate, StateInput in, float* state,
                        float* y, const Prefetch& prefetch, int v) {
    V h[N];
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) h[n] = at(state + n * GROUP);
    for (int t = 0; t < steps; ++t) {
        const V d = at_most(at(step + t * GROUP), STEEPEST), x_t = at(x + t * GROUP);
        const float *B = in.B + t * in.row, *C = in.C + t * in.row;
        prefetch.call(0, 1, t, v);
        V sum[2] = {at(y + t * GROUP), V{}};
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
            h[n] = decay(d, at(rate + n * GROUP)) * h[n] + x_t * B[n];
            sum[n % 2] += h[n] * C[n];
        }
        at(y + t * GROUP) = sum[0] + sum[1];
    }
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) at(state + n * GROUP) = h[n];
}

// Runs one chunk and leaves the last state in `state` (padded states, GROUP).
static void scan_forward(int states, int steps, const float* step, const float* x, const float* rate, StateInput in,
                         float* state, float* y, const Prefetch& prefetch = {}) {
    const Prefetch none{};
    for (int v = 0; v < GROUP; v += W) {
        int n = 0;
        for (; n + MANY <= states; n += MANY)
            scan_column<MANY>(steps, step + v, x + v, rate + n * GROUP + v, {in.B + n, in.C + n, in.row},
                              state + n * GROUP + v, y + v, n == 0 ? prefetch : none, v);
        for (; n < states; n += TILE)
            scan_column<TILE>(steps, step + v, x + v, rate + n * GROUP + v, {in.B + n, in.C + n, in.row},
                              state + n * GROUP + v, y + v, n == 0 ? prefetch : none, v);
    }
}

// Working arrays of one chunk in the backward pass, (step, channel), in one block with one base address.
struct alignas(64) Chunk {
    typedef float Rows[CHUNK * GROUP];
    Rows step, step_slope;  // delta, and its derivative; then the gradient before softplus
    Rows input;             // delta · u
    Rows dy, y;             // y before the gate
    Rows gate_slope;
    Rows d_input, d_exponent;  // d_exponent: the gradient of log2 of the decay, times rate, summed over states
};

// Other inputs and sums of the backward pass of a chunk. Passed by value, so the compiler knows that stores do not change it.
struct ScanBackward {
    const float* rate;  // (state, channel)
    StateInput in;
    const float* state;      // (state, channel), at the chunk's start
    float *carry, *d_rate;   // (state, channel); carry: gradient from later chunks, replaced by that of this chunk
    float* lanes;            // gradients of B and C, per lane
};

// Sums over channels, per lane, (tile, step, TILE, W): the tiles of dB, then those of dC. A tile is contiguous, because
// steps with a power-of-two stride would compete for the same few lines of the first-level cache.
constexpr int LANES = CHUNK * TILE * W;
constexpr int64_t lanes_floats(int states) { return int64_t((2 * states + W - 1) / W) * W / TILE * LANES; }

// The gradients of W of the columns (B, then C) of step `t`, from column `n` on.
INLINE V from_lanes(const float* lanes, int t, int n) {
    alignas(64) V v[W];
    for (int i = 0; i < W; ++i) v[i] = at(lanes + (n + i) / TILE * LANES + (t * TILE + (n + i) % TILE) * W);
    return sum_lanes(v);
}

// Decays of a tile and its states before and after each step, kept between the forward and the backward half.
struct alignas(64) Tile {
    V decay[CHUNK][TILE], state[CHUNK + 1][TILE];
};

// First state and channel of a tile, and the number of its pass over the chunk.
struct Place {
    int n, v, pass, passes;
};

INLINE void tile_forward(int steps, const ScanBackward s, Chunk& c, Place p, Tile& tile, const Prefetch& prefetch) {
    V h[TILE];
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n) tile.state[0][n] = h[n] = at(s.state + (p.n + n) * GROUP + p.v);
    const float* rate = s.rate + p.n * GROUP + p.v;
    const float *B = s.in.B + p.n, *C = s.in.C + p.n;
    for (int t = 0; t < steps; ++t, B += s.in.row, C += s.in.row) {
        const int64_t i = t * GROUP + p.v;
        prefetch.call(p.pass, p.passes, t, p.v);
        const V d = at_most(at(c.step + i), STEEPEST), x = at(c.input + i);
        V sum = at(c.y + i);
#pragma GCC unroll 4
        for (int n = 0; n < TILE; ++n) {
            const V a = decay(d, at(rate + n * GROUP));
            h[n] = a * h[n] + x * B[n];
            tile.decay[t][n] = a;
            tile.state[t + 1][n] = h[n];
            sum += h[n] * C[n];
        }
        at(c.y + i) = sum;
    }
}

// `FIRST`: whether these are the first channels of the group, which initialise the sums over channels.
template <bool FIRST>
INLINE void tile_backward(int states, int steps, const ScanBackward s, Chunk& c, Place p, const Tile& tile, const Prefetch& prefetch) {
    V g[TILE], d_rate[TILE], rate[TILE], after[TILE];
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n) {
        const int64_t i = (p.n + n) * GROUP + p.v;
        g[n] = at(s.carry + i), d_rate[n] = V{}, rate[n] = at(s.rate + i), after[n] = tile.state[steps][n];
    }
    float *const lanes_B = s.lanes + p.n / TILE * LANES, *const lanes_C = lanes_B + states / TILE * LANES;
    for (int t = steps - 1; t >= 0; --t) {
        const float *B = s.in.B + t * s.in.row + p.n, *C = s.in.C + t * s.in.row + p.n;
        float *dB = lanes_B + t * TILE * W, *dC = lanes_C + t * TILE * W;
        const int64_t i = t * GROUP + p.v;
        prefetch.call(p.pass, p.passes, t, p.v);
        const V dy = at(c.dy + i), x = at(c.input + i), step = at(c.step + i);
        V dx = at(c.d_input + i), de = at(c.d_exponent + i);
#pragma GCC unroll 4
        for (int n = 0; n < TILE; ++n) {
            const V grad = g[n] + dy * C[n];
            at(dC + n * W) = (FIRST ? V{} : at(dC + n * W)) + dy * after[n];
            at(dB + n * W) = (FIRST ? V{} : at(dB + n * W)) + grad * x;
            dx += grad * B[n];
            g[n] = grad * tile.decay[t][n];
            after[n] = tile.state[t][n];
            const V dz = g[n] * after[n];
            de += dz * rate[n];
            d_rate[n] += dz * step;
        }
        at(c.d_input + i) = dx, at(c.d_exponent + i) = de;
    }
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n) {
        const int64_t i = (p.n + n) * GROUP + p.v;
        at(s.carry + i) = g[n];
        at(s.d_rate + i) += d_rate[n];
    }
}

// Recomputes the chunk's states from its first one, then walks back.
static void scan_backward(int states, int steps, const ScanBackward s, Chunk& c, Tile& tile, const Prefetch& prefetch = {}) {
    const int passes = 2 * states / TILE;
    for (int n = 0, pass = 0; n < states; n += TILE, pass += 2)
        for (int v = 0; v < GROUP; v += W) {
            tile_forward(steps, s, c, {n, v, pass, passes}, tile, prefetch);
            if (v == 0)
                tile_backward<true>(states, steps, s, c, {n, v, pass + 1, passes}, tile, prefetch);
            else
                tile_backward<false>(states, steps, s, c, {n, v, pass + 1, passes}, tile, prefetch);
        }
}

}  // namespace

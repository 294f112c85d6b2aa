// The recurrence over one chunk: lanes are channels, states stay in registers, time is sequential.
//
//   h_t = a_t h_{t-1} + x_t B_t,  a_t = 2^(step_t · rate),  x_t = step_t u_t,  y_t += C_t · h_t
//
// Arrays over a chunk are (step, GROUP) for a group of GROUP channels; B and C are rows of `BC.row` floats.
#pragma once
#include "simd.hpp"

namespace {

constexpr int CHUNK = 32;   // steps between kept states
constexpr int GROUP = 128;  // channels that one task takes
constexpr int TILE = 4;     // states (rows of the tile) that a backward tile holds
constexpr int SPAN = 2;    // vectors of channels (columns) that it holds
constexpr int MANY = W == 16 ? 16 : 8;  // states that the forward pass holds in registers

struct StateInput {
    const float *B, *C;
    int64_t row;
};

template <int N>
INLINE void scan_column(int steps, const float* step, const float* x, const float* rate, StateInput in, float* state,
                        float* y) {
    V h[N];
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) h[n] = at(state + n * GROUP);
    for (int t = 0; t < steps; ++t) {
        const V d = at_most(at(step + t * GROUP), STEEPEST), x_t = at(x + t * GROUP);
        const float *B = in.B + t * in.row, *C = in.C + t * in.row;
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

// Runs the chunk and leaves the last state in `state` (padded states, GROUP).
static void scan_forward(int states, int steps, const float* step, const float* x, const float* rate, StateInput in,
                         float* state, float* y) {
    for (int v = 0; v < GROUP; v += W) {
        int n = 0;
        for (; n + MANY <= states; n += MANY)
            scan_column<MANY>(steps, step + v, x + v, rate + n * GROUP + v, {in.B + n, in.C + n, in.row},
                              state + n * GROUP + v, y + v);
        for (; n < states; n += TILE)
            scan_column<TILE>(steps, step + v, x + v, rate + n * GROUP + v, {in.B + n, in.C + n, in.row},
                              state + n * GROUP + v, y + v);
    }
}

// The working arrays of one chunk in the backward pass: (step, channel), in one block so that one address reaches all.
struct alignas(64) Chunk {
    typedef float Rows[CHUNK * GROUP];
    Rows step, step_slope;  // delta, and its derivative; then the gradient before softplus
    Rows input;             // delta · u
    Rows dy, y;             // y before the gate
    Rows gate_slope;
    Rows d_input, d_exponent;  // d_exponent: the gradient of log2 of the decay, times rate, summed over states
};

// What else the backward pass of a chunk reads and adds to. Taken by value: nothing that is stored can change it.
struct ScanBackward {
    const float* rate;  // (state, channel)
    StateInput in;
    const float* state;      // (state, channel), at the chunk's start
    float *carry, *d_rate;   // (state, channel); carry: the gradient from later chunks, replaced by this one's
    float *dB, *dC;          // (step, state, W): sums over channels, lane by lane
    int64_t lanes_row;       // floats from one step of dB and dC to the next
};

// Decays and decayed states of a tile, kept from its forward half to its backward half.
struct alignas(64) Tile {
    V decay[CHUNK][TILE][SPAN], decayed[CHUNK][TILE][SPAN];
};

INLINE void tile_forward(int steps, const ScanBackward s, Chunk& c, int n0, int v0, Tile& tile) {
    V h[TILE][SPAN];
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n)
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) h[n][v] = at(s.state + (n0 + n) * GROUP + v0 + v * W);
    const float* rate = s.rate + n0 * GROUP + v0;
    const float *B = s.in.B + n0, *C = s.in.C + n0;
    for (int t = 0; t < steps; ++t, B += s.in.row, C += s.in.row) {
        const int64_t row = t * GROUP + v0;
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) {
            const V d = at_most(at(c.step + row + v * W), STEEPEST), x = at(c.input + row + v * W);
            V sum = at(c.y + row + v * W);
#pragma GCC unroll 4
            for (int n = 0; n < TILE; ++n) {
                const V a = decay(d, at(rate + n * GROUP + v * W));
                const V q = a * h[n][v];
                tile.decay[t][n][v] = a;
                tile.decayed[t][n][v] = q;
                h[n][v] = q + x * B[n];
                sum += h[n][v] * C[n];
            }
            at(c.y + row + v * W) = sum;
        }
    }
}

// `FIRST`: the first channels of the group, which start the sums over channels.
template <bool FIRST>
INLINE void tile_backward(int steps, const ScanBackward s, Chunk& c, int n0, int v0, const Tile& tile) {
    V g[TILE][SPAN];
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n)
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) g[n][v] = at(s.carry + (n0 + n) * GROUP + v0 + v * W);
    const float* rate = s.rate + n0 * GROUP + v0;
    float* d_rate = s.d_rate + n0 * GROUP + v0;
    for (int t = steps - 1; t >= 0; --t) {
        const float *B = s.in.B + t * s.in.row + n0, *C = s.in.C + t * s.in.row + n0;
        const int64_t row = t * GROUP + v0;
        float *dB = s.dB + t * s.lanes_row + n0 * W, *dC = s.dC + t * s.lanes_row + n0 * W;
        V dx[SPAN], de[SPAN];
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) dx[v] = at(c.d_input + row + v * W), de[v] = at(c.d_exponent + row + v * W);
#pragma GCC unroll 4
        for (int n = 0; n < TILE; ++n) {
            V sum_B = FIRST ? V{} : at(dB + n * W), sum_C = FIRST ? V{} : at(dC + n * W);
#pragma GCC unroll 2
            for (int v = 0; v < SPAN; ++v) {
                const V dy = at(c.dy + row + v * W), x = at(c.input + row + v * W), q = tile.decayed[t][n][v];
                const V grad = g[n][v] + dy * C[n];
                sum_C += dy * (q + x * B[n]);
                sum_B += grad * x;
                dx[v] += grad * B[n];
                const V dz = grad * q;
                de[v] += dz * at(rate + n * GROUP + v * W);
                at(d_rate + n * GROUP + v * W) += dz * at(c.step + row + v * W);
                g[n][v] = grad * tile.decay[t][n][v];
            }
            at(dB + n * W) = sum_B, at(dC + n * W) = sum_C;
        }
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) at(c.d_input + row + v * W) = dx[v], at(c.d_exponent + row + v * W) = de[v];
    }
#pragma GCC unroll 4
    for (int n = 0; n < TILE; ++n)
#pragma GCC unroll 2
        for (int v = 0; v < SPAN; ++v) at(s.carry + (n0 + n) * GROUP + v0 + v * W) = g[n][v];
}

// Recomputes the chunk's states from its first one, then walks back.
static void scan_backward(int states, int steps, const ScanBackward s, Chunk& c, Tile& tile) {
    for (int n = 0; n < states; n += TILE) {
        tile_forward(steps, s, c, n, 0, tile);
        tile_backward<true>(steps, s, c, n, 0, tile);
        for (int v = SPAN * W; v < GROUP; v += SPAN * W) {
            tile_forward(steps, s, c, n, v, tile);
            tile_backward<false>(steps, s, c, n, v, tile);
        }
    }
}

}  // namespace

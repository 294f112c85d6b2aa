// The backward pass of a block, in each direction from the last segment to the first.
#pragma once
#include "parameter_grads.hpp"

namespace {

template <class T>
class Backward {
  public:
    Backward(const EpigxShape& shape, const T* d_out, const T* xz, const EpigxDirection* p, const float* projected,
             const float* states, T* d_xz)
        : z(shape), d_out(d_out), xz(xz), d_xz(d_xz), projected(projected), states(states),
          plan(z.batch, shape.threads) {
        for (int i = 0; i < z.directions; ++i) packed.emplace_back(z, p[i]);
        for (int64_t u = 0; u < plan.units; ++u) work.emplace_back(z, plan.stretch);
    }

    void run() {
        plan([&](int64_t from, int64_t to, bool team) { run_units(from, to, team); });
    }

    void collect(const EpigxDirection* p, EpigxGradient* out) const {
        for (int d = 0; d < z.directions; ++d) {
            std::vector<const ParameterGrads*> parts;
            for (const Work& w : work) parts.push_back(&w.grads[d]);
            add_up(z, p[d], parts, out[d]);
        }
    }

  private:
    struct Work {
        Floats u, slope;  // (group, step, channel) of a stretch: SiLU of the convolution and its derivative
        Floats du;        // same with K-1 extra rows: gradient of u, then of the convolution
        Floats later;     // (group, K-1, channel): first rows of that gradient in the following stretch
        Floats carry;     // (group, state, channel)
        Floats rows;      // (group, step, row): contribution of each group to the gradient of the projected rows
        std::vector<ParameterGrads> grads;
        Work(const Sizes& z, int64_t stretch)
            : u(z.groups * stretch * GROUP), slope(z.groups * stretch * GROUP),
              du(z.groups * (stretch + z.taps - 1) * GROUP), later(int64_t(z.groups) * (z.taps - 1) * GROUP),
              carry(z.all_states()), rows(z.groups * stretch * z.row) {
            for (int d = 0; d < z.directions; ++d) grads.emplace_back(z);
        }
    };

    // Working memory for one chunk of one group; one per thread.
    struct Buffers {
        std::unique_ptr<Chunk> chunk{new Chunk};
        std::unique_ptr<Tile> tile{new Tile};
        Floats lanes, rows;
        explicit Buffers(const Sizes& z)
            : lanes(lanes_floats(z.states)), rows(SEGMENT * z.row) {}
    };

    const Sizes z;
    const T *d_out, *xz;
    T* d_xz;
    const float *projected, *states;
    const Plan plan;
    std::vector<Packed> packed;
    std::vector<Work> work;

    void run_units(int64_t from, int64_t to, bool team) {
        const int64_t count = to - from;
        Buffers buffers(z);
        for (int64_t round = 0; from + round * plan.units < z.batch; ++round)
            for (int d = 0; d < z.directions; ++d)
                for (int64_t start = (z.length - 1) / plan.stretch * plan.stretch; start >= 0; start -= plan.stretch) {
                    share(team, count * z.groups, [&](int64_t i) {
                        const int64_t u = from + i / z.groups, b = u + round * plan.units;
                        if (b < z.batch) scan(work[u], buffers, d, b, start, i % z.groups);
                    });
                    share(team, count * z.groups, [&](int64_t i) {
                        const int64_t u = from + i / z.groups, b = u + round * plan.units;
                        if (b < z.batch) project(work[u], buffers, d, b, start, i % z.groups);
                    });
                }
    }

    template <class U>
    Steps<U> rows_of(U* tensor, int64_t width, int64_t offset, int d, int64_t b) const {
        return {tensor + b * z.length * width + offset, width, z.length, d == 1};
    }

    // Backward through gate and scan, for one stretch and one group.
    void scan(Work& w, Buffers& m, int d, int64_t b, int64_t start, int g) {
        const int64_t end = std::min(start + plan.stretch, z.length);
        if (end == z.length) {
            std::fill_n(w.carry.get() + g * z.group_states(), z.group_states(), 0.0f);
            std::fill_n(w.later.get() + int64_t(g) * (z.taps - 1) * GROUP, (z.taps - 1) * GROUP, 0.0f);
        }
        for (int64_t first = start + (end - start - 1) / CHUNK * CHUNK; first >= start; first -= CHUNK) {
            const int steps = std::min<int64_t>(CHUNK, end - first);
            inputs(w, m, d, b, start, first, steps, g);
            gate(m, d, b, first, steps, g);
            recurrence(w, m, d, b, first, steps, g);
            gate_gradient(m, d, b, first, steps, g);
            gradients(w, m, d, b, start, first, steps, g);
        }
    }

    // Recomputes u, its derivative, the step and its derivative; y starts as the skip connection.
    void inputs(Work& w, Buffers& m, int d, int64_t b, int64_t start, int64_t first, int steps, int g) const {
        const Packed& p = packed[d];
        const int64_t offset = (g * plan.stretch + first - start) * GROUP;
        float *u = w.u.get() + offset, *slope = w.slope.get() + offset;
        const float* rows = projected + (z.sequence(d, b) * z.length + first) * z.row;
        gemm(m.chunk->step, GROUP, {p.dt_bias.get() + g * GROUP, 0}, {rows, z.row, 1},
                p.dt_weight.get() + int64_t(g) * z.rank * GROUP, GROUP, steps, GROUP, z.rank);
        const float* skip = p.skip.get() + g * GROUP;
        convolve_rows(rows_of(xz, 2 * z.channels, g * GROUP, d, b), first, steps, z.width(g),
                      p.conv_weight.get() + int64_t(g) * z.taps * GROUP, p.conv_bias.get() + g * GROUP, z.taps,
                      [&](int t, int v, V c) {
                          const int i = t * GROUP + v;
                          const V share = sigmoid(c), x = c * share;
                          const Softplus s = softplus(at(m.chunk->step + i));
                          at(u + i) = x;
                          at(slope + i) = share * (1.0f + c * (1.0f - share));
                          at(m.chunk->step + i) = s.value;
                          at(m.chunk->step_slope + i) = s.slope;
                          at(m.chunk->input + i) = s.value * x;
                          at(m.chunk->y + i) = at(skip + v) * x;
                      });
    }

    void gate(Buffers& m, int d, int64_t b, int64_t first, int steps, int g) const {
        const Steps<const T> gate = rows_of(xz, 2 * z.channels, z.channels + g * GROUP, d, b);
        const Steps<const T> from = rows_of(d_out, z.channels, g * GROUP, d, b);
        for (int t = 0; t < steps; ++t)
            for (int v = 0; v < GROUP; v += W) {
                const V c = load_channels(gate[first + t], v, z.width(g));
                const V grad = load_channels(from[first + t], v, z.width(g));
                const V s = sigmoid(c);
                at(m.chunk->dy + t * GROUP + v) = grad * (c * s);
                at(m.chunk->gate_slope + t * GROUP + v) = grad * (s * (1.0f + c * (1.0f - s)));
            }
    }

    // The output is a sum over directions, so each direction adds its share to the gradient of the gate.
    void gate_gradient(const Buffers& m, int d, int64_t b, int64_t first, int steps, int g) const {
        const Steps<T> to = rows_of(d_xz, 2 * z.channels, z.channels + g * GROUP, d, b);
        const int width = z.width(g);
        for (int t = 0; t < steps; ++t)
            for (int v = 0; v < width; v += W) {
                V grad = at(m.chunk->gate_slope + t * GROUP + v) * at(m.chunk->y + t * GROUP + v);
                if (d > 0) grad += load_channels<T>(to[first + t], v, width);
                store_channels(to[first + t], v, width, grad);
            }
    }

    void recurrence(Work& w, Buffers& m, int d, int64_t b, int64_t first, int steps, int g) {
        const float* rows = projected + (z.sequence(d, b) * z.length + first) * z.row;
        std::fill_n(m.chunk->d_input, steps * GROUP, 0.0f);
        std::fill_n(m.chunk->d_exponent, steps * GROUP, 0.0f);
        const ScanBackward s{
            packed[d].rate.get() + g * z.group_states(),
            {rows + z.rank, rows + z.rank + z.states, z.row},
            states + (z.sequence(d, b) * z.chunks + first / CHUNK) * z.all_states() + g * z.group_states(),
            w.carry.get() + g * z.group_states(), w.grads[d].rate.get() + g * z.group_states(), m.lanes.get()};
        scan_backward(z.states, steps, s, *m.chunk, *m.tile, prefetch(s, d, b, first, g));
    }

    // Rows that the previous chunk will read, and rows that the convolution of this chunk will write.
    Prefetch prefetch(const ScanBackward& s, int d, int64_t b, int64_t first, int g) const {
        Prefetch prefetch;
        const auto add = [&](const T* tensor, int64_t width, int64_t offset, int64_t step) {
            const Steps<const T> rows = rows_of(tensor, width, offset + g * GROUP, d, b);
            prefetch.add(rows[step], rows.stride);
        };
        add(xz, 2 * z.channels, 0, first - CHUNK);
        add(xz, 2 * z.channels, z.channels, first - CHUNK);
        add(d_out, z.channels, 0, first - CHUNK);
        add(d_xz, 2 * z.channels, z.channels, first - CHUNK);
        add(d_xz, 2 * z.channels, 0, first);
        prefetch.add(s.state - z.all_states(), GROUP);
        return prefetch;
    }

    // From the recurrence to u, the step projection, D, and this group's share of the projected rows.
    void gradients(Work& w, Buffers& m, int d, int64_t b, int64_t start, int64_t first, int steps, int g) {
        const Packed& p = packed[d];
        ParameterGrads& grads = w.grads[d];
        const int64_t here = g * plan.stretch + first - start;
        const float* u = w.u.get() + here * GROUP;
        float* du = w.du.get() + (g * (plan.stretch + z.taps - 1) + first - start) * GROUP;
        const float* skip = p.skip.get() + g * GROUP;
        for (int v = 0; v < GROUP; v += W) {
            V bias{}, d_skip{};
            for (int t = 0; t < steps; ++t) {
                const int i = t * GROUP + v;
                const V d_step = at(m.chunk->d_input + i) * at(u + i) + at(m.chunk->d_exponent + i) * LN2;
                at(du + i) = at(m.chunk->d_input + i) * at(m.chunk->step + i) + at(skip + v) * at(m.chunk->dy + i);
                at(m.chunk->step_slope + i) *= d_step;
                bias += at(m.chunk->step_slope + i);
                d_skip += at(m.chunk->dy + i) * at(u + i);
            }
            at(grads.dt_bias.get() + g * GROUP + v) += bias;
            at(grads.skip.get() + g * GROUP + v) += d_skip;
        }
        const float* rows = projected + (z.sequence(d, b) * z.length + first) * z.row;
        add_gemm(grads.dt_weight.get() + int64_t(g) * z.rank * GROUP, GROUP, {rows, 1, z.row}, m.chunk->step_slope,
                    GROUP, z.rank, GROUP, steps);
        projected_part(m, d, steps, g, w.rows.get() + here * z.row);
    }

    // The group's share of the gradient of the projected rows: step, then B and C.
    void projected_part(const Buffers& m, int d, int steps, int g, float* part) const {
        // One call of sum_lanes takes W vectors: two steps times half a vector of ranks.
        constexpr int RANKS = W / 2;
        const float* weight = packed[d].dt_weight.get() + int64_t(g) * z.rank * GROUP;
        for (int r = 0; r < z.rank; r += RANKS)
            for (int t = 0; t < steps; t += 2) {
                alignas(64) V sum[W] = {};
                for (int v = 0; v < GROUP; v += W) {
                    const V first = at(m.chunk->step_slope + t * GROUP + v);
                    const V second = at(m.chunk->step_slope + std::min(t + 1, steps - 1) * GROUP + v);
#pragma GCC unroll 8
                    for (int k = 0; k < RANKS; ++k) {
                        const V by = at(weight + std::min(r + k, z.rank - 1) * GROUP + v);
                        sum[k] += by * first;
                        sum[RANKS + k] += by * second;
                    }
                }
                const V both = sum_lanes(sum);
                for (int k = 0; k < std::min(2, steps - t); ++k)
                    std::memcpy(part + (t + k) * z.row + r, reinterpret_cast<const float*>(&both) + k * RANKS,
                                std::min(RANKS, z.rank - r) * sizeof(float));
            }
        for (int t = 0; t < steps; ++t)
            for (int n = 0; n < 2 * z.states; n += W) {
                const V sum = from_lanes(m.lanes.get(), t, n);
                std::memcpy(part + t * z.row + z.rank + n, &sum, std::min(W, 2 * z.states - n) * sizeof(float));
            }
    }

    // Backward through projection, SiLU and convolution, for one stretch and one group.
    void project(Work& w, Buffers& m, int d, int64_t b, int64_t start, int g) {
        const int64_t count = std::min(plan.stretch, z.length - start), halo = (z.taps - 1) * GROUP;
        float* later = w.later.get() + g * halo;
        float* du = w.du.get() + g * (plan.stretch * GROUP + halo);
        std::copy_n(later, halo, du + count * GROUP);
        for (int64_t first = (count - 1) / SEGMENT * SEGMENT; first >= 0; first -= SEGMENT) {
            const int steps = std::min<int64_t>(SEGMENT, count - first);
            projection(w, m, d, first, steps, g, du + first * GROUP);
            convolution(w.grads[d], d, b, start + first, steps, g, du + first * GROUP);
        }
        std::copy_n(du, halo, later);
    }

    // For one segment: from the projected rows to x_proj and u, and from u to the convolution.
    void projection(Work& w, Buffers& m, int d, int64_t first, int steps, int g, float* du) {
        const int64_t x_rows = int64_t(g) * z.row * GROUP, here = (g * plan.stretch + first) * GROUP;
        const float *u = w.u.get() + here, *slope = w.slope.get() + here;
        float* rows = m.rows.get();
        std::copy_n(w.rows.get() + first * z.row, steps * z.row, rows);
        for (int k = 1; k < z.groups; ++k) {
            const float* part = w.rows.get() + (k * plan.stretch + first) * z.row;
            for (int i = 0; i < steps * z.row; i += W) at(rows + i) += at(part + i);
        }
        add_gemm(du, GROUP, {rows, z.row, 1}, packed[d].x_rows.get() + x_rows, GROUP, steps, GROUP, z.used);
        add_gemm(w.grads[d].x_rows.get() + x_rows, GROUP, {rows, 1, z.row}, u, GROUP, z.used, GROUP, steps);
        for (int i = 0; i < steps * GROUP; i += W) at(du + i) *= at(slope + i);
    }

    void convolution(ParameterGrads& grads, int d, int64_t b, int64_t start, int steps, int g, const float* du) {
        const Steps<T> to = rows_of(d_xz, 2 * z.channels, g * GROUP, d, b);
        const Steps<const T> from = rows_of(xz, 2 * z.channels, g * GROUP, d, b);
        const float* weight = packed[d].conv_weight.get() + int64_t(g) * z.taps * GROUP;
        float* d_weight = grads.conv_weight.get() + int64_t(g) * z.taps * GROUP;
        const int width = z.width(g);
        for (int v = 0; v < width; v += W) {
            V bias{};
            const auto back = [&](int t, V grad) {
                bias += at(du + t * GROUP + v);
                T* row = to[start + t];
                if (d > 0) grad += load_channels<T>(row, v, width);
                store_channels(row, v, width, grad);
            };
            if (z.taps == 4) {  // read each row once
                V x[4], later[4], sum[4] = {};
                for (int k = 0; k < 3; ++k) {
                    x[k + 1] = row_at(from, start - 3 + k, v, width);
                    later[k + 1] = at(du + k * GROUP + v);
                }
                for (int t = 0; t < steps; ++t) {
                    for (int k = 0; k < 3; ++k) x[k] = x[k + 1], later[k] = later[k + 1];
                    x[3] = load_channels(from[start + t], v, width);
                    later[3] = at(du + (t + 3) * GROUP + v);
                    V grad{};
                    for (int k = 0; k < 4; ++k) {
                        grad += at(weight + k * GROUP + v) * later[3 - k];
                        sum[k] += later[0] * x[k];
                    }
                    back(t, grad);
                }
                for (int k = 0; k < 4; ++k) at(d_weight + k * GROUP + v) += sum[k];
            } else {
                for (int t = 0; t < steps; ++t) {
                    V grad{};
                    for (int k = 0; k < z.taps; ++k)
                        grad += at(weight + k * GROUP + v) * at(du + (t + z.taps - 1 - k) * GROUP + v);
                    back(t, grad);
                }
                for (int k = 0; k < z.taps; ++k) {
                    V sum{};
                    for (int t = 0; t < steps; ++t)
                        sum += at(du + t * GROUP + v) * row_at(from, start + t - z.taps + 1 + k, v, width);
                    at(d_weight + k * GROUP + v) += sum;
                }
            }
            at(grads.conv_bias.get() + g * GROUP + v) += bias;
        }
    }
};

}  // namespace

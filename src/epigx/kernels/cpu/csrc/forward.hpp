// The forward pass of a block.
#pragma once
#include "block.hpp"

namespace {

template <class T>
class Forward {
  public:
    Forward(const EpigxShape& shape, const T* xz, const EpigxDirection* p, T* out, float* projected, float* states)
        : z(shape), xz(xz), out(out), projected(projected), states(states), plan(z.batch, shape.threads) {
        for (int i = 0; i < z.directions; ++i) packed.emplace_back(z, p[i]);
        for (int64_t u = 0; u < plan.units; ++u) work.emplace_back(z, plan.stretch, !projected);
    }

    void run() {
        plan([&](int64_t from, int64_t to, bool team) { run_units(from, to, team); });
    }

  private:
    struct Work {
        Floats u;          // (group, step, channel) of a stretch
        Floats state;      // (group, state, channel)
        Floats projected;  // (step, row) of a stretch, if the caller does not keep it
        Work(const Sizes& z, int64_t stretch, bool keep)
            : u(z.groups * stretch * GROUP), state(z.all_states()), projected(keep ? stretch * z.row : 0) {}
    };

    const Sizes z;
    const T* xz;
    T* out;
    float *projected, *states;
    const Plan plan;
    std::vector<Packed> packed;
    std::vector<Work> work;

    void run_units(int64_t from, int64_t to, bool team) {
        const int64_t count = to - from;
        for (int64_t round = 0; from + round * plan.units < z.batch; ++round)
            for (int d = 0; d < z.directions; ++d)
                for (int64_t start = 0; start < z.length; start += plan.stretch) {
                    const int64_t chunks = (std::min(plan.stretch, z.length - start) + CHUNK - 1) / CHUNK;
                    share(team, count * chunks, [&](int64_t i) {
                        const int64_t u = from + i / chunks, b = u + round * plan.units;
                        if (b < z.batch) project(work[u], d, b, start, start + i % chunks * CHUNK);
                    });
                    share(team, count * z.groups, [&](int64_t i) {
                        const int64_t u = from + i / z.groups, b = u + round * plan.units;
                        if (b < z.batch) scan(work[u], d, b, start, i % z.groups);
                    });
                }
    }

    Steps<const T> inputs(int d, int64_t b, int group, bool gate) const {
        const T* sequence = xz + b * z.length * 2 * z.channels + (gate ? z.channels : 0) + group * GROUP;
        return {sequence, 2 * z.channels, z.length, d == 1};
    }

    Steps<T> outputs(int d, int64_t b, int group) const {
        return {out + b * z.length * z.channels + group * GROUP, z.channels, z.length, d == 1};
    }

    float* projected_rows(const Work& w, int d, int64_t b, int64_t start) const {
        return projected ? projected + (z.sequence(d, b) * z.length + start) * z.row : w.projected.get();
    }

    // Convolution, SiLU and the projection to step, B and C, for one chunk and all channels.
    void project(Work& w, int d, int64_t b, int64_t start, int64_t first) const {
        const Packed& p = packed[d];
        const int steps = std::min<int64_t>(CHUNK, z.length - first);
        float* rows = projected_rows(w, d, b, start) + (first - start) * z.row;
        std::fill_n(rows, int64_t(steps) * z.row, 0.0f);
        for (int g = 0; g < z.groups; ++g) {
            float* u = w.u.get() + (g * plan.stretch + first - start) * GROUP;
            convolve_rows(inputs(d, b, g, false), first, steps, z.width(g),
                          p.conv_weight.get() + int64_t(g) * z.taps * GROUP, p.conv_bias.get() + g * GROUP, z.taps,
                          [&](int t, int v, V c) { at(u + t * GROUP + v) = c * sigmoid(c); });
            add_gemm(rows, z.row, {u, GROUP, 1}, p.x_columns.get() + int64_t(g) * GROUP * z.row, z.row, steps,
                        z.row, GROUP);
        }
    }

    // Scan one stretch and one group of channels, chunk by chunk; apply the gate after the last direction.
    void scan(Work& w, int d, int64_t b, int64_t start, int g) const {
        const Packed& p = packed[d];
        alignas(64) float step[CHUNK * GROUP], x[CHUNK * GROUP], y[CHUNK * GROUP];
        float* state = w.state.get() + g * z.group_states();
        if (start == 0) std::fill_n(state, z.group_states(), 0.0f);
        for (int64_t first = start; first < std::min(start + plan.stretch, z.length); first += CHUNK) {
            const int steps = std::min<int64_t>(CHUNK, z.length - first);
            const float* rows = projected_rows(w, d, b, start) + (first - start) * z.row;
            const float* u = w.u.get() + (g * plan.stretch + first - start) * GROUP;
            if (states)
                std::copy_n(state, z.group_states(),
                            states + (z.sequence(d, b) * z.chunks + first / CHUNK) * z.all_states() +
                                g * z.group_states());
            gemm(step, GROUP, {p.dt_bias.get() + g * GROUP, 0}, {rows, z.row, 1},
                    p.dt_weight.get() + int64_t(g) * z.rank * GROUP, GROUP, steps, GROUP, z.rank);
            const float* skip = p.skip.get() + g * GROUP;
            for (int t = 0; t < steps; ++t)
                for (int v = 0; v < GROUP; v += W) {
                    const int i = t * GROUP + v;
                    const V value = softplus(at(step + i)).value;
                    at(step + i) = value;
                    at(x + i) = value * at(u + i);
                    at(y + i) = at(skip + v) * at(u + i);
                }
            scan_forward(z.states, steps, step, x, p.rate.get() + g * z.group_states(),
                         {rows + z.rank, rows + z.rank + z.states, z.row}, state, y,
                         prefetch(d, b, first, g));
            write(d, b, first, steps, g, y);
        }
    }

    // Rows that the next chunk will read and write; the gate only in the last direction.
    Prefetch prefetch(int d, int64_t b, int64_t first, int g) const {
        Prefetch prefetch;
        const Steps<T> to = outputs(d, b, g);
        prefetch.add(to[first + CHUNK], to.stride);
        for (const bool gate : {false, true})
            if (const Steps<const T> from = inputs(d, b, g, gate); !gate || d + 1 == z.directions)
                prefetch.add(from[first + CHUNK], from.stride);
        return prefetch;
    }

    void write(int d, int64_t b, int64_t first, int steps, int g, const float* y) const {
        const Steps<const T> gate = inputs(d, b, g, true);
        const Steps<T> to = outputs(d, b, g);
        const int width = z.width(g);
        const bool last = d + 1 == z.directions;
        for (int t = 0; t < steps; ++t)
            for (int v = 0; v < width; v += W) {
                V sum = at(y + t * GROUP + v);
                if (d > 0) sum += load_channels<T>(to[first + t], v, width);
                if (last) {
                    const V c = load_channels(gate[first + t], v, width);
                    sum *= c * sigmoid(c);
                }
                store_channels(to[first + t], v, width, sum);
            }
    }
};

}  // namespace

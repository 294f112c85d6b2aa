// The selective scan as a stand-alone operator; a task is one group of channels of one sequence.
#pragma once
#include "parallel.hpp"

namespace {

template <class T>
class SingleScan {
  public:
    explicit SingleScan(const EpigxScan& arguments)
        : p(arguments), z({p.batch, p.length, p.channels, p.state, 1, 0, 1, 0, 0}), rate(z.all_states()),
          skip(z.groups * GROUP) {
        for (int d = 0; d < z.channels; ++d) {
            skip.get()[d] = p.D[d];
            for (int n = 0; n < z.state; ++n) {
                const float r = p.A[d * z.state + n] * LOG2E;
                rate.get()[(d / GROUP * z.states + n) * GROUP + d % GROUP] = r < -STEEPEST ? -STEEPEST : r;
            }
        }
    }

    void forward() const {
        each(z.batch * z.groups, p.threads, [&](int64_t i) { forward(i / z.groups, i % z.groups); });
    }

    void backward() const {
        const Floats rows(z.batch * z.groups * z.length * 2 * z.states), rates(z.batch * z.all_states()),
            skips(z.batch * z.groups * GROUP);
        each(z.batch * z.groups, p.threads, [&](int64_t i) {
            Sums sums{rows.get() + i * z.length * 2 * z.states, rates.get() + i * z.group_states(),
                      skips.get() + i * GROUP};
            backward(i / z.groups, i % z.groups, sums);
        });
        each(z.batch, p.threads, [&](int64_t b) { collect_rows(b, rows.get() + b * z.groups * z.length * 2 * z.states); });
        for (int d = 0; d < z.channels; ++d) {
            const int64_t g = d / GROUP, c = d % GROUP;
            p.dD[d] = add_rows(skips.get() + g * GROUP + c, z.batch, z.groups * GROUP);
            for (int n = 0; n < z.state; ++n)
                p.dA[d * z.state + n] =
                    add_rows(rates.get() + (g * z.states + n) * GROUP + c, z.batch, z.all_states());
        }
    }

  private:
    // Sums of one task: gradients of B and C at each step, in the order of the window, and of the parameters.
    struct Sums {
        float *rows, *rate, *skip;
    };

    struct Buffers {
        std::unique_ptr<Chunk> chunk{new Chunk};
        std::unique_ptr<Tile> tile{new Tile};
        Floats u, rows, lanes, carry, rate;
        explicit Buffers(const Sizes& z)
            : u(CHUNK * GROUP), rows(CHUNK * 2 * z.states), lanes(lanes_floats(z.states)),
              carry(z.group_states()), rate(z.group_states()) {}
    };

    const EpigxScan& p;
    const Sizes z;
    Floats rate, skip;

    template <class U>
    Steps<U> rows_of(U* tensor, int64_t b, int64_t width, int64_t offset) const {
        return {tensor + b * z.length * width + offset, width, z.length, p.reverse != 0};
    }

    float* kept(int64_t b, int64_t first, int g) const {
        return p.states + ((b * z.chunks + first / CHUNK) * z.groups + g) * z.group_states();
    }

    // B and C of a chunk, zero-padded to whole tiles.
    StateInput state_input(int64_t b, int64_t first, int steps, float* rows) const {
        const Steps<const float> B = rows_of(p.B, b, z.state, 0), C = rows_of(p.C, b, z.state, 0);
        for (int t = 0; t < steps; ++t) {
            std::copy_n(B[first + t], z.state, rows + t * 2 * z.states);
            std::copy_n(C[first + t], z.state, rows + t * 2 * z.states + z.states);
        }
        return {rows, rows + z.states, 2 * z.states};
    }

    // Loads step, u and their product; y starts as the skip connection.
    void load_chunk(int64_t b, int64_t first, int steps, int g, float* step, float* u, float* x, float* y) const {
        const Steps<const float> from = rows_of(p.delta, b, z.channels, g * GROUP);
        const Steps<const T> input = rows_of(static_cast<const T*>(p.u), b, z.channels, g * GROUP);
        for (int t = 0; t < steps; ++t)
            for (int v = 0; v < GROUP; v += W) {
                const int i = t * GROUP + v;
                at(step + i) = load_channels(from[first + t], v, z.width(g));
                at(u + i) = load_channels(input[first + t], v, z.width(g));
                at(x + i) = at(step + i) * at(u + i);
                at(y + i) = at(skip.get() + g * GROUP + v) * at(u + i);
            }
    }

    void forward(int64_t b, int g) const {
        const Floats state(z.group_states()), rows(CHUNK * 2 * z.states);
        alignas(64) float step[CHUNK * GROUP], u[CHUNK * GROUP], x[CHUNK * GROUP], y[CHUNK * GROUP];
        const Steps<T> to = rows_of(static_cast<T*>(p.y), b, z.channels, g * GROUP);
        for (int64_t first = 0; first < z.length; first += CHUNK) {
            const int steps = std::min<int64_t>(CHUNK, z.length - first);
            if (p.states) std::copy_n(state.get(), z.group_states(), kept(b, first, g));
            load_chunk(b, first, steps, g, step, u, x, y);
            scan_forward(z.states, steps, step, x, rate.get() + g * z.group_states(),
                         state_input(b, first, steps, rows.get()), state.get(), y);
            for (int t = 0; t < steps; ++t)
                for (int v = 0; v < z.width(g); v += W) store_channels(to[first + t], v, z.width(g), at(y + t * GROUP + v));
        }
    }

    void backward(int64_t b, int g, const Sums& sums) const {
        Buffers m(z);
        const Steps<const T> dy = rows_of(static_cast<const T*>(p.dy), b, z.channels, g * GROUP);
        for (int64_t first = (z.length - 1) / CHUNK * CHUNK; first >= 0; first -= CHUNK) {
            const int steps = std::min<int64_t>(CHUNK, z.length - first);
            load_chunk(b, first, steps, g, m.chunk->step, m.u.get(), m.chunk->input, m.chunk->y);
            for (int t = 0; t < steps; ++t)
                for (int v = 0; v < GROUP; v += W)
                    at(m.chunk->dy + t * GROUP + v) = load_channels(dy[first + t], v, z.width(g));
            std::fill_n(m.chunk->d_input, steps * GROUP, 0.0f);
            std::fill_n(m.chunk->d_exponent, steps * GROUP, 0.0f);
            // Summing each chunk separately keeps sums over long windows accurate.
            std::fill_n(m.rate.get(), z.group_states(), 0.0f);
            const ScanBackward s{rate.get() + g * z.group_states(), state_input(b, first, steps, m.rows.get()),
                                 kept(b, first, g), m.carry.get(), m.rate.get(), m.lanes.get()};
            scan_backward(z.states, steps, s, *m.chunk, *m.tile);
            for (int64_t i = 0; i < z.group_states(); i += W) at(sums.rate + i) += at(m.rate.get() + i);
            store_gradients(m, b, first, steps, g, sums);
        }
    }

    void store_gradients(const Buffers& m, int64_t b, int64_t first, int steps, int g, const Sums& sums) const {
        const Chunk& c = *m.chunk;
        const Steps<T> du = rows_of(static_cast<T*>(p.du), b, z.channels, g * GROUP);
        const Steps<float> d_delta = rows_of(p.d_delta, b, z.channels, g * GROUP);
        const int width = z.width(g);
        for (int v = 0; v < width; v += W) {
            V d_skip{};
            for (int t = 0; t < steps; ++t) {
                const int i = t * GROUP + v;
                const V u = at(m.u.get() + i), dx = at(c.d_input + i);
                d_skip += at(c.dy + i) * u;
                store_channels(du[first + t], v, width,
                               dx * at(c.step + i) + at(skip.get() + g * GROUP + v) * at(c.dy + i));
                store_channels(d_delta[first + t], v, width, dx * u + at(c.d_exponent + i) * LN2);
            }
            at(sums.skip + v) += d_skip;
        }
        const Steps<float> rows(sums.rows, 2 * z.states, z.length, p.reverse != 0);
        for (int t = 0; t < steps; ++t)
            for (int n = 0; n < 2 * z.states; n += W) {
                const V sum = from_lanes(m.lanes.get(), t, n);
                std::memcpy(rows[first + t] + n, &sum, std::min(W, 2 * z.states - n) * sizeof(float));
            }
    }

    // Adds the shares of the groups to the gradients of B and C, in a fixed order.
    void collect_rows(int64_t b, const float* parts) const {
        const int64_t part = z.length * 2 * z.states;
        for (int64_t t = 0; t < z.length; ++t)
            for (int n = 0; n < z.state; ++n) {
                const float* row = parts + t * 2 * z.states + n;
                p.dB[(b * z.length + t) * z.state + n] = add_rows(row, z.groups, part);
                p.dC[(b * z.length + t) * z.state + n] = add_rows(row + z.states, z.groups, part);
            }
    }
};

}  // namespace

// The causal depthwise convolution as a stand-alone operator; a task is one group of channels of one sequence.
#pragma once
#include "parallel.hpp"

namespace {

template <class T>
class SingleConv {
  public:
    explicit SingleConv(const EpigxConv& arguments)
        : p(arguments), z({p.batch, p.length, p.channels, 1, p.taps, 0, 1, 0, 0}), weight(int64_t(z.groups) * z.taps * GROUP),
          bias(z.groups * GROUP) {
        for (int d = 0; d < z.channels; ++d) {
            bias.get()[d] = p.bias[d];
            for (int k = 0; k < z.taps; ++k)
                weight.get()[(d / GROUP * z.taps + k) * GROUP + d % GROUP] = p.weight[d * z.taps + k];
        }
    }

    void forward() const {
        each(z.batch * z.groups, p.threads, [&](int64_t i) { forward(i / z.groups, i % z.groups); });
    }

    void backward() const {
        const int64_t part = (z.taps + 1) * GROUP;  // the taps, then the bias
        const Floats sums(z.batch * z.groups * part);
        each(z.batch * z.groups, p.threads,
             [&](int64_t i) { backward(i / z.groups, i % z.groups, sums.get() + i * part); });
        for (int d = 0; d < z.channels; ++d) {
            const float* own = sums.get() + d / GROUP * part + d % GROUP;
            for (int k = 0; k < z.taps; ++k)
                p.d_weight[d * z.taps + k] = add_rows(own + k * GROUP, z.batch, z.groups * part);
            p.d_bias[d] = add_rows(own + z.taps * GROUP, z.batch, z.groups * part);
        }
    }

  private:
    const EpigxConv& p;
    const Sizes z;
    Floats weight, bias;

    template <class U>
    Steps<U> rows_of(U* tensor, int64_t b, int g) const {
        return {tensor + b * z.length * z.channels + g * GROUP, z.channels, z.length, p.reverse != 0};
    }

    const float* taps_of(int g) const { return weight.get() + int64_t(g) * z.taps * GROUP; }

    void forward(int64_t b, int g) const {
        const Steps<T> to = rows_of(static_cast<T*>(p.y), b, g);
        for (int64_t first = 0; first < z.length; first += CHUNK)
            convolve_rows(rows_of(static_cast<const T*>(p.x), b, g), first, std::min<int64_t>(CHUNK, z.length - first),
                          z.width(g), taps_of(g), bias.get() + g * GROUP, z.taps,
                          [&](int t, int v, V y) { store_channels(to[first + t], v, z.width(g), y); });
    }

    void backward(int64_t b, int g, float* sums) const {
        const int halo = z.taps - 1;
        const Floats x(int64_t(CHUNK + halo) * GROUP), dy(int64_t(CHUNK + halo) * GROUP);
        const Steps<const T> from = rows_of(static_cast<const T*>(p.dy), b, g);
        const Steps<T> to = rows_of(static_cast<T*>(p.dx), b, g);
        for (int64_t first = 0; first < z.length; first += CHUNK) {
            const int steps = std::min<int64_t>(CHUNK, z.length - first);
            const int inside = std::min<int64_t>(steps + halo, z.length - first);
            load_rows(rows_of(static_cast<const T*>(p.x), b, g), first - halo, steps + halo, z.width(g), x.get());
            load_rows(from, first, inside, z.width(g), dy.get());
            std::fill_n(dy.get() + inside * GROUP, (steps + halo - inside) * GROUP, 0.0f);
            for (int v = 0; v < z.width(g); v += W) {
                for (int t = 0; t < steps; ++t) {
                    V grad{};
                    for (int k = 0; k < z.taps; ++k)
                        grad += at(taps_of(g) + k * GROUP + v) * at(dy.get() + (t + halo - k) * GROUP + v);
                    store_channels(to[first + t], v, z.width(g), grad);
                }
                for (int k = 0; k <= z.taps; ++k) add_tap(k, steps, x.get() + v, dy.get() + v, sums + v);
            }
        }
    }

    void add_tap(int k, int steps, const float* x, const float* dy, float* sums) const {
        V sum{};
        for (int t = 0; t < steps; ++t)
            sum += k < z.taps ? at(dy + t * GROUP) * at(x + (t + k) * GROUP) : at(dy + t * GROUP);
        at(sums + k * GROUP) += sum;
    }
};

}  // namespace

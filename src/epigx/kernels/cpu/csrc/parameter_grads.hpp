// Gradients of the parameters: summed by each unit, then over units.
#pragma once
#include "block.hpp"

namespace {

// Gradients of one direction as summed by one unit, in the layout of Packed.
struct ParameterGrads {
    Floats conv_weight, conv_bias, dt_weight, dt_bias, rate, skip, x_rows;
    explicit ParameterGrads(const Sizes& z)
        : conv_weight(int64_t(z.groups) * z.taps * GROUP), conv_bias(z.groups * GROUP),
          dt_weight(int64_t(z.groups) * z.rank * GROUP), dt_bias(z.groups * GROUP), rate(z.all_states()),
          skip(z.groups * GROUP), x_rows(int64_t(z.groups) * z.row * GROUP) {}
};

// Adds the gradients of the units in a fixed order, whatever thread computed them, and writes them in the user's layout.
static void add_up(const Sizes& z, const EpigxDirection& p, const std::vector<const ParameterGrads*>& parts, EpigxGradient& out) {
    const auto total = [&](Floats ParameterGrads::*field, int64_t i) {
        float sum = 0;
        for (const ParameterGrads* part : parts) sum += (part->*field).get()[i];
        return sum;
    };
    for (int c = 0; c < z.channels; ++c) {
        const int64_t g = c / GROUP, i = c % GROUP;
        for (int k = 0; k < z.taps; ++k)
            out.conv_weight[c * z.taps + k] = total(&ParameterGrads::conv_weight, (g * z.taps + k) * GROUP + i);
        out.conv_bias[c] = total(&ParameterGrads::conv_bias, c);
        for (int r = 0; r < z.rank; ++r)
            out.dt_weight[c * z.rank + r] = total(&ParameterGrads::dt_weight, (g * z.rank + r) * GROUP + i);
        out.dt_bias[c] = total(&ParameterGrads::dt_bias, c);
        for (int n = 0; n < z.state; ++n)
            out.A_log[c * z.state + n] =
                total(&ParameterGrads::rate, (g * z.states + n) * GROUP + i) * -std::exp(p.A_log[c * z.state + n]);
        out.D[c] = total(&ParameterGrads::skip, c);
        for (int q = 0; q < z.used; ++q)
            if (const int row = z.source(q); row >= 0)
                out.x_proj[int64_t(row) * z.channels + c] = total(&ParameterGrads::x_rows, (g * z.row + q) * GROUP + i);
    }
}

}  // namespace

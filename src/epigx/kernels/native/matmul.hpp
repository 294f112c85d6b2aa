// Products of very many rows with the weights of a layer, forward and back, and the gradient of those weights.
//
// A library's products do best on square matrices. These have 128 to 512 columns and tens of thousands of rows, where
// libraries reach a half of that and more, and round a row by how many there are beside it. Here an element is one
// chain of multiply-adds in the order of the columns (of the rows, in parts, for a gradient), on any number of threads.
#pragma once
#include "standalone.hpp"

namespace {

// A tile of the result stays in registers: LINEAR_ROWS rows of LINEAR_VECTORS vectors.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int LINEAR_VECTORS = 4;  // 32 registers
#else
constexpr int LINEAR_VECTORS = 2;  // 16
#endif
constexpr int LINEAR_ROWS = 6;
constexpr int PANEL = LINEAR_VECTORS * W;  // columns of a tile
// Rows whose factors stay in the second-level cache while all panels pass by; and those of a sum over rows.
constexpr int ROWS_AT_A_TIME = 16 * LINEAR_ROWS;
constexpr int ROWS_OF_A_SUM = 192;

// sum[i][v] = start[v] + Σ_k a[i * row + k * column] b[k][v].
template <int ROWS>
INLINE void linear_tile(V (&sum)[ROWS][LINEAR_VECTORS], const float* start, const float* a, int64_t row, int64_t column,
                        const float* b, int depth) {
    for (int i = 0; i < ROWS; ++i)
        for (int v = 0; v < LINEAR_VECTORS; ++v) sum[i][v] = start ? at(start + v * W) : V{};
    for (int k = 0; k < depth; ++k) {
        V part[LINEAR_VECTORS];
        for (int v = 0; v < LINEAR_VECTORS; ++v) part[v] = at(b + k * PANEL + v * W);
#pragma GCC unroll 6
        for (int i = 0; i < ROWS; ++i) {
            const float factor = a[i * row + k * column];
#pragma GCC unroll 4
            for (int v = 0; v < LINEAR_VECTORS; ++v) sum[i][v] += factor * part[v];
        }
    }
}

// Writes the columns of a tile that there are.
template <bool ADD, int ROWS>
INLINE void store_tile(const V (&sum)[ROWS][LINEAR_VECTORS], float* to, int64_t row, int columns) {
    for (int i = 0; i < ROWS; ++i)
        for (int v = 0; v < LINEAR_VECTORS; ++v) {
            float* first = to + i * row;
            store_channels(first, v * W, columns,
                           ADD ? load_channels<float>(first, v * W, columns) + sum[i][v] : sum[i][v]);
        }
}

// y = x Wᵀ + bias, or dx = dy W: weights in panels of columns of the result, each in one piece.
class Linear {
  public:
    explicit Linear(const EpigxLinear& problem)
        : p(problem), panels((p.out + PANEL - 1) / PANEL), weight(int64_t(panels) * p.in * PANEL),
          bias(p.bias ? panels * PANEL : 0) {
        for (int c = 0; c < p.out; ++c) {
            float* column = weight.get() + int64_t(c / PANEL) * p.in * PANEL + c % PANEL;
            for (int k = 0; k < p.in; ++k)
                column[int64_t(k) * PANEL] = p.back ? p.weight[int64_t(k) * p.out + c] : p.weight[int64_t(c) * p.in + k];
            if (p.bias) bias.get()[c] = p.bias[c];
        }
    }

    void run() const {
        each((p.rows + ROWS_AT_A_TIME - 1) / ROWS_AT_A_TIME, p.threads, [&](int64_t task) {
            const int64_t first = task * ROWS_AT_A_TIME, end = std::min(first + ROWS_AT_A_TIME, p.rows);
            for (int panel = 0; panel < panels; ++panel) {
                int64_t i = first;
                for (; i + LINEAR_ROWS <= end; i += LINEAR_ROWS) tile<LINEAR_ROWS>(i, panel);
                for (; i < end; ++i) tile<1>(i, panel);
            }
        });
    }

  private:
    const EpigxLinear& p;
    const int panels;
    Floats weight, bias;

    template <int ROWS>
    void tile(int64_t row, int panel) const {
        V sum[ROWS][LINEAR_VECTORS];
        linear_tile<ROWS>(sum, p.bias ? bias.get() + panel * PANEL : nullptr, p.x + row * p.in, p.in, 1,
                          weight.get() + int64_t(panel) * p.in * PANEL, p.in);
        store_tile<false>(sum, p.y + row * p.out + panel * PANEL, p.out, p.out - panel * PANEL);
    }
};

// sum = aᵀ b over all rows; the columns of b in panels. Threads share the columns of a and of b, and never the rows.
static void linear_gradient(const EpigxLinearGradient& p) {
    const int panels = (p.right + PANEL - 1) / PANEL;
    const int64_t across = std::min<int64_t>(panels, p.threads), down = (p.threads + across - 1) / across;
    std::fill_n(p.sum, int64_t(p.left) * p.right, 0.0f);
    each(across * down, p.threads, [&](int64_t task) {
        const int64_t column = task % across, strip = task / across;
        const int to_panel = (column + 1) * panels / across;
        const int first = strip * p.left / down, end = (strip + 1) * p.left / down;
        const Floats b(ROWS_OF_A_SUM * PANEL);
        for (int64_t row = 0; row < p.rows; row += ROWS_OF_A_SUM) {
            const int rows = std::min<int64_t>(ROWS_OF_A_SUM, p.rows - row);
            const float* a = p.a + row * p.left;
            for (int panel = column * panels / across; panel < to_panel; ++panel) {
                const int columns = p.right - panel * PANEL;
                for (int k = 0; k < rows; ++k)
                    for (int v = 0; v < PANEL; v += W)
                        at(b.get() + k * PANEL + v) =
                            load_channels<float>(p.b + (row + k) * p.right + panel * PANEL, v, columns);
                const auto tile = [&](auto take, int i) {
                    V sum[decltype(take)::value][LINEAR_VECTORS];
                    linear_tile<decltype(take)::value>(sum, nullptr, a + i, 1, p.left, b.get(), rows);
                    store_tile<true>(sum, p.sum + int64_t(i) * p.right + panel * PANEL, p.right, columns);
                };
                int i = first;
                for (; i + LINEAR_ROWS <= end; i += LINEAR_ROWS) tile(std::integral_constant<int, LINEAR_ROWS>(), i);
                for (; i < end; ++i) tile(std::integral_constant<int, 1>(), i);
            }
        }
    });
}

}  // namespace

// Matrix products of very many rows with the weights of a layer, forward and backward, and the gradient of the weights.
//
// BLAS libraries are optimised for square matrices. Here, matrices have 128 to 512 columns and tens of thousands of rows,
// for which libraries are slower, and their rounding of a row depends on the number of rows. In this file, each element
// is one chain of multiply-adds in the order of the columns (for gradients: of blocks of rows), for any number of threads.
#pragma once
#include "parallel.hpp"

namespace {

// A tile of the result, LINEAR_ROWS rows of LINEAR_VECTORS vectors, stays in registers.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int LINEAR_VECTORS = 4;  // 32 registers
#else
constexpr int LINEAR_VECTORS = 2;  // 16
#endif
constexpr int LINEAR_ROWS = 6;
constexpr int PANEL = LINEAR_VECTORS * W;  // columns of a tile
// Rows that stay in the second-level cache while all panels are processed; and rows per partial sum.
constexpr int ROWS_AT_A_TIME = 16 * LINEAR_ROWS;
constexpr int ROWS_OF_A_SUM = 96;

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

// Prefetches the rows that will be read next, in equal parts between tiles. Without it, copying rows from memory takes a
// tenth of the time.
class RowPrefetch {
  public:
    // `width` floats of each of `rows` rows; nothing if there are no rows.
    RowPrefetch(const float* first, int64_t row, int64_t width, int64_t rows, int64_t parts)
        : next(reinterpret_cast<uintptr_t>(first)), lines((width * int64_t(sizeof(float)) + LINE - 1) / LINE),
          gap(row * int64_t(sizeof(float)) - lines * LINE), left(std::max<int64_t>(rows, 0) * lines),
          part(left / std::max<int64_t>(parts, 1) + 1) {}

    void call() {
        for (int64_t count = std::min(part, left); count > 0; --count, --left) {
            __builtin_prefetch(reinterpret_cast<const void*>(next), 0, 2);
            next += LINE;
            if (++line == lines) line = 0, next += gap;
        }
    }

  private:
    static constexpr int64_t LINE = 64;
    uintptr_t next;  // may lie outside the tensor: a prefetch reads nothing
    const int64_t lines, gap;
    int64_t left, line = 0;
    const int64_t part;
};

// Writes the rows and columns of a tile that lie inside the result.
template <bool ADD, int ROWS>
INLINE void store_tile(const V (&sum)[ROWS][LINEAR_VECTORS], float* to, int64_t row, int rows, int columns) {
    for (int i = 0; i < ROWS; ++i) {
        if (i >= rows) break;
        for (int v = 0; v < LINEAR_VECTORS; ++v) {
            float* first = to + i * row;
            store_channels(first, v * W, columns,
                           ADD ? load_channels<float>(first, v * W, columns) + sum[i][v] : sum[i][v]);
        }
    }
}

// y = x Wᵀ + bias, or dx = dy W. Weights are copied into contiguous panels of columns of the result.
class Linear {
  public:
    explicit Linear(const EpigxLinear& arguments)
        : p(arguments), panels((p.out + PANEL - 1) / PANEL), weight(int64_t(panels) * p.in * PANEL),
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
            const int64_t next = first + p.threads * ROWS_AT_A_TIME;  // what this thread is likely to take then
            RowPrefetch next_rows(p.x + next * p.in, p.in, p.in, std::min<int64_t>(ROWS_AT_A_TIME, p.rows - next),
                      panels * int64_t(ROWS_AT_A_TIME / LINEAR_ROWS));
            for (int panel = 0; panel < panels; ++panel) {
                int64_t i = first;
                for (; i + LINEAR_ROWS <= end; i += LINEAR_ROWS) {
                    next_rows.call();
                    tile<LINEAR_ROWS>(i, panel);
                }
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
        store_tile<false>(sum, p.y + row * p.out + panel * PANEL, p.out, ROWS, p.out - panel * PANEL);
    }
};

// A task of sum = aᵀ b: a range of columns of a and of panels of b, over all rows.
class GradientTask {
  public:
    GradientTask(const EpigxLinearGradient& arguments, int first, int end, int first_panel, int end_panel)
        : p(arguments), first(first), left(end - first), tiles((left + LINEAR_ROWS - 1) / LINEAR_ROWS),
          first_panel(first_panel), panels(end_panel - first_panel), a(tiles * TILE_FLOATS),
          b(panels * PANEL_FLOATS) {}

    void run() const {
        if (!left) return;  // more threads than columns
        for (int64_t row = 0; row < p.rows; row += ROWS_OF_A_SUM) {
            const int rows = std::min<int64_t>(ROWS_OF_A_SUM, p.rows - row);
            for (int k = 0; k < rows; ++k) pack(row + k, k);
            const int64_t next = row + rows, later = std::min<int64_t>(ROWS_OF_A_SUM, p.rows - next);
            RowPrefetch next_a(p.a + next * p.left + first, p.left, left, later, int64_t(tiles) * panels),
                next_b(p.b + next * p.right + first_panel * PANEL, p.right,
                       std::min(panels * PANEL, p.right - first_panel * PANEL), later, int64_t(tiles) * panels);
            for (int panel = 0; panel < panels; ++panel)
                for (int i = 0; i < tiles; ++i) {
                    next_a.call(), next_b.call();
                    tile(i, panel, rows);
                }
        }
    }

  private:
    static constexpr int64_t TILE_FLOATS = ROWS_OF_A_SUM * LINEAR_ROWS, PANEL_FLOATS = ROWS_OF_A_SUM * PANEL;
    const EpigxLinearGradient& p;
    const int first, left, tiles, first_panel, panels;
    const Floats a, b;  // in reading order of the tiles: (tile, row, column), (panel, row, column)

    void pack(int64_t row, int k) const {
        const float *from_a = p.a + row * p.left + first, *from_b = p.b + row * p.right;
        float* to = a.get() + k * LINEAR_ROWS;
        int i = 0;
        for (; i + LINEAR_ROWS <= left; i += LINEAR_ROWS, to += TILE_FLOATS)
            std::memcpy(to, from_a + i, LINEAR_ROWS * sizeof(float));
        std::copy_n(from_a + i, left - i, to);
        for (int panel = 0; panel < panels; ++panel)
            for (int v = 0; v < PANEL; v += W)
                at(b.get() + panel * PANEL_FLOATS + k * PANEL + v) =
                    load_channels<float>(from_b, (first_panel + panel) * PANEL + v, p.right);
    }

    void tile(int i, int panel, int rows) const {
        V sum[LINEAR_ROWS][LINEAR_VECTORS];
        linear_tile<LINEAR_ROWS>(sum, nullptr, a.get() + i * TILE_FLOATS, 1, LINEAR_ROWS, b.get() + panel * PANEL_FLOATS,
                                 rows);
        const int column = (first_panel + panel) * PANEL;
        store_tile<true>(sum, p.sum + int64_t(first + i * LINEAR_ROWS) * p.right + column, p.right,
                         left - i * LINEAR_ROWS, p.right - column);
    }
};

// sum = aᵀ b over all rows. Threads divide the columns of a and b, never the rows.
static void linear_gradient(const EpigxLinearGradient& p) {
    const int panels = (p.right + PANEL - 1) / PANEL;
    const int64_t across = std::min<int64_t>(panels, p.threads), down = (p.threads + across - 1) / across;
    std::fill_n(p.sum, int64_t(p.left) * p.right, 0.0f);
    each(across * down, p.threads, [&](int64_t task) {
        const int64_t column = task % across, strip = task / across;
        GradientTask(p, strip * p.left / down, (strip + 1) * p.left / down, column * panels / across,
                     (column + 1) * panels / across)
            .run();
    });
}

}  // namespace

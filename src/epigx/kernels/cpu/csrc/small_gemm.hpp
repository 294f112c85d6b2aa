// Small dense matrix products C = S + A B, vectorised over the columns of B, C and S.
#pragma once
#include <type_traits>

#include "simd.hpp"

namespace {

// A matrix whose elements are read one at a time: element (i, k) is data[i * row + k * column].
struct Strided {
    const float* data;
    int64_t row, column;
};

// S: C itself, or one row that is used for all rows (`row` is 0).
struct Start {
    const float* data;
    int64_t row;
};

template <int ROWS, int VECTORS>
INLINE void gemm_tile(float* C, int64_t c_row, Start S, Strided A, const float* B, int64_t b_row, int depth) {
    V sum[ROWS][VECTORS];
    for (int i = 0; i < ROWS; ++i)
        for (int v = 0; v < VECTORS; ++v) sum[i][v] = at(S.data + i * S.row + v * W);
    for (int k = 0; k < depth; ++k) {
        V b[VECTORS];
        for (int v = 0; v < VECTORS; ++v) b[v] = at(B + k * b_row + v * W);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; ++i) {
            const float a = A.data[i * A.row + k * A.column];
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; ++v) sum[i][v] += a * b[v];
        }
    }
    for (int i = 0; i < ROWS; ++i)
        for (int v = 0; v < VECTORS; ++v) at(C + i * c_row + v * W) = sum[i][v];
}

template <int VECTORS>
static void gemm_columns(
    float* C, int64_t c_row, Start S, Strided A, const float* B, int64_t b_row, int rows, int depth) {
    int i = 0;
    const auto tile = [&](auto take) {
        gemm_tile<decltype(take)::value, VECTORS>(C + i * c_row, c_row, {S.data + i * S.row, S.row},
                                                     {A.data + i * A.row, A.row, A.column}, B, b_row, depth);
    };
    if (VECTORS == 1)
        for (; i + 8 <= rows; i += 8) tile(std::integral_constant<int, 8>());
    for (; i + 4 <= rows; i += 4) tile(std::integral_constant<int, 4>());
    for (; i < rows; ++i) tile(std::integral_constant<int, 1>());
}

// C (rows, columns) = S + A (rows, depth) B (depth, columns); columns is a multiple of W; B, C and S are aligned.
static void gemm(
    float* C, int64_t c_row, Start S, Strided A, const float* B, int64_t b_row, int rows, int columns, int depth) {
    constexpr int MOST = W == 16 ? 4 : 2;  // as many as the registers hold
    int j = 0;
    for (; j + MOST * W <= columns; j += MOST * W) gemm_columns<MOST>(C + j, c_row, {S.data + j, S.row}, A, B + j, b_row, rows, depth);
    if (columns - j == 3 * W && MOST > 3)
        gemm_columns<3>(C + j, c_row, {S.data + j, S.row}, A, B + j, b_row, rows, depth);
    else
        for (; j < columns; j += W) gemm_columns<1>(C + j, c_row, {S.data + j, S.row}, A, B + j, b_row, rows, depth);
}

// C += A B.
static void add_gemm(
    float* C, int64_t c_row, Strided A, const float* B, int64_t b_row, int rows, int columns, int depth) {
    gemm(C, c_row, {C, c_row}, A, B, b_row, rows, columns, depth);
}

}  // namespace

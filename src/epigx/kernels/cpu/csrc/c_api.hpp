// The C interface that Python calls through ctypes. Keep it in step with the structures in library.py.
#pragma once
#include <cstdint>

struct EpigxShape {
    int64_t batch, length;
    int32_t channels, state, taps, rank;
    int32_t directions;  // 1 or 2; the second one runs from the window's end
    int32_t bfloat16;    // whether xz, the output and their gradients are bfloat16; everything else is float32
    int32_t threads;
};

// Parameters of one direction, C-contiguous float32, with the shapes of params.py.
struct EpigxDirection {
    const float *conv_weight, *conv_bias, *x_proj, *dt_weight, *dt_bias, *A_log, *D;
};

struct EpigxGradient {
    float *conv_weight, *conv_bias, *x_proj, *dt_weight, *dt_bias, *A_log, *D;
};

// Number of floats that the forward pass keeps for the backward pass.
struct EpigxKept {
    int64_t projected;  // step, B and C of every base
    int64_t states;     // the states at the start of every chunk
};

// The stand-alone operators. Each has one structure for its forward and backward pass; pointers that a pass does not use
// are null. Tensors are C-contiguous. `bfloat16` tells whether void pointers point to bfloat16 or to float32.

// Mirrored in scan.py, with the shapes of ops.py.
struct EpigxScan {
    int64_t batch, length;
    int32_t channels, state, reverse, bfloat16, threads;
    const void* u;
    const float *delta, *A, *B, *C, *D;
    void* y;
    float* states;  // at the start of every chunk, kept for the backward pass
    const void* dy;
    void* du;
    float *d_delta, *dA, *dB, *dC, *dD;
};

// Mirrored in conv.py.
struct EpigxConv {
    int64_t batch, length;
    int32_t channels, taps, reverse, bfloat16, threads;
    const void* x;
    const float *weight, *bias;
    void* y;
    const void* dy;
    void* dx;
    float *d_weight, *d_bias;
};

// Mirrored in norm.py.
struct EpigxNorm {
    int64_t rows;
    int32_t width, bfloat16, residual_bfloat16, threads;
    float eps;
    const void *x, *residual;
    const float* weight;
    float* sum;  // null if there is no residual
    void* normed;
    const float* d_sum;    // null if the sum has no gradient
    const void* d_normed;
    void *dx, *d_residual;  // d_residual: null if it equals dx
    float* d_weight;
};

// Mirrored in matmul.py. y (rows, out) = x (rows, in) Wᵀ + bias; `back`: y = x W, with W (in, out).
struct EpigxLinear {
    int64_t rows;
    int32_t in, out, back, threads;
    const float *x, *weight, *bias;  // bias may be null
    float* y;
};

// sum (left, right) = aᵀ b, with a (rows, left) and b (rows, right).
struct EpigxLinearGradient {
    int64_t rows;
    int32_t left, right, threads;
    const float *a, *b;
    float* sum;
};

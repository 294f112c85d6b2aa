// The plain C interface: what Python passes through ctypes. Mirrored by the structures of library.py.
#pragma once
#include <cstdint>

struct EpigxShape {
    int64_t batch, length;
    int32_t channels, state, taps, rank;
    int32_t directions;  // 1 or 2; the second one runs from the window's end
    int32_t bfloat16;    // whether xz, the output and their gradients are bfloat16; everything else is float32
    int32_t threads;
};

// The parameters of one direction, C-contiguous float32, shapes as in direction.py.
struct EpigxDirection {
    const float *conv_weight, *conv_bias, *x_proj, *dt_weight, *dt_bias, *A_log, *D;
};

struct EpigxGradient {
    float *conv_weight, *conv_bias, *x_proj, *dt_weight, *dt_bias, *A_log, *D;
};

// How many floats the forward pass keeps for the backward pass.
struct EpigxKept {
    int64_t projected;  // step, B and C of every base
    int64_t states;     // the states at the start of every chunk
};

// The stand-alone operators: one structure for a pass forward and back, in which what the pass has no use for is null.
// Tensors are C-contiguous; `bfloat16` says of those given as void pointers whether they are bfloat16 or float32.

// Mirrored by scan.py; shapes as in interface.py.
struct EpigxScan {
    int64_t batch, length;
    int32_t channels, state, reverse, bfloat16, threads;
    const void* u;
    const float *delta, *A, *B, *C, *D;
    void* y;
    float* states;  // at the start of every chunk, kept for the pass back
    const void* dy;
    void* du;
    float *d_delta, *dA, *dB, *dC, *dD;
};

// Mirrored by conv.py.
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

// Mirrored by norm.py.
struct EpigxNorm {
    int64_t rows;
    int32_t width, bfloat16, residual_bfloat16, threads;
    float eps;
    const void *x, *residual;
    const float* weight;
    float* sum;  // null where there is nothing to add
    void* normed;
    const float* d_sum;    // null where the sum goes no further
    const void* d_normed;
    void *dx, *d_residual;  // d_residual: null where it is dx
    float* d_weight;
};

// Mirrored by matmul.py. y (rows, out) = x (rows, in) Wᵀ + bias; `back`: y = x W, with W (in, out).
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

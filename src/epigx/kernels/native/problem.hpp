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

// Vectors of W floats and functions on them, in compiler vector extensions, so one source works for all instruction sets.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

namespace {

#if defined(__AVX512F__)
constexpr int W = 16;
#elif defined(__AVX2__)
constexpr int W = 8;
#else
constexpr int W = 4;
#endif

typedef float V __attribute__((vector_size(W * sizeof(float)), may_alias));
typedef int32_t VI __attribute__((vector_size(W * sizeof(float)), may_alias));
typedef uint32_t VU __attribute__((vector_size(W * sizeof(float)), may_alias));
typedef uint16_t VH __attribute__((vector_size(W * sizeof(uint16_t)), may_alias));

INLINE V fill(float x) { return x - V{}; }
// For our own buffers, which are aligned; the user's tensors may not be.
INLINE V& at(float* p) { return *reinterpret_cast<V*>(p); }
INLINE const V& at(const float* p) { return *reinterpret_cast<const V*>(p); }

struct bfloat16 {
    uint16_t bits;
};

INLINE V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
INLINE V load(const bfloat16* p) {
    VH v;
    std::memcpy(&v, p, sizeof v);
    return (V)(__builtin_convertvector(v, VU) << 16);
}
INLINE void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
INLINE void store(bfloat16* p, V v) {
    const VU bits = (VU)v;
    const VU rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // to nearest, ties to even
    const VU nan = (VU)(v != v);
    const VH half = __builtin_convertvector((rounded & ~nan) | (0x7fc0 & nan), VH);
    std::memcpy(p, &half, sizeof half);
}

INLINE V inverse(V x) {
#if defined(__AVX512F__)
    // 14 bits and one Newton step: x is never 0 or infinite here.
    const V r = (V)_mm512_rcp14_ps((__m512)x);
    return r + r * (1.0f - x * r);
#else
    return 1.0f / x;
#endif
}

// Both keep NaN: a comparison with it is false, and x86 then gives the second operand.
#if defined(__AVX512F__)
INLINE V at_most(V x, float limit) { return (V)_mm512_min_ps((__m512)fill(limit), (__m512)x); }
INLINE V at_least(V x, float limit) { return (V)_mm512_max_ps((__m512)fill(limit), (__m512)x); }
#elif defined(__AVX2__)
INLINE V at_most(V x, float limit) { return (V)_mm256_min_ps((__m256)fill(limit), (__m256)x); }
INLINE V at_least(V x, float limit) { return (V)_mm256_max_ps((__m256)fill(limit), (__m256)x); }
#elif defined(__x86_64__)
INLINE V at_most(V x, float limit) { return (V)_mm_min_ps((__m128)fill(limit), (__m128)x); }
INLINE V at_least(V x, float limit) { return (V)_mm_max_ps((__m128)fill(limit), (__m128)x); }
#else
INLINE V at_most(V x, float limit) { return x > limit ? fill(limit) : x; }
INLINE V at_least(V x, float limit) { return x < limit ? fill(limit) : x; }
#endif

constexpr float LOG2E = 1.44269504088896f, LN2 = 0.693147180559945f;
// Upper limit of steps and rates, so that the polynomial below stays finite for any product of them.
constexpr float STEEPEST = 16777216.0f;
// Adding it rounds to the nearest integer, which is then in the low bits.
constexpr float ROUND = 12582912.0f;

// 2^f for |f| ≤ 1/2, exact at 0 (a slow decay must not drift), relative error 9e-8.
INLINE V exp2_fraction(V f) {
    return ((((1.32647273e-3f * f + 9.67151299e-3f) * f + 5.55073359e-2f) * f + 0.240222424f) * f + 0.693147004f) * f +
           1.0f;
}

// 2^(step · rate) for step ≥ 0 ≥ rate.
INLINE V decay(V step, V rate) {
#if defined(__AVX512F__)
    // With z = whole + r, whole the floor: 2^(z - 1/2) = 2^whole · 2^(r - 1/2); one instruction gives r, one the product.
    // The polynomial is exact at z = 1/2 (the half is added because a slow decay must not drift), relative error 9e-8.
    const V z = step * rate + 0.5f, r = (V)_mm512_reduce_ps((__m512)z, _MM_FROUND_TO_NEG_INF);
    const V p = ((((1.326472731e-3f * r + 6.355330814e-3f) * r + 3.948049247e-2f) * r + 0.1698105782f) * r +
                 0.4901338518f) * r + 0.7071067095f;
    return (V)_mm512_scalef_ps((__m512)p, (__m512)z);
#else
    const V z = at_least(step * rate, -126.0f);
    const V shifted = z + ROUND;
    return (V)((VI)exp2_fraction(z - (shifted - ROUND)) + ((VI)shifted << 23));
#endif
}

// e^x for x in [-87, 87]; above, the value at 87; below, at -87 or less; NaN stays.
INLINE V exponential(V x) {
#if defined(__AVX512F__)
    const V y = at_most(x, 87.0f) * LOG2E, r = (V)_mm512_reduce_ps((__m512)y, _MM_FROUND_TO_NEAREST_INT);
    return (V)_mm512_scalef_ps((__m512)exp2_fraction(r), (__m512)(y - r));
#else
    const V z = at_most(at_least(x, -87.0f), 87.0f) * LOG2E;
    const V shifted = z + ROUND;
    return (V)((VI)exp2_fraction(z - (shifted - ROUND)) + ((VI)shifted << 23));
#endif
}

INLINE V sigmoid(V x) { return inverse(1.0f + exponential(-x)); }

struct Softplus {
    V value, slope;
};

// max(x, 0) + log(1 + e^-|x|), the logarithm as 2 atanh(e / (2 + e)), and the derivative.
INLINE Softplus softplus(V x) {
    const V size = x < 0.0f ? -x : x;
    const V e = exponential(-size);
    const V both = inverse((1.0f + e) * (2.0f + e));
    const V s = e * (1.0f + e) * both, q = s * s;
    const V log1p =
        s * ((((0.281784981f * q + 0.279605716f) * q + 0.400249124f) * q + 0.666663170f) * q + 2.0f);
    const V r = (2.0f + e) * both;
    return {(x < 0.0f ? V{} : x) + log1p, x < 0.0f ? e * r : r};
}

// Returns the sum over lanes of each of the W vectors; overwrites them.
INLINE V sum_lanes(V (&v)[W]) {
    VI even{}, odd{};
    for (int i = 0; i < W; ++i) even[i] = 2 * i, odd[i] = 2 * i + 1;
#pragma GCC unroll 4
    for (int n = W / 2; n > 0; n /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < n; ++i) {
#if defined(__clang__)
            V a = v[2 * i], b = v[2 * i + 1], x, y;
            for (int k = 0; k < W; ++k) {
                x[k] = 2 * k < W ? a[2 * k % W] : b[2 * k % W];
                y[k] = 2 * k < W ? a[(2 * k + 1) % W] : b[(2 * k + 1) % W];
            }
            v[i] = x + y;
#else
            v[i] = __builtin_shuffle(v[2 * i], v[2 * i + 1], even) + __builtin_shuffle(v[2 * i], v[2 * i + 1], odd);
#endif
        }
    return v[0];
}

}  // namespace

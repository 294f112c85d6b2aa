// The functions that Python calls; each calls the variant for the instruction set in use.
#include <cstring>

#include "c_api.hpp"

#define VARIANT(isa)                                                                                                  \
    extern "C" void epigx_kept_##isa(const EpigxShape*, EpigxKept*);                                                  \
    extern "C" void epigx_forward_##isa(const EpigxShape*, const void*, const EpigxDirection*, void*, float*, float*); \
    extern "C" void epigx_backward_##isa(const EpigxShape*, const void*, const void*, const EpigxDirection*,          \
                                         const float*, const float*, void*, EpigxGradient*);                          \
    extern "C" void epigx_scan_forward_##isa(const EpigxScan*);                                                       \
    extern "C" void epigx_scan_backward_##isa(const EpigxScan*);                                                      \
    extern "C" void epigx_conv_forward_##isa(const EpigxConv*);                                                       \
    extern "C" void epigx_conv_backward_##isa(const EpigxConv*);                                                      \
    extern "C" void epigx_norm_forward_##isa(const EpigxNorm*);                                                       \
    extern "C" void epigx_norm_backward_##isa(const EpigxNorm*);                                                      \
    extern "C" void epigx_linear_##isa(const EpigxLinear*);                                                           \
    extern "C" void epigx_linear_gradient_##isa(const EpigxLinearGradient*);

#if defined(__x86_64__)
VARIANT(avx512)
VARIANT(avx2)
#endif
VARIANT(baseline)

namespace {

struct Variant {
    const char* name;
    bool present;
    decltype(&epigx_kept_baseline) kept;
    decltype(&epigx_forward_baseline) forward;
    decltype(&epigx_backward_baseline) backward;
    decltype(&epigx_scan_forward_baseline) scan_forward, scan_backward;
    decltype(&epigx_conv_forward_baseline) conv_forward, conv_backward;
    decltype(&epigx_norm_forward_baseline) norm_forward, norm_backward;
    decltype(&epigx_linear_baseline) linear;
    decltype(&epigx_linear_gradient_baseline) linear_gradient;
};

#define ENTRY(isa, present)                                                                                           \
    {#isa, present, epigx_kept_##isa, epigx_forward_##isa, epigx_backward_##isa, epigx_scan_forward_##isa,            \
     epigx_scan_backward_##isa, epigx_conv_forward_##isa, epigx_conv_backward_##isa, epigx_norm_forward_##isa,         \
     epigx_norm_backward_##isa, epigx_linear_##isa, epigx_linear_gradient_##isa}

// Fastest first.
const Variant variants[] = {
#if defined(__x86_64__)
    ENTRY(avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")),
    ENTRY(avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")),
#endif
    ENTRY(baseline, true),
};

const Variant* fastest() {
    const Variant* v = variants;
    while (!v->present) ++v;
    return v;
}

const Variant* in_use = fastest();

}  // namespace

extern "C" {

#define EXPORT __attribute__((visibility("default")))

// Hash of the sources that the library was built from, to detect a stale library.
EXPORT const char* epigx_sources() { return EPIGX_SOURCES; }

EXPORT const char* epigx_instruction_set() { return in_use->name; }

// Switches to another variant; returns false if the CPU does not support it.
EXPORT bool epigx_use(const char* name) {
    for (const Variant& v : variants)
        if (v.present && std::strcmp(v.name, name) == 0) {
            in_use = &v;
            return true;
        }
    return false;
}

EXPORT bool epigx_has_threads() {
#if defined(_OPENMP)
    return true;
#else
    return false;
#endif
}

EXPORT void epigx_kept(const EpigxShape* shape, EpigxKept* kept) { in_use->kept(shape, kept); }

// `projected` and `states` may be null if there is no backward pass.
EXPORT void epigx_forward(const EpigxShape* shape, const void* xz, const EpigxDirection* parameters, void* out,
                          float* projected, float* states) {
    in_use->forward(shape, xz, parameters, out, projected, states);
}

EXPORT void epigx_backward(const EpigxShape* shape, const void* d_out, const void* xz, const EpigxDirection* parameters,
                           const float* projected, const float* states, void* d_xz, EpigxGradient* gradient) {
    in_use->backward(shape, d_out, xz, parameters, projected, states, d_xz, gradient);
}

EXPORT void epigx_scan_forward(const EpigxScan* arguments) { in_use->scan_forward(arguments); }
EXPORT void epigx_scan_backward(const EpigxScan* arguments) { in_use->scan_backward(arguments); }
EXPORT void epigx_conv_forward(const EpigxConv* arguments) { in_use->conv_forward(arguments); }
EXPORT void epigx_conv_backward(const EpigxConv* arguments) { in_use->conv_backward(arguments); }
EXPORT void epigx_norm_forward(const EpigxNorm* arguments) { in_use->norm_forward(arguments); }
EXPORT void epigx_norm_backward(const EpigxNorm* arguments) { in_use->norm_backward(arguments); }
EXPORT void epigx_linear(const EpigxLinear* arguments) { in_use->linear(arguments); }
EXPORT void epigx_linear_gradient(const EpigxLinearGradient* arguments) { in_use->linear_gradient(arguments); }
}

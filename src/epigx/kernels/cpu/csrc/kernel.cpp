// The kernel for one instruction set. It is compiled once per set, with EPIGX_ISA as suffix of all names.
#include "backward.hpp"
#include "forward.hpp"
#include "matmul.hpp"
#include "norm.hpp"
#include "single_conv.hpp"
#include "single_scan.hpp"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

extern "C" void JOIN(epigx_forward_, EPIGX_ISA)(const EpigxShape* shape, const void* xz, const EpigxDirection* p,
                                                void* out, float* projected, float* states) {
    if (shape->bfloat16)
        Forward<bfloat16>(*shape, static_cast<const bfloat16*>(xz), p, static_cast<bfloat16*>(out), projected, states)
            .run();
    else
        Forward<float>(*shape, static_cast<const float*>(xz), p, static_cast<float*>(out), projected, states)
            .run();
}

template <class T>
static void backward(const EpigxShape* shape, const void* d_out, const void* xz, const EpigxDirection* p,
                     const float* projected, const float* states, void* d_xz, EpigxGradient* gradient) {
    Backward<T> pass(*shape, static_cast<const T*>(d_out), static_cast<const T*>(xz), p, projected, states,
                     static_cast<T*>(d_xz));
    pass.run();
    pass.collect(p, gradient);
}

extern "C" void JOIN(epigx_backward_, EPIGX_ISA)(const EpigxShape* shape, const void* d_out, const void* xz,
                                                 const EpigxDirection* p, const float* projected, const float* states,
                                                 void* d_xz, EpigxGradient* gradient) {
    (shape->bfloat16 ? backward<bfloat16> : backward<float>)(shape, d_out, xz, p, projected, states, d_xz, gradient);
}

extern "C" void JOIN(epigx_kept_, EPIGX_ISA)(const EpigxShape* shape, EpigxKept* kept) {
    const Sizes z(*shape);
    kept->projected = z.directions * z.batch * z.length * z.row;
    kept->states = z.directions * z.batch * z.chunks * z.all_states();
}

extern "C" void JOIN(epigx_scan_forward_, EPIGX_ISA)(const EpigxScan* p) {
    p->bfloat16 ? SingleScan<bfloat16>(*p).forward() : SingleScan<float>(*p).forward();
}

extern "C" void JOIN(epigx_scan_backward_, EPIGX_ISA)(const EpigxScan* p) {
    p->bfloat16 ? SingleScan<bfloat16>(*p).backward() : SingleScan<float>(*p).backward();
}

extern "C" void JOIN(epigx_conv_forward_, EPIGX_ISA)(const EpigxConv* p) {
    p->bfloat16 ? SingleConv<bfloat16>(*p).forward() : SingleConv<float>(*p).forward();
}

extern "C" void JOIN(epigx_conv_backward_, EPIGX_ISA)(const EpigxConv* p) {
    p->bfloat16 ? SingleConv<bfloat16>(*p).backward() : SingleConv<float>(*p).backward();
}

template <class Run>
static void with_precisions(const EpigxNorm& p, const Run& run) {
    if (!p.bfloat16)
        p.residual_bfloat16 ? run(AddNorm<float, bfloat16>(p)) : run(AddNorm<float, float>(p));
    else
        p.residual_bfloat16 ? run(AddNorm<bfloat16, bfloat16>(p)) : run(AddNorm<bfloat16, float>(p));
}

extern "C" void JOIN(epigx_norm_forward_, EPIGX_ISA)(const EpigxNorm* p) {
    with_precisions(*p, [](const auto& norm) { norm.forward(); });
}

extern "C" void JOIN(epigx_norm_backward_, EPIGX_ISA)(const EpigxNorm* p) {
    with_precisions(*p, [](const auto& norm) { norm.backward(); });
}

extern "C" void JOIN(epigx_linear_, EPIGX_ISA)(const EpigxLinear* p) { Linear(*p).run(); }

extern "C" void JOIN(epigx_linear_gradient_, EPIGX_ISA)(const EpigxLinearGradient* p) { linear_gradient(*p); }

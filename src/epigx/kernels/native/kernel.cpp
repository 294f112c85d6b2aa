// The kernel for one instruction set: compiled once for each, with EPIGX_ISA as the suffix of its names.
#include "backward.hpp"
#include "forward.hpp"

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

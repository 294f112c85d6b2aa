// Flushes subnormal numbers to zero during its lifetime, on the thread that created it.
//
// Far from the positions that a loss depends on, gradients become subnormal, and arithmetic on them is a hundred times
// slower: a training step on 200 kb windows took five times as long.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

class FlushDenormals {
  public:
    FlushDenormals() : before(get()) { set(before | BITS); }
    ~FlushDenormals() { set(before); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

  private:
#if defined(__x86_64__)
    typedef unsigned State;
    static constexpr State BITS = 0x8040;  // of results, and of operands
    static State get() { return _mm_getcsr(); }
    static void set(State state) { _mm_setcsr(state); }
#elif defined(__aarch64__)
    typedef uint64_t State;
    static constexpr State BITS = uint64_t(1) << 24;
    static State get() {
        State state;
        __asm__ volatile("mrs %0, fpcr" : "=r"(state));
        return state;
    }
    static void set(State state) { __asm__ volatile("msr fpcr, %0" : : "r"(state)); }
#else
    typedef int State;
    static constexpr State BITS = 0;
    static State get() { return 0; }
    static void set(State) {}
#endif
    const State before;
};

}  // namespace

// Adds to the residual stream and normalises the sum, in one pass over the rows; and the backward pass.
//
//   s = x + r,  n = s w / sqrt(mean(s²) + eps);   ds = d_sum + (g - s (g · s) / (width (mean(s²) + eps))) / sqrt(…),  g = w dn
#pragma once
#include "parallel.hpp"

namespace {

constexpr int NORM_ROWS = 256;  // rows per task; sums over rows are computed per task, so they do not depend on threads

INLINE float lane_sum(V v) {
    float sum = 0;
    for (int i = 0; i < W; ++i) sum += v[i];
    return sum;
}

// T: type of x and the result; R: type of the residual stream before the addition.
template <class T, class R>
class AddNorm {
  public:
    explicit AddNorm(const EpigxNorm& arguments) : p(arguments), tasks((p.rows + NORM_ROWS - 1) / NORM_ROWS) {}

    void forward() const {
        each(tasks, p.threads, [&](int64_t task) {
            for (int64_t i = task * NORM_ROWS; i < end(task); ++i) p.sum ? forward<true>(i) : forward<false>(i);
        });
    }

    void backward() const {
        const int64_t width = round_up(p.width, W);
        const Floats sums(tasks * width);
        each(tasks, p.threads, [&](int64_t task) {
            for (int64_t i = task * NORM_ROWS; i < end(task); ++i)
                p.sum ? backward<true>(i, sums.get() + task * width)
                           : backward<false>(i, sums.get() + task * width);
        });
        for (int c = 0; c < p.width; ++c) p.d_weight[c] = add_rows(sums.get() + c, tasks, width);
    }

  private:
    const EpigxNorm& p;
    const int64_t tasks;

    int64_t end(int64_t task) const { return std::min((task + 1) * NORM_ROWS, p.rows); }

    template <class U>
    U* row(U* tensor, int64_t i) const {
        return tensor + i * p.width;
    }

    // Channels v, … of a row of the sum: stored by the forward pass, or x itself if there is no residual.
    template <bool ADD>
    V sum_at(int64_t i, int v) const {
        return ADD ? load_channels<float>(row(p.sum, i), v, p.width)
                   : load_channels(row(static_cast<const T*>(p.x), i), v, p.width);
    }

    float scale(V squares) const { return 1.0f / std::sqrt(lane_sum(squares) / p.width + p.eps); }

    template <bool ADD>
    void forward(int64_t i) const {
        V squares{};
        for (int v = 0; v < p.width; v += W) {
            V s = load_channels(row(static_cast<const T*>(p.x), i), v, p.width);
            if (ADD) {
                s += load_channels(row(static_cast<const R*>(p.residual), i), v, p.width);
                store_channels(row(p.sum, i), v, p.width, s);
            }
            squares += s * s;
        }
        const float by = scale(squares);
        for (int v = 0; v < p.width; v += W)
            store_channels(row(static_cast<T*>(p.normed), i), v, p.width,
                           sum_at<ADD>(i, v) * by * load_channels(p.weight, v, p.width));
    }

    template <bool ADD>
    void backward(int64_t i, float* d_weight) const {
        const T* from = row(static_cast<const T*>(p.d_normed), i);
        V squares{}, products{};
        for (int v = 0; v < p.width; v += W) {
            const V s = sum_at<ADD>(i, v);
            squares += s * s;
            products += s * load_channels(from, v, p.width) * load_channels(p.weight, v, p.width);
        }
        const float by = scale(squares), share = lane_sum(products) * by * by / p.width;
        for (int v = 0; v < p.width; v += W) {
            const V s = sum_at<ADD>(i, v), grad = load_channels(from, v, p.width);
            at(d_weight + v) += grad * (s * by);
            V ds = (grad * load_channels(p.weight, v, p.width) - s * share) * by;
            if (p.d_sum) ds += load_channels<float>(row(p.d_sum, i), v, p.width);
            store_channels(row(static_cast<T*>(p.dx), i), v, p.width, ds);
            if (ADD && p.d_residual) store_channels(row(static_cast<R*>(p.d_residual), i), v, p.width, ds);
        }
    }
};

}  // namespace

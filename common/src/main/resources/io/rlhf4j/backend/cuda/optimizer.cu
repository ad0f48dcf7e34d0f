// AdamW on flat tensors, and sums of squares in fp64.

extern "C" __global__ void adamW(
        float *parameter, const void *gradient, float *moment1, float *moment2, long long elements, float keep,
        float toFirst, float keepSecond, float toSecond, float rootFactor, float epsilon, float stepSize,
        float gradientScale, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count == 0) {
        return;
    }
    float p[8], g[8], m[8], v[8];
    bool wide = flags & WIDE;
    load8(parameter, part.column, false, wide, part.count, p);
    load8(gradient, part.column, isBf16(flags, 1), wide, part.count, g);
    load8(moment1, part.column, false, wide, part.count, m);
    load8(moment2, part.column, false, wide, part.count, v);
#pragma unroll
    for (int i = 0; i < 8; i++) {
        float scaled = g[i] * gradientScale;
        m[i] = fmaf(scaled - m[i], toFirst, m[i]);
        v[i] = fmaf(scaled * toSecond, scaled, v[i] * keepSecond);
        p[i] = fmaf(m[i] / fmaf(sqrtf(v[i]), rootFactor, epsilon), stepSize, p[i] * keep);
    }
    store8(parameter, part.column, false, wide, part.count, p);
    store8(moment1, part.column, false, wide, part.count, m);
    store8(moment2, part.column, false, wide, part.count, v);
}

// partials[block] = sum of squares of every gridDim-th stretch of 2048 elements
extern "C" __global__ void squarePartials(const void *x, long long elements, double *partials, unsigned flags) {
    takeTurn();
    __shared__ double scratch[32];
    double sum = 0;
    long long step = 8LL * blockDim.x * gridDim.x;
    for (long long at = 8LL * (blockIdx.x * (long long)blockDim.x + threadIdx.x); at < elements; at += step) {
        float v[8];
        load8(x, at, isBf16(flags, 0), flags & WIDE, (int)min(8LL, elements - at), v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            sum += (double)v[i] * v[i];
        }
    }
    sum = blockSum(sum, scratch);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = sum;
    }
}

extern "C" __global__ void sumPartials(const double *partials, int count, double *total) {
    takeTurn();
    __shared__ double scratch[32];
    double sum = 0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        sum += partials[i];
    }
    sum = blockSum(sum, scratch);
    if (threadIdx.x == 0) {
        *total = sum;
    }
}

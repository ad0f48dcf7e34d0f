// Layer norm and RMS norm. A block takes a row; statistics are fp32: mean and rstd, or rstd alone.

#define CENTERED 0x200u  // flag: layer norm

extern "C" __global__ void normForward(
        const void *x, long long stride, const void *weight, const void *bias, float weightOffset, float epsilon,
        void *out, long long outStride, float *statistics, int columns, unsigned flags) {
    takeTurn();
    __shared__ float ofSum[32];
    __shared__ float ofSquares[32];
    long long row = blockIdx.x;
    bool wide = flags & WIDE;
    bool centered = flags & CENTERED;
    int step = 8 * blockDim.x;
    // What one pass over the threads holds is read once.
    bool single = columns <= step;
    float v[8], w[8], b[8];
    int c0 = 8 * threadIdx.x;
    if (c0 < columns) {
        int count = min(8, columns - c0);
        load8(x, row * stride + c0, isBf16(flags, 0), wide, count, v);
        load8(weight, c0, isBf16(flags, 1), wide, count, w);
        if (bias != 0) {
            load8(bias, c0, isBf16(flags, 2), wide, count, b);
        }
    }
    float mean = 0.f;
    if (centered) {
        float sum = 0.f;
        for (int c = 8 * threadIdx.x; c < columns; c += step) {
            if (!single) {
                load8(x, row * stride + c, isBf16(flags, 0), wide, min(8, columns - c), v);
            }
#pragma unroll
            for (int i = 0; i < 8; i++) {
                sum += v[i];
            }
        }
        mean = blockSumOnce(sum, ofSum) / columns;
    }
    float squares = 0.f;
    for (int c = 8 * threadIdx.x; c < columns; c += step) {
        int count = min(8, columns - c);
        if (!single) {
            load8(x, row * stride + c, isBf16(flags, 0), wide, count, v);
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float d = i < count ? v[i] - mean : 0.f;
            squares = fmaf(d, d, squares);
        }
    }
    float rstd = 1.f / sqrtf(blockSumOnce(squares, ofSquares) / columns + epsilon);
    for (int c = 8 * threadIdx.x; c < columns; c += step) {
        int count = min(8, columns - c);
        if (!single) {
            load8(x, row * stride + c, isBf16(flags, 0), wide, count, v);
            load8(weight, c, isBf16(flags, 1), wide, count, w);
            if (bias != 0) {
                load8(bias, c, isBf16(flags, 2), wide, count, b);
            }
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] = (v[i] - mean) * rstd * (w[i] + weightOffset) + (bias != 0 ? b[i] : 0.f);
        }
        store8(out, row * outStride + c, isBf16(flags, 3), wide, count, v);
    }
    if (threadIdx.x == 0) {
        if (centered) {
            statistics[2 * row] = mean;
            statistics[2 * row + 1] = rstd;
        } else {
            statistics[row] = rstd;
        }
    }
}

extern "C" __global__ void normBackward(
        const void *dy, long long dyStride, const void *x, long long stride, const void *weight, float weightOffset,
        const float *statistics, void *dx, long long dxStride, int columns, unsigned flags) {
    takeTurn();
    __shared__ float scratch[32];
    long long row = blockIdx.x;
    bool wide = flags & WIDE;
    bool centered = flags & CENTERED;
    float mean = centered ? statistics[2 * row] : 0.f;
    float rstd = centered ? statistics[2 * row + 1] : statistics[row];
    int step = 8 * blockDim.x;
    float v[8], w[8], d[8];
    float sum = 0.f;
    float dot = 0.f;
    for (int c = 8 * threadIdx.x; c < columns; c += step) {
        int count = min(8, columns - c);
        load8(dy, row * dyStride + c, isBf16(flags, 0), wide, count, d);
        load8(x, row * stride + c, isBf16(flags, 1), wide, count, v);
        load8(weight, c, isBf16(flags, 2), wide, count, w);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float slope = d[i] * (w[i] + weightOffset);
            sum += slope;
            dot = fmaf(slope, (v[i] - mean) * rstd, dot);
        }
    }
    float meanSlope = centered ? blockSum(sum, scratch) / columns : 0.f;
    float meanDot = blockSum(dot, scratch) / columns;
    for (int c = 8 * threadIdx.x; c < columns; c += step) {
        int count = min(8, columns - c);
        load8(dy, row * dyStride + c, isBf16(flags, 0), wide, count, d);
        load8(x, row * stride + c, isBf16(flags, 1), wide, count, v);
        load8(weight, c, isBf16(flags, 2), wide, count, w);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] = rstd * (d[i] * (w[i] + weightOffset) - meanSlope - (v[i] - mean) * rstd * meanDot);
        }
        store8(dx, row * dxStride + c, isBf16(flags, 3), wide, count, v);
    }
}

// Of each chunk of rows: the sums of dy normed(x), and of dy.
extern "C" __global__ void normWeightPartials(
        const void *dy, long long dyStride, const void *x, long long stride, const float *statistics, long long rows,
        long long columns, int rowsOfChunk, float *ofWeight, float *ofBias, unsigned flags) {
    takeTurn();
    long long chunks = (rows + rowsOfChunk - 1) / rowsOfChunk;
    Part part = partOf(chunks, columns);
    if (part.count == 0) {
        return;
    }
    bool centered = flags & CENTERED;
    float w[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    float b[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    long long end = min((part.row + 1) * rowsOfChunk, rows);
    for (long long row = part.row * rowsOfChunk; row < end; row++) {
        float v[8], d[8];
        load8(dy, row * dyStride + part.column, isBf16(flags, 0), flags & WIDE, part.count, d);
        load8(x, row * stride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
        float mean = centered ? statistics[2 * row] : 0.f;
        float rstd = centered ? statistics[2 * row + 1] : statistics[row];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            w[i] = fmaf(d[i], (v[i] - mean) * rstd, w[i]);
            b[i] += d[i];
        }
    }
    store8(ofWeight, part.row * columns + part.column, false, false, part.count, w);
    if (ofBias != 0) {
        store8(ofBias, part.row * columns + part.column, false, false, part.count, b);
    }
}

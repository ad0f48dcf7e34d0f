// Attention within sequences in fp32 arithmetic, for every head dimension and type. A block takes a tile of queries (or
// keys) of one head; what it needs lies in shared memory.

#include "attention.cuh"

#define QUERIES 16
#define KEYS 32
#define SIDE 16  // of the square tiles of the gradients

// Rows [from, from + count) of a head as fp32, rows from `end` on as zeros.
__device__ __forceinline__ void loadTile(
        float *tile, const void *x, long long stride, bool asBf16, int from, int count, int end, int head,
        int headDim) {
    for (int e = threadIdx.x; e < count * headDim; e += blockDim.x) {
        int row = e / headDim;
        int d = e % headDim;
        tile[row * (headDim + 1) + d] =
                from + row < end ? load(x, (long long)(from + row) * stride + (long long)head * headDim + d, asBf16) : 0.f;
    }
}

__device__ __forceinline__ float dotOf(const float *a, const float *b, int n) {
    float sum = 0.f;
    for (int i = 0; i < n; i++) {
        sum = fmaf(a[i], b[i], sum);
    }
    return sum;
}

extern "C" __global__ void attentionPlain(
        const void *q, long long qStride, const void *k, long long kStride, const void *v, long long vStride,
        void *out, long long outStride, float *logSumExp, long long tokens, const int *tiles, int group, int headDim,
        float scale, float softcap, int window, const float *slopes, unsigned flags) {
    takeTurn();
    extern __shared__ float shared[];
    int width = headDim + 1;
    float *queries = shared;
    float *keys = queries + QUERIES * width;
    float *values = keys + KEYS * width;
    float *sums = values + KEYS * width;
    float *scores = sums + QUERIES * width;
    float *largest = scores + QUERIES * (KEYS + 1);
    float *total = largest + QUERIES;
    float *factor = total + QUERIES;
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int begin = tile[1];
    int end = tile[2];
    int head = blockIdx.y;
    Scoring scoring = {scale, softcap, window};
    float slope = slopeOf(slopes, head);
    loadTile(queries, q, qStride, isBf16(flags, 0), first, QUERIES, end, head, headDim);
    for (int e = threadIdx.x; e < QUERIES * width; e += blockDim.x) {
        sums[e] = 0.f;
    }
    if (threadIdx.x < QUERIES) {
        largest[threadIdx.x] = -INFINITY;
        total[threadIdx.x] = 0.f;
    }
    int last = min(first + QUERIES, end);
    for (int from = firstKey(begin, first, scoring); from < last; from += KEYS) {
        __syncthreads();
        loadTile(keys, k, kStride, isBf16(flags, 1), from, KEYS, last, head / group, headDim);
        loadTile(values, v, vStride, isBf16(flags, 2), from, KEYS, last, head / group, headDim);
        __syncthreads();
        for (int e = threadIdx.x; e < QUERIES * KEYS; e += blockDim.x) {
            int row = e / KEYS;
            int column = e % KEYS;
            int query = first + row;
            int key = from + column;
            float score = -INFINITY;
            if (seen(key, query, scoring)) {
                score = capped(dotOf(queries + row * width, keys + column * width, headDim), scoring)
                        + bias(slope, key, query);
            }
            scores[row * (KEYS + 1) + column] = score;
        }
        __syncthreads();
        if (threadIdx.x < QUERIES) {
            float *row = scores + threadIdx.x * (KEYS + 1);
            float before = largest[threadIdx.x];
            float now = before;
            for (int i = 0; i < KEYS; i++) {
                now = fmaxf(now, row[i]);
            }
            float sum = 0.f;
            for (int i = 0; i < KEYS; i++) {
                row[i] = row[i] == -INFINITY ? 0.f : expf(row[i] - now);
                sum += row[i];
            }
            factor[threadIdx.x] = before == -INFINITY ? 0.f : expf(before - now);
            total[threadIdx.x] = total[threadIdx.x] * factor[threadIdx.x] + sum;
            largest[threadIdx.x] = now;
        }
        __syncthreads();
        for (int e = threadIdx.x; e < QUERIES * headDim; e += blockDim.x) {
            int row = e / headDim;
            int d = e % headDim;
            float sum = sums[row * width + d] * factor[row];
            for (int i = 0; i < KEYS; i++) {
                sum = fmaf(scores[row * (KEYS + 1) + i], values[i * width + d], sum);
            }
            sums[row * width + d] = sum;
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < QUERIES * headDim; e += blockDim.x) {
        int row = e / headDim;
        int d = e % headDim;
        if (first + row < end) {
            store(out, (long long)(first + row) * outStride + (long long)head * headDim + d, isBf16(flags, 3),
                  sums[row * width + d] / total[row]);
        }
    }
    if (logSumExp != 0 && threadIdx.x < QUERIES && first + threadIdx.x < end) {
        logSumExp[head * tokens + first + threadIdx.x] = largest[threadIdx.x] + logf(total[threadIdx.x]);
    }
}

// products[head][token] = dOut . out; a warp takes one
extern "C" __global__ void outputProducts(
        const void *out, long long outStride, const void *dOut, long long dOutStride, float *products,
        long long tokens, int heads, int headDim, unsigned flags) {
    takeTurn();
    long long number = ((long long)blockIdx.x * blockDim.x + threadIdx.x) / 32;
    int lane = threadIdx.x % 32;
    if (number >= tokens * heads) {
        return;
    }
    long long token = number / heads;
    int head = (int)(number % heads);
    float sum = 0.f;
    for (int d = lane; d < headDim; d += 32) {
        sum = fmaf(load(out, token * outStride + (long long)head * headDim + d, isBf16(flags, 0)),
                   load(dOut, token * dOutStride + (long long)head * headDim + d, isBf16(flags, 1)), sum);
    }
    sum = warpSum(sum);
    if (lane == 0) {
        products[head * tokens + token] = sum;
    }
}

// Probabilities and gradients of the scores of SIDE queries (rows) by SIDE keys (columns).
__device__ __forceinline__ void tileGradients(
        float *probabilities, float *gradients, const float *queries, const float *dOuts, const float *keys,
        const float *values, const float *logSumExp, const float *products, int firstQuery, int first, int end, int headDim, Scoring scoring, float slope) {
    int width = headDim + 1;
    for (int e = threadIdx.x; e < SIDE * SIDE; e += blockDim.x) {
        int row = e / SIDE;
        int column = e % SIDE;
        int query = firstQuery + row;
        int key = first + column;
        float p = 0.f;
        float gradient = 0.f;
        if (query < end && seen(key, query, scoring)) {
            float score = capped(dotOf(queries + row * width, keys + column * width, headDim), scoring);
            p = expf(score + bias(slope, key, query) - logSumExp[query]);
            float dp = dotOf(dOuts + row * width, values + column * width, headDim);
            gradient = p * (dp - products[query]) * cappedSlope(score, scoring);
        }
        probabilities[row * (SIDE + 1) + column] = p;
        gradients[row * (SIDE + 1) + column] = gradient;
    }
}

extern "C" __global__ void attentionPlainKeyGradients(
        const void *q, long long qStride, const void *k, long long kStride, const void *v, long long vStride,
        const void *dOut, long long dOutStride, const float *logSumExp, const float *products, void *dk,
        long long dkStride, void *dv, long long dvStride, long long tokens, const int *tiles, int group, int headDim,
        float scale, float softcap, int window, const float *slopes, unsigned flags) {
    takeTurn();
    extern __shared__ float shared[];
    int width = headDim + 1;
    float *keys = shared;
    float *values = keys + SIDE * width;
    float *queries = values + SIDE * width;
    float *dOuts = queries + SIDE * width;
    float *dKeys = dOuts + SIDE * width;
    float *dValues = dKeys + SIDE * width;
    float *probabilities = dValues + SIDE * width;
    float *gradients = probabilities + SIDE * (SIDE + 1);
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int end = tile[2];
    int kvHead = blockIdx.y;
    Scoring scoring = {scale, softcap, window};
    loadTile(keys, k, kStride, isBf16(flags, 1), first, SIDE, end, kvHead, headDim);
    loadTile(values, v, vStride, isBf16(flags, 2), first, SIDE, end, kvHead, headDim);
    for (int e = threadIdx.x; e < SIDE * width; e += blockDim.x) {
        dKeys[e] = 0.f;
        dValues[e] = 0.f;
    }
    int endOfLast = endOfQueries(end, min(first + SIDE, end) - 1, scoring);
    for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        for (int from = first; from < endOfLast; from += SIDE) {
            __syncthreads();
            loadTile(queries, q, qStride, isBf16(flags, 0), from, SIDE, end, head, headDim);
            loadTile(dOuts, dOut, dOutStride, isBf16(flags, 3), from, SIDE, end, head, headDim);
            __syncthreads();
            tileGradients(
                    probabilities, gradients, queries, dOuts, keys, values, logSumExp + head * tokens,
                    products + head * tokens, from, first, end, headDim, scoring, slopeOf(slopes, head));
            __syncthreads();
            for (int e = threadIdx.x; e < SIDE * headDim; e += blockDim.x) {
                int row = e / headDim;
                int d = e % headDim;
                float dKey = dKeys[row * width + d];
                float dValue = dValues[row * width + d];
                for (int i = 0; i < SIDE; i++) {
                    dKey = fmaf(gradients[i * (SIDE + 1) + row], queries[i * width + d], dKey);
                    dValue = fmaf(probabilities[i * (SIDE + 1) + row], dOuts[i * width + d], dValue);
                }
                dKeys[row * width + d] = dKey;
                dValues[row * width + d] = dValue;
            }
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < SIDE * headDim; e += blockDim.x) {
        int row = e / headDim;
        int d = e % headDim;
        if (first + row < end) {
            long long column = (long long)kvHead * headDim + d;
            store(dk, (long long)(first + row) * dkStride + column, isBf16(flags, 4), dKeys[row * width + d]);
            store(dv, (long long)(first + row) * dvStride + column, isBf16(flags, 5), dValues[row * width + d]);
        }
    }
}

extern "C" __global__ void attentionPlainQueryGradients(
        const void *q, long long qStride, const void *k, long long kStride, const void *v, long long vStride,
        const void *dOut, long long dOutStride, const float *logSumExp, const float *products, void *dq,
        long long dqStride, long long tokens, const int *tiles, int group, int headDim, float scale, float softcap,
        int window, const float *slopes, unsigned flags) {
    takeTurn();
    extern __shared__ float shared[];
    int width = headDim + 1;
    float *keys = shared;
    float *values = keys + SIDE * width;
    float *queries = values + SIDE * width;
    float *dOuts = queries + SIDE * width;
    float *dQueries = dOuts + SIDE * width;
    float *probabilities = dQueries + SIDE * width;
    float *gradients = probabilities + SIDE * (SIDE + 1);
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int begin = tile[1];
    int end = tile[2];
    int head = blockIdx.y;
    Scoring scoring = {scale, softcap, window};
    loadTile(queries, q, qStride, isBf16(flags, 0), first, SIDE, end, head, headDim);
    loadTile(dOuts, dOut, dOutStride, isBf16(flags, 3), first, SIDE, end, head, headDim);
    for (int e = threadIdx.x; e < SIDE * width; e += blockDim.x) {
        dQueries[e] = 0.f;
    }
    int last = min(first + SIDE, end);
    for (int from = firstKey(begin, first, scoring); from < last; from += SIDE) {
        __syncthreads();
        loadTile(keys, k, kStride, isBf16(flags, 1), from, SIDE, end, head / group, headDim);
        loadTile(values, v, vStride, isBf16(flags, 2), from, SIDE, end, head / group, headDim);
        __syncthreads();
        tileGradients(
                probabilities, gradients, queries, dOuts, keys, values, logSumExp + head * tokens,
                products + head * tokens, first, from, end, headDim, scoring, slopeOf(slopes, head));
        __syncthreads();
        for (int e = threadIdx.x; e < SIDE * headDim; e += blockDim.x) {
            int row = e / headDim;
            int d = e % headDim;
            float sum = dQueries[row * width + d];
            for (int i = 0; i < SIDE; i++) {
                sum = fmaf(gradients[row * (SIDE + 1) + i], keys[i * width + d], sum);
            }
            dQueries[row * width + d] = sum;
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < SIDE * headDim; e += blockDim.x) {
        int row = e / headDim;
        int d = e % headDim;
        if (first + row < end) {
            store(dq, (long long)(first + row) * dqStride + (long long)head * headDim + d, isBf16(flags, 4),
                  dQueries[row * width + d]);
        }
    }
}

// Attention within sequences of bf16 on tensor cores (Dao 2023), for one head dimension, DIM. Four warps take 64 queries
// (or keys), 16 each; sums are fp32; probabilities and gradients of scores are rounded to bf16 for the second product.

#include "attention.cuh"
#include "tiles.cuh"

#define THREADS 128
#define ROWS 64
#define PITCH (DIM + 8)  // of a row in shared memory: rows fall on different banks
#define STEPS (DIM / 16)
#define SIDE_ROWS (DIM <= 64 ? 64 : 32)  // queries at once in the gradients of keys

// Begins to copy COUNT rows of a head; rows from `end` on become zeros.
template <int COUNT>
__device__ __forceinline__ void loadTile(bf16 *tile, const bf16 *x, long long stride, int from, int end, int head) {
    const bf16 *column = x + (long long)head * DIM;
#pragma unroll
    for (int i = 0; i < (COUNT * (DIM / 8) + THREADS - 1) / THREADS; i++) {
        int e = threadIdx.x + THREADS * i;
        int row = e / (DIM / 8);
        int d = e % (DIM / 8) * 8;
        if (e < COUNT * (DIM / 8)) {
            bool isThere = from + row < end;
            copyLater(tile + row * PITCH + d, isThere ? column + (long long)(from + row) * stride + d : x, isThere);
        }
    }
}

__device__ __forceinline__ float quadMax(float value) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
    return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

__device__ __forceinline__ float quadSum(float value) {
    value += __shfl_xor_sync(0xffffffffu, value, 1);
    return value + __shfl_xor_sync(0xffffffffu, value, 2);
}

// Stores 16 rows of results [16 x DIM] times the factor of the upper and of the lower eight rows.
__device__ __forceinline__ void storeRows(
        bf16 *out, long long stride, int row, int end, int head, float (*c)[4], float upper, float lower) {
    int lane = threadIdx.x % 32;
    long long column = (long long)head * DIM + 2 * (lane % 4);
#pragma unroll
    for (int n = 0; n < DIM / 8; n++) {
        if (row < end) {
            *(unsigned *)(out + (long long)row * stride + column + 8 * n) = narrowPair(c[n][0] * upper, c[n][1] * upper);
        }
        if (row + 8 < end) {
            *(unsigned *)(out + (long long)(row + 8) * stride + column + 8 * n) = narrowPair(c[n][2] * lower, c[n][3] * lower);
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) attentionTiles(
        const bf16 *q, long long qStride, const bf16 *k, long long kStride, const bf16 *v, long long vStride,
        bf16 *out, long long outStride, float *logSumExp, long long tokens, const int *tiles, int group, float scale,
        float softcap, int window, const float *slopes) {
    takeTurn();
    extern __shared__ Words sharedWords[];
    // Two stages of keys and values: one is filled while the other is worked on.
    bf16 *stages = (bf16 *)sharedWords;
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int begin = tile[1];
    int end = tile[2];
    int head = blockIdx.y;
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    Scoring scoring = {scale, softcap, window};
    float slope = slopeOf(slopes, head);
    unsigned queries[STEPS][4];
    int last = min(first + ROWS, end);
    int from0 = firstKey(begin, first, scoring);
    loadTile<ROWS>(stages + 2 * ROWS * PITCH, q, qStride, first, end, head);
    commitCopies();
    loadTile<ROWS>(stages, k, kStride, from0, last, head / group);
    loadTile<ROWS>(stages + ROWS * PITCH, v, vStride, from0, last, head / group);
    commitCopies();
    awaitCopies<1>();
    __syncthreads();
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        loadLeft(queries[s], stages + (2 * ROWS + 16 * warp) * PITCH + 16 * s, PITCH);
    }
    float sums[DIM / 8][4];
#pragma unroll
    for (int n = 0; n < DIM / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sums[n][i] = 0.f;
        }
    }
    float largest[2] = {-INFINITY, -INFINITY};
    float total[2] = {0.f, 0.f};
    int row = first + 16 * warp + lane / 4;
    for (int from = from0; from < last; from += ROWS) {
        bf16 *keys = stages + (from - from0) / ROWS % 2 * 2 * ROWS * PITCH;
        bf16 *values = keys + ROWS * PITCH;
        awaitCopies<0>();
        // All have their part of this stage, and are through with the other.
        __syncthreads();
        if (from + ROWS < last) {
            bf16 *next = stages + ((from - from0) / ROWS + 1) % 2 * 2 * ROWS * PITCH;
            loadTile<ROWS>(next, k, kStride, from + ROWS, last, head / group);
            loadTile<ROWS>(next + ROWS * PITCH, v, vStride, from + ROWS, last, head / group);
            commitCopies();
        }
        float scores[ROWS / 8][4];
#pragma unroll
        for (int n = 0; n < ROWS / 8; n += 2) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                scores[n][i] = 0.f;
                scores[n + 1][i] = 0.f;
            }
#pragma unroll
            for (int s = 0; s < STEPS; s++) {
                unsigned b[4];
                loadRightOfRows(b, keys + 8 * n * PITCH + 16 * s, PITCH);
                multiplyAdd(scores[n], queries[s], b);
                multiplyAdd(scores[n + 1], queries[s], b + 2);
            }
        }
        float now[2] = {largest[0], largest[1]};
        bool masked = !allSeen(first, ROWS, from, ROWS, scoring);
#pragma unroll
        for (int n = 0; n < ROWS / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int key = from + 8 * n + 2 * (lane % 4) + i % 2;
                int query = row + i / 2 * 8;
                float score = capped(scores[n][i], scoring) + bias(slope, key, query);
                scores[n][i] = !masked || seen(key, query, scoring) ? score : -INFINITY;
                now[i / 2] = fmaxf(now[i / 2], scores[n][i]);
            }
        }
        float factor[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            now[half] = quadMax(now[half]);
            // A row may see none of the first keys of its tile's window.
            float shift = now[half] == -INFINITY ? 0.f : now[half];
            factor[half] = __expf(largest[half] - shift);
            largest[half] = now[half];
            float sum = 0.f;
#pragma unroll
            for (int n = 0; n < ROWS / 8; n++) {
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    scores[n][i] = __expf(scores[n][i] - shift);
                    sum += scores[n][i];
                }
            }
            total[half] = total[half] * factor[half] + sum;
        }
#pragma unroll
        for (int n = 0; n < DIM / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                sums[n][i] *= factor[i / 2];
            }
        }
#pragma unroll
        for (int s = 0; s < ROWS / 16; s++) {
            unsigned a[4];
            asLeft(a, scores[2 * s], scores[2 * s + 1]);
#pragma unroll
            for (int n = 0; n < DIM / 8; n += 2) {
                unsigned b[4];
                loadRight(b, values + 16 * s * PITCH + 8 * n, PITCH);
                multiplyAdd(sums[n], a, b);
                multiplyAdd(sums[n + 1], a, b + 2);
            }
        }
    }
    total[0] = quadSum(total[0]);
    total[1] = quadSum(total[1]);
    storeRows(out, outStride, row, end, head, sums, 1.f / total[0], 1.f / total[1]);
    if (logSumExp != 0 && lane % 4 == 0) {
        if (row < end) {
            logSumExp[head * tokens + row] = largest[0] + logf(total[0]);
        }
        if (row + 8 < end) {
            logSumExp[head * tokens + row + 8] = largest[1] + logf(total[1]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) attentionTilesKeyGradients(
        const bf16 *q, long long qStride, const bf16 *k, long long kStride, const bf16 *v, long long vStride,
        const bf16 *dOut, long long dOutStride, const float *logSumExp, const float *products, bf16 *dk,
        long long dkStride, bf16 *dv, long long dvStride, long long tokens, const int *tiles, int group, float scale,
        float softcap, int window, const float *slopes) {
    takeTurn();
    extern __shared__ Words sharedWords[];
    bf16 *keys = (bf16 *)sharedWords;
    bf16 *values = keys + ROWS * PITCH;
    bf16 *stages = values + ROWS * PITCH;
    float *numbers = (float *)(stages + 4 * SIDE_ROWS * PITCH);
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int end = tile[2];
    int kvHead = blockIdx.y;
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    Scoring scoring = {scale, softcap, window};
    loadTile<ROWS>(keys, k, kStride, first, end, kvHead);
    loadTile<ROWS>(values, v, vStride, first, end, kvHead);
    float dKeys[DIM / 8][4];
    float dValues[DIM / 8][4];
#pragma unroll
    for (int n = 0; n < DIM / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            dKeys[n][i] = 0.f;
            dValues[n][i] = 0.f;
        }
    }
    int row = first + 16 * warp + lane / 4;
    int endOfLast = endOfQueries(end, min(first + ROWS, end) - 1, scoring);
    int tilesOfHead = (endOfLast - first + SIDE_ROWS - 1) / SIDE_ROWS;
    for (int i = -1; i < group * tilesOfHead; i++) {
        awaitCopies<0>();
        // All have their part of this stage, and are through with the other.
        __syncthreads();
        if (i + 1 < group * tilesOfHead) {
            int head = kvHead * group + (i + 1) / tilesOfHead;
            int from = first + (i + 1) % tilesOfHead * SIDE_ROWS;
            bf16 *next = stages + (i + 1) % 2 * 2 * SIDE_ROWS * PITCH;
            float *nextNumbers = numbers + (i + 1) % 2 * 2 * SIDE_ROWS;
            loadTile<SIDE_ROWS>(next, q, qStride, from, end, head);
            loadTile<SIDE_ROWS>(next + SIDE_ROWS * PITCH, dOut, dOutStride, from, end, head);
            if (threadIdx.x < SIDE_ROWS) {
                bool isThere = from + (int)threadIdx.x < end;
                long long place = isThere ? head * tokens + from + threadIdx.x : 0;
                copyNumberLater(nextNumbers + threadIdx.x, logSumExp + place, isThere);
                copyNumberLater(nextNumbers + SIDE_ROWS + threadIdx.x, products + place, isThere);
            }
            commitCopies();
        }
        if (i >= 0) {
            float slope = slopeOf(slopes, kvHead * group + i / tilesOfHead);
            int from = first + i % tilesOfHead * SIDE_ROWS;
            bf16 *queries = stages + i % 2 * 2 * SIDE_ROWS * PITCH;
            bf16 *dOuts = queries + SIDE_ROWS * PITCH;
            float *logSums = numbers + i % 2 * 2 * SIDE_ROWS;
            float *dots = logSums + SIDE_ROWS;
            bool masked = from + SIDE_ROWS > end || !allSeen(from, SIDE_ROWS, first, ROWS, scoring);
            float p[SIDE_ROWS / 8][4];
            float d[SIDE_ROWS / 8][4];
#pragma unroll
            for (int n = 0; n < SIDE_ROWS / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    p[n][i] = 0.f;
                    d[n][i] = 0.f;
                }
            }
#pragma unroll
            for (int s = 0; s < STEPS; s++) {
                unsigned ofKeys[4];
                unsigned ofValues[4];
                loadLeft(ofKeys, keys + 16 * warp * PITCH + 16 * s, PITCH);
                loadLeft(ofValues, values + 16 * warp * PITCH + 16 * s, PITCH);
#pragma unroll
                for (int n = 0; n < SIDE_ROWS / 8; n += 2) {
                    unsigned b[4];
                    loadRightOfRows(b, queries + 8 * n * PITCH + 16 * s, PITCH);
                    multiplyAdd(p[n], ofKeys, b);
                    multiplyAdd(p[n + 1], ofKeys, b + 2);
                    loadRightOfRows(b, dOuts + 8 * n * PITCH + 16 * s, PITCH);
                    multiplyAdd(d[n], ofValues, b);
                    multiplyAdd(d[n + 1], ofValues, b + 2);
                }
            }
#pragma unroll
            for (int n = 0; n < SIDE_ROWS / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int column = 8 * n + 2 * (lane % 4) + i % 2;
                    int query = from + column;
                    int key = row + i / 2 * 8;
                    float score = capped(p[n][i], scoring);
                    bool counts = !masked || (query < end && seen(key, query, scoring));
                    float shifted = score + bias(slope, key, query) - logSums[column];
                    p[n][i] = counts ? __expf(shifted) : 0.f;
                    d[n][i] = counts ? p[n][i] * (d[n][i] - dots[column]) * cappedSlope(score, scoring) : 0.f;
                }
            }
#pragma unroll
            for (int s = 0; s < SIDE_ROWS / 16; s++) {
                unsigned ofP[4];
                unsigned ofD[4];
                asLeft(ofP, p[2 * s], p[2 * s + 1]);
                asLeft(ofD, d[2 * s], d[2 * s + 1]);
#pragma unroll
                for (int n = 0; n < DIM / 8; n += 2) {
                    unsigned b[4];
                    loadRight(b, dOuts + 16 * s * PITCH + 8 * n, PITCH);
                    multiplyAdd(dValues[n], ofP, b);
                    multiplyAdd(dValues[n + 1], ofP, b + 2);
                    loadRight(b, queries + 16 * s * PITCH + 8 * n, PITCH);
                    multiplyAdd(dKeys[n], ofD, b);
                    multiplyAdd(dKeys[n + 1], ofD, b + 2);
                }
            }
        }
    }
    storeRows(dk, dkStride, row, end, kvHead, dKeys, 1.f, 1.f);
    storeRows(dv, dvStride, row, end, kvHead, dValues, 1.f, 1.f);
}

extern "C" __global__ void __launch_bounds__(THREADS) attentionTilesQueryGradients(
        const bf16 *q, long long qStride, const bf16 *k, long long kStride, const bf16 *v, long long vStride,
        const bf16 *dOut, long long dOutStride, const float *logSumExp, const float *products, bf16 *dq,
        long long dqStride, long long tokens, const int *tiles, int group, float scale, float softcap, int window,
        const float *slopes) {
    takeTurn();
    extern __shared__ Words sharedWords[];
    bf16 *stages = (bf16 *)sharedWords;
    bf16 *queries = stages + 4 * SIDE_ROWS * PITCH;
    bf16 *dOuts = queries + ROWS * PITCH;
    const int *tile = tiles + 3 * blockIdx.x;
    int first = tile[0];
    int begin = tile[1];
    int end = tile[2];
    int head = blockIdx.y;
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    Scoring scoring = {scale, softcap, window};
    float slope = slopeOf(slopes, head);
    int last = min(first + ROWS, end);
    int from0 = firstKey(begin, first, scoring);
    loadTile<ROWS>(queries, q, qStride, first, end, head);
    loadTile<ROWS>(dOuts, dOut, dOutStride, first, end, head);
    loadTile<SIDE_ROWS>(stages, k, kStride, from0, last, head / group);
    loadTile<SIDE_ROWS>(stages + SIDE_ROWS * PITCH, v, vStride, from0, last, head / group);
    commitCopies();
    float dQueries[DIM / 8][4];
#pragma unroll
    for (int n = 0; n < DIM / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            dQueries[n][i] = 0.f;
        }
    }
    int row = first + 16 * warp + lane / 4;
    float logSums[2];
    float dots[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        int query = row + 8 * half;
        logSums[half] = query < end ? logSumExp[head * tokens + query] : 0.f;
        dots[half] = query < end ? products[head * tokens + query] : 0.f;
    }
    for (int from = from0; from < last; from += SIDE_ROWS) {
        bf16 *keys = stages + (from - from0) / SIDE_ROWS % 2 * 2 * SIDE_ROWS * PITCH;
        bf16 *values = keys + SIDE_ROWS * PITCH;
        awaitCopies<0>();
        // All have their part of this stage, and are through with the other.
        __syncthreads();
        if (from + SIDE_ROWS < last) {
            bf16 *next = stages + ((from - from0) / SIDE_ROWS + 1) % 2 * 2 * SIDE_ROWS * PITCH;
            loadTile<SIDE_ROWS>(next, k, kStride, from + SIDE_ROWS, last, head / group);
            loadTile<SIDE_ROWS>(next + SIDE_ROWS * PITCH, v, vStride, from + SIDE_ROWS, last, head / group);
            commitCopies();
        }
        bool masked = first + ROWS > end || !allSeen(first, ROWS, from, SIDE_ROWS, scoring);
        float p[SIDE_ROWS / 8][4];
        float d[SIDE_ROWS / 8][4];
#pragma unroll
        for (int n = 0; n < SIDE_ROWS / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                p[n][i] = 0.f;
                d[n][i] = 0.f;
            }
        }
#pragma unroll
        for (int s = 0; s < STEPS; s++) {
            unsigned ofQueries[4];
            unsigned ofDOuts[4];
            loadLeft(ofQueries, queries + 16 * warp * PITCH + 16 * s, PITCH);
            loadLeft(ofDOuts, dOuts + 16 * warp * PITCH + 16 * s, PITCH);
#pragma unroll
            for (int n = 0; n < SIDE_ROWS / 8; n += 2) {
                unsigned b[4];
                loadRightOfRows(b, keys + 8 * n * PITCH + 16 * s, PITCH);
                multiplyAdd(p[n], ofQueries, b);
                multiplyAdd(p[n + 1], ofQueries, b + 2);
                loadRightOfRows(b, values + 8 * n * PITCH + 16 * s, PITCH);
                multiplyAdd(d[n], ofDOuts, b);
                multiplyAdd(d[n + 1], ofDOuts, b + 2);
            }
        }
#pragma unroll
        for (int n = 0; n < SIDE_ROWS / 8; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int key = from + 8 * n + 2 * (lane % 4) + i % 2;
                int query = row + i / 2 * 8;
                float score = capped(p[n][i], scoring);
                bool counts = !masked || (query < end && seen(key, query, scoring));
                float probability = __expf(score + bias(slope, key, query) - logSums[i / 2]);
                d[n][i] = counts ? probability * (d[n][i] - dots[i / 2]) * cappedSlope(score, scoring) : 0.f;
            }
        }
#pragma unroll
        for (int s = 0; s < SIDE_ROWS / 16; s++) {
            unsigned a[4];
            asLeft(a, d[2 * s], d[2 * s + 1]);
#pragma unroll
            for (int n = 0; n < DIM / 8; n += 2) {
                unsigned b[4];
                loadRight(b, keys + 16 * s * PITCH + 8 * n, PITCH);
                multiplyAdd(dQueries[n], a, b);
                multiplyAdd(dQueries[n + 1], a, b + 2);
            }
        }
    }
    storeRows(dq, dqStride, row, end, head, dQueries, 1.f, 1.f);
}

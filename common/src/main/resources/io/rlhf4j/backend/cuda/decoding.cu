// Attention of new tokens over cached keys and values that lie in blocks (Kwon et al. 2023). The positions of a sequence
// are cut into stretches, so that a few sequences fill the chip; the block that is through last joins them in their order.

#include "attention.cuh"

#define STRETCH 128  // positions, and threads of a block
#define WARPS (STRETCH / 32)

// LANES, a power of two: how many lanes of a warp share one position, eight columns each.
#define TOGETHER (32 / LANES)  // positions that a warp looks at at once

// Eight columns of a key or value. What a thread will need is asked for early, so that memory answers all at once.
#ifdef WIDE_BF16
#define AHEAD (LANES < 8 ? LANES : 8)
struct Held {
    Words words;
};

__device__ __forceinline__ void hold(Held &held, const void *base, long long at, int columns, unsigned flags) {
    Words zeros = {0u, 0u, 0u, 0u};
    held.words = columns > 0 ? *(const Words *)((const bf16 *)base + at) : zeros;
}

__device__ __forceinline__ void spread(const Held &held, float *v) {
    const unsigned pairs[4] = {held.words.x, held.words.y, held.words.z, held.words.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        v[2 * i] = __uint_as_float(pairs[i] << 16);
        v[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000u);
    }
}
#else
#define AHEAD (LANES < 2 ? LANES : 2)
struct Held {
    float columns[8];
};

__device__ __forceinline__ void hold(Held &held, const void *base, long long at, int columns, unsigned flags) {
    load8(base, at, isBf16(flags, 1), flags & WIDE, columns, held.columns);
}

__device__ __forceinline__ void spread(const Held &held, float *v) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
        v[i] = held.columns[i];
    }
}
#endif

// The stretches `from` to `to` of a head, joined. Other blocks have written them: the first cache does not know them.
__device__ __forceinline__ void joinStretches(
        const float *entries, int from, int to, int headDim, void *out, long long place, bool asBf16) {
    float largest = -INFINITY;
    for (int s = from; s <= to; s++) {
        largest = fmaxf(largest, __ldcg(entries + (long long)s * (headDim + 2) + headDim));
    }
    for (int d = threadIdx.x; d < headDim; d += STRETCH) {
        float sum = 0.f;
        float total = 0.f;
        for (int s = from; s <= to; s++) {
            const float *entry = entries + (long long)s * (headDim + 2);
            float weight = expf(__ldcg(entry + headDim) - largest);
            sum = fmaf(weight, __ldcg(entry + d), sum);
            total = fmaf(weight, __ldcg(entry + headDim + 1), total);
        }
        store(out, place + d, asBf16, sum / total);
    }
}

// Keys and values are of one type.
template <int HEADS>
__device__ __forceinline__ void attendStretch(
        const void *q, long long qStride, const void *keys, long long keyStride, const void *values,
        long long valueStride, const int *blocks, int blocksOfSequence, int blockSize, const int *sequences,
        const int *positions, void *out, long long outStride, float *partials, int *arrived, int heads, int group,
        int headDim, float scale, float softcap, int window, const float *slopes, unsigned flags) {
    __shared__ float queries[HEADS][8 * LANES];
    __shared__ float scores[HEADS][STRETCH];
    __shared__ float sums[WARPS][HEADS][8 * LANES];
    __shared__ float scratch[32];
    __shared__ bool last;
    int row = blockIdx.x;
    int position = positions[row];
    int stretch = blockIdx.z;
    int stretches = gridDim.z;
    Scoring scoring = {scale, softcap, window};
    int first = firstKey(0, position, scoring);
    if (stretch < first / STRETCH || stretch > position / STRETCH) {
        return;
    }
    int tilesOfGroup = (group + HEADS - 1) / HEADS;
    int kvHead = blockIdx.y / tilesOfGroup;
    int head0 = kvHead * group + blockIdx.y % tilesOfGroup * HEADS;
    int count = min(HEADS, (kvHead + 1) * group - head0);
    const int *table = blocks + (long long)sequences[row] * blocksOfSequence;
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    int part = lane % LANES;
    int columns = max(0, min(8, headDim - 8 * part));
    // Place i of this lane within the stretch is place0 + WARPS TOGETHER i; its row of the cache is held for the values.
    int place0 = warp * TOGETHER + lane / LANES;
    int rows[LANES];
#pragma unroll
    for (int i = 0; i < LANES; i++) {
        int key = stretch * STRETCH + place0 + WARPS * TOGETHER * i;
        bool visible = key >= first && key <= position;
        rows[i] = visible ? table[key / blockSize] * blockSize + key % blockSize : -1;
    }
    long long column = (long long)kvHead * headDim + 8 * part;
    Held ahead[AHEAD];
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        hold(ahead[i], keys, max(rows[i], 0) * keyStride + column, rows[i] < 0 ? 0 : columns, flags);
    }
    for (int e = threadIdx.x; e < HEADS * 8 * LANES; e += STRETCH) {
        int h = e / (8 * LANES);
        int d = e % (8 * LANES);
        queries[h][d] = h < count && d < headDim
                ? load(q, row * qStride + (long long)(head0 + h) * headDim + d, isBf16(flags, 0))
                : 0.f;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < LANES; i++) {
        float k[8];
        spread(ahead[i % AHEAD], k);
        if (i + AHEAD < LANES) {
            int next = rows[i + AHEAD < LANES ? i + AHEAD : 0];
            hold(ahead[i % AHEAD], keys, max(next, 0) * keyStride + column, next < 0 ? 0 : columns, flags);
        }
        int place = place0 + WARPS * TOGETHER * i;
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            float dot = 0.f;
#pragma unroll
            for (int j = 0; j < 8; j++) {
                dot = fmaf(k[j], queries[h][8 * part + j], dot);
            }
#pragma unroll
            for (int distance = LANES / 2; distance > 0; distance >>= 1) {
                dot += __shfl_xor_sync(0xffffffffu, dot, distance);
            }
            if (part == 0) {
                int key = stretch * STRETCH + place;
                float slope = h < count ? slopeOf(slopes, head0 + h) : 0.f;
                scores[h][place] = rows[i] < 0 ? -INFINITY : capped(dot, scoring) + bias(slope, key, position);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        hold(ahead[i], values, max(rows[i], 0) * valueStride + column, rows[i] < 0 ? 0 : columns, flags);
    }
    __syncthreads();
    float largest[HEADS];
    float total[HEADS];
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
        float score = scores[h][threadIdx.x];
        largest[h] = blockMax(score, scratch);
        float e = score == -INFINITY ? 0.f : expf(score - largest[h]);
        scores[h][threadIdx.x] = e;
        total[h] = blockSum(e, scratch);
    }
    __syncthreads();
    float acc[HEADS][8];
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            acc[h][i] = 0.f;
        }
    }
#pragma unroll
    for (int i = 0; i < LANES; i++) {
        float v[8];
        spread(ahead[i % AHEAD], v);
        if (i + AHEAD < LANES) {
            int next = rows[i + AHEAD < LANES ? i + AHEAD : 0];
            hold(ahead[i % AHEAD], values, max(next, 0) * valueStride + column, next < 0 ? 0 : columns, flags);
        }
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            float p = scores[h][place0 + WARPS * TOGETHER * i];
#pragma unroll
            for (int j = 0; j < 8; j++) {
                acc[h][j] = fmaf(p, v[j], acc[h][j]);
            }
        }
    }
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
#pragma unroll
            for (int distance = LANES; distance < 32; distance <<= 1) {
                acc[h][i] += __shfl_xor_sync(0xffffffffu, acc[h][i], distance);
            }
            if (lane < LANES) {
                sums[warp][h][8 * part + i] = acc[h][i];
            }
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < count * headDim; e += STRETCH) {
        int h = e / headDim;
        int d = e % headDim;
        float sum = 0.f;
        for (int w = 0; w < WARPS; w++) {
            sum += sums[w][h][d];
        }
        if (stretches == 1) {
            // Chosen by comparison: an array in registers has no run-time index.
            float whole = total[0];
#pragma unroll
            for (int i = 1; i < HEADS; i++) {
                whole = h == i ? total[i] : whole;
            }
            store(out, row * outStride + (long long)(head0 + h) * headDim + d, isBf16(flags, 3), sum / whole);
        } else {
            long long entry = ((long long)row * heads + head0 + h) * stretches + stretch;
            partials[entry * (headDim + 2) + d] = sum;
        }
    }
    if (stretches == 1) {
        return;
    }
    long long head = (long long)row * heads + head0;
    if (threadIdx.x == 0) {
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            if (h < count) {
                float *entry = partials + ((head + h) * stretches + stretch) * (headDim + 2);
                entry[headDim] = largest[h];
                entry[headDim + 1] = total[h];
            }
        }
    }
    __threadfence();
    __syncthreads();
    int from = first / STRETCH;
    int to = position / STRETCH;
    int *own = arrived + row * gridDim.y + blockIdx.y;
    if (threadIdx.x == 0) {
        last = atomicAdd(own, 1) == to - from;
    }
    __syncthreads();
    if (last) {
        __threadfence();
        for (int h = 0; h < count; h++) {
            joinStretches(
                    partials + (head + h) * stretches * (headDim + 2), from, to, headDim, out,
                    row * outStride + (long long)(head0 + h) * headDim, isBf16(flags, 3));
        }
        if (threadIdx.x == 0) {
            *own = 0;
        }
    }
}

#define PARAMETERS                                                                                                    \
    const void *q, long long qStride, const void *keys, long long keyStride, const void *values,                      \
            long long valueStride, const int *blocks, int blocksOfSequence, int blockSize, const int *sequences,      \
            const int *positions, void *out, long long outStride, float *partials, int *arrived, int heads, int group,  \
            int headDim, float scale, float softcap, int window, const float *slopes, unsigned flags
#define ARGUMENTS                                                                                                      \
    q, qStride, keys, keyStride, values, valueStride, blocks, blocksOfSequence, blockSize, sequences, positions, out, \
            outStride, partials, arrived, heads, group, headDim, scale, softcap, window, slopes, flags

extern "C" __global__ void attendCache1(PARAMETERS) {
    takeTurn();
    attendStretch<1>(ARGUMENTS);
}

extern "C" __global__ void attendCache4(PARAMETERS) {
    takeTurn();
    attendStretch<4>(ARGUMENTS);
}

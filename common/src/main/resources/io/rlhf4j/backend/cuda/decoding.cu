// Attention of new tokens over cached keys and values that lie in blocks (Kwon et al. 2023). A block of threads takes a new
// token and some heads that share keys; its warps take turns at the positions, each with a softmax of its own that goes on
// from tile to tile (Milakov and Gimelshein 2018). Where there are few tokens their positions are cut into splits, so that
// they fill the chip, and the block that is through last joins these in their order (Dao et al. 2023).

#include "attention.cuh"

#define WARPS 4
#define THREADS (32 * WARPS)

// LANES, a power of two: how many lanes of a warp share one position, eight columns each. BLOCK: positions of a block.
#define TOGETHER (32 / LANES)  // positions that a warp looks at at once

// Of a tile a lane holds eight columns of some positions' keys and values, asked for all together: so many positions where a
// block has one head, half as many where it has several.
#ifdef WIDE_BF16
#define MOST_PLACES 8
struct Held {
    Words words;
};

__device__ __forceinline__ void hold(Held &held, const void *base, long long at, int columns, unsigned flags) {
    Words zeros = {0u, 0u, 0u, 0u};
    held.words = columns > 0 ? *(const Words *)((const bf16 *)base + at) : zeros;
}

__device__ __forceinline__ void put(const Held &held, void *base, long long at, int columns, unsigned flags) {
    if (columns > 0) {
        *(Words *)((bf16 *)base + at) = held.words;
    }
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
#define MOST_PLACES 4
struct Held {
    float columns[8];
};

__device__ __forceinline__ void hold(Held &held, const void *base, long long at, int columns, unsigned flags) {
    load8(base, at, isBf16(flags, 1), flags & WIDE, columns, held.columns);
}

__device__ __forceinline__ void put(const Held &held, void *base, long long at, int columns, unsigned flags) {
    store8(base, at, isBf16(flags, 1), flags & WIDE, columns, held.columns);
}

__device__ __forceinline__ void spread(const Held &held, float *v) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
        v[i] = held.columns[i];
    }
}
#endif

// The splits of a head, joined. Other blocks have written them: the first cache does not know them.
__device__ __forceinline__ void joinSplits(
        const float *entries, int splits, int headDim, void *out, long long place, bool asBf16) {
    float largest = -INFINITY;
    for (int s = 0; s < splits; s++) {
        largest = fmaxf(largest, __ldcg(entries + (long long)s * (headDim + 2) + headDim));
    }
    for (int d = threadIdx.x; d < headDim; d += THREADS) {
        float sum = 0.f;
        float total = 0.f;
        for (int s = 0; s < splits; s++) {
            const float *entry = entries + (long long)s * (headDim + 2);
            float weight = expf(__ldcg(entry + headDim) - largest);
            sum = fmaf(weight, __ldcg(entry + d), sum);
            total = fmaf(weight, __ldcg(entry + headDim + 1), total);
        }
        store(out, place + d, asBf16, sum / total);
    }
}

// Keys and values are of one type. newKeys and newValues, a row for each row of q, are put into the cache first, or are null
// where it holds them.
template <int HEADS, int PLACES>
__device__ __forceinline__ void attend(
        const void *q, long long qStride, const void *newKeys, long long newKeyStride, const void *newValues,
        long long newValueStride, void *keys, long long keyStride, void *values, long long valueStride,
        const int *blocks, int blocksOfSequence, const int *sequences, const int *positions, void *out,
        long long outStride, float *partials, int *arrived, int heads, int group, int headDim, float scale,
        float softcap, int window, const float *slopes, unsigned flags) {
    __shared__ float sums[WARPS][HEADS][8 * LANES];
    __shared__ float largests[WARPS][HEADS];
    __shared__ float totals[WARPS][HEADS];
    __shared__ bool last;
    const int TILE = TOGETHER * PLACES;
    letNextBegin();
    // Where sequences lie was known before the pass began.
    int row = blockIdx.x;
    int position = positions[row];
    const int *table = blocks + (long long)sequences[row] * blocksOfSequence;
    Scoring scoring = {scale, softcap, window};
    int first = firstKey(0, position, scoring);
    int seen = position + 1 - first;
    int ofSplit = (seen + gridDim.z - 1) / gridDim.z;
    ofSplit = (ofSplit + TILE - 1) / TILE * TILE;
    int splits = (seen + ofSplit - 1) / ofSplit;
    int split = blockIdx.z;
    int begin = first + split * ofSplit;
    int end = min(begin + ofSplit, position + 1);
    int tilesOfGroup = (group + HEADS - 1) / HEADS;
    int kvHead = blockIdx.y / tilesOfGroup;
    int head0 = kvHead * group + blockIdx.y % tilesOfGroup * HEADS;
    int count = min(HEADS, (kvHead + 1) * group - head0);
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    int part = lane % LANES;
    int columns = max(0, min(8, headDim - 8 * part));
    long long column = (long long)kvHead * headDim + 8 * part;
    waitForEarlier();
    if (split >= splits) {
        return;
    }
    float query[HEADS][8];
    float acc[HEADS][8];
    float largest[HEADS];
    float total[HEADS];
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
        load8(q, row * qStride + (long long)(head0 + min(h, count - 1)) * headDim + 8 * part, isBf16(flags, 0),
              flags & WIDE, columns, query[h]);
        largest[h] = -INFINITY;
        total[h] = 0.f;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            acc[h][i] = 0.f;
        }
    }
    for (int tile = begin + warp * TILE; tile < end; tile += WARPS * TILE) {
        Held k[PLACES];
        Held v[PLACES];
#pragma unroll
        for (int i = 0; i < PLACES; i++) {
            int key = tile + TOGETHER * i + lane / LANES;
            int own = key < end ? columns : 0;
            long long cached = key < end ? (long long)table[key / BLOCK] * BLOCK + key % BLOCK : 0;
            if (newKeys != 0 && key == position) {
                hold(k[i], newKeys, row * newKeyStride + column, own, flags);
                hold(v[i], newValues, row * newValueStride + column, own, flags);
                if (head0 == kvHead * group) {
                    put(k[i], keys, cached * keyStride + column, own, flags);
                    put(v[i], values, cached * valueStride + column, own, flags);
                }
            } else {
                hold(k[i], keys, cached * keyStride + column, own, flags);
                hold(v[i], values, cached * valueStride + column, own, flags);
            }
        }
        float scores[HEADS][PLACES];
#pragma unroll
        for (int i = 0; i < PLACES; i++) {
            int key = tile + TOGETHER * i + lane / LANES;
            float wide[8];
            spread(k[i], wide);
#pragma unroll
            for (int h = 0; h < HEADS; h++) {
                float dot = 0.f;
#pragma unroll
                for (int j = 0; j < 8; j++) {
                    dot = fmaf(wide[j], query[h][j], dot);
                }
#pragma unroll
                for (int distance = LANES / 2; distance > 0; distance >>= 1) {
                    dot += __shfl_xor_sync(0xffffffffu, dot, distance);
                }
                float slope = h < count ? slopeOf(slopes, head0 + h) : 0.f;
                scores[h][i] = key < end ? capped(dot, scoring) + bias(slope, key, position) : -INFINITY;
            }
        }
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            float most = largest[h];
#pragma unroll
            for (int i = 0; i < PLACES; i++) {
                most = fmaxf(most, scores[h][i]);
            }
#pragma unroll
            for (int distance = LANES; distance < 32; distance <<= 1) {
                most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, distance));
            }
            // A tile that begins before the end sees a key: the largest score is one.
            float shrink = expf(largest[h] - most);
            largest[h] = most;
            total[h] *= shrink;
#pragma unroll
            for (int j = 0; j < 8; j++) {
                acc[h][j] *= shrink;
            }
#pragma unroll
            for (int i = 0; i < PLACES; i++) {
                scores[h][i] = expf(scores[h][i] - most);
                total[h] += scores[h][i];
            }
        }
#pragma unroll
        for (int i = 0; i < PLACES; i++) {
            float wide[8];
            spread(v[i], wide);
#pragma unroll
            for (int h = 0; h < HEADS; h++) {
#pragma unroll
                for (int j = 0; j < 8; j++) {
                    acc[h][j] = fmaf(scores[h][i], wide[j], acc[h][j]);
                }
            }
        }
    }
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
#pragma unroll
        for (int distance = LANES; distance < 32; distance <<= 1) {
            total[h] += __shfl_xor_sync(0xffffffffu, total[h], distance);
#pragma unroll
            for (int j = 0; j < 8; j++) {
                acc[h][j] += __shfl_xor_sync(0xffffffffu, acc[h][j], distance);
            }
        }
        if (lane < LANES) {
#pragma unroll
            for (int j = 0; j < 8; j++) {
                sums[warp][h][8 * part + j] = acc[h][j];
            }
        }
        if (lane == 0) {
            largests[warp][h] = largest[h];
            totals[warp][h] = total[h];
        }
    }
    __syncthreads();
    long long head = (long long)row * heads + head0;
    for (int e = threadIdx.x; e < count * headDim; e += THREADS) {
        int h = e / headDim;
        int d = e % headDim;
        float most = largests[0][h];
        for (int w = 1; w < WARPS; w++) {
            most = fmaxf(most, largests[w][h]);
        }
        float sum = 0.f;
        float whole = 0.f;
        for (int w = 0; w < WARPS; w++) {
            float weight = expf(largests[w][h] - most);
            sum = fmaf(weight, sums[w][h][d], sum);
            whole = fmaf(weight, totals[w][h], whole);
        }
        if (splits == 1) {
            store(out, row * outStride + (long long)(head0 + h) * headDim + d, isBf16(flags, 3), sum / whole);
        } else {
            float *entry = partials + ((head + h) * gridDim.z + split) * (headDim + 2);
            entry[d] = sum;
            if (d == 0) {
                entry[headDim] = most;
                entry[headDim + 1] = whole;
            }
        }
    }
    if (splits == 1) {
        return;
    }
    __threadfence();
    __syncthreads();
    int *own = arrived + row * gridDim.y + blockIdx.y;
    if (threadIdx.x == 0) {
        last = atomicAdd(own, 1) == splits - 1;
    }
    __syncthreads();
    if (last) {
        __threadfence();
        for (int h = 0; h < count; h++) {
            joinSplits(
                    partials + (head + h) * gridDim.z * (headDim + 2), splits, headDim, out,
                    row * outStride + (long long)(head0 + h) * headDim, isBf16(flags, 3));
        }
        if (threadIdx.x == 0) {
            *own = 0;
        }
    }
}

#define PARAMETERS                                                                                                  \
    const void *q, long long qStride, const void *newKeys, long long newKeyStride, const void *newValues,           \
            long long newValueStride, void *keys, long long keyStride, void *values, long long valueStride,         \
            const int *blocks, int blocksOfSequence, const int *sequences, const int *positions, void *out,         \
            long long outStride, float *partials, int *arrived, int heads, int group, int headDim, float scale,     \
            float softcap, int window, const float *slopes, unsigned flags
#define ARGUMENTS                                                                                                   \
    q, qStride, newKeys, newKeyStride, newValues, newValueStride, keys, keyStride, values, valueStride, blocks,     \
            blocksOfSequence, sequences, positions, out, outStride, partials, arrived, heads, group, headDim,       \
            scale, softcap, window, slopes, flags

extern "C" __global__ void __launch_bounds__(THREADS) attendCache1(PARAMETERS) {
    attend<1, MOST_PLACES>(ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(THREADS) attendCache4(PARAMETERS) {
    attend<4, MOST_PLACES / 2>(ARGUMENTS);
}

// Products of a few rows: out = residual + f(scale * (x weightᵀ) + bias), where all time goes into reading the weight once.
//
// A block takes 16 outputs. Its warps share the inputs between them, 64 at a time, and add their sums up in their order.
// Tensor cores take a tile of 16 outputs by 16 inputs by 8 rows; which input stands where in a tile is free as long as
// weight and rows agree. So a thread reads 16 bytes of a weight's row, and what it has read are its parts of two tiles (of
// four where a byte is a weight): nothing has to change hands.

#include "activations.cuh"

#define OUTPUTS 16
#define CHUNK 64  // inputs that a warp takes at once

#ifdef INT8_WEIGHT
typedef signed char Weight;
#define LOADS 1  // of 16 bytes, for a chunk of one output
#else
typedef bf16 Weight;
#define LOADS 2
#endif

struct Chunk {
    Words upper[LOADS];  // output lane / 4
    Words lower[LOADS];  // output lane / 4 + 8
};

// Of the sums of a block each thread finishes some.
#define SUMS (8 * TILES * OUTPUTS)
#define OF_THREAD ((SUMS + 32 * WARPS - 1) / (32 * WARPS))

// Weights are read once: they need not stay in the first cache.
__device__ __forceinline__ Words readOnce(const Weight *address) {
    Words words;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
                 : "l"(address));
    return words;
}

__device__ __forceinline__ void fetch(Chunk &chunk, const Weight *upper, const Weight *lower, int input) {
#pragma unroll
    for (int i = 0; i < LOADS; i++) {
        chunk.upper[i] = readOnce(upper + input + CHUNK / LOADS * i);
        chunk.lower[i] = readOnce(lower + input + CHUNK / LOADS * i);
    }
}

__device__ __forceinline__ void multiply(
        float *sums, unsigned w0, unsigned w1, unsigned w2, unsigned w3, unsigned x0, unsigned x1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(w0), "r"(w1), "r"(w2), "r"(w3), "r"(x0), "r"(x1));
}

#ifdef INT8_WEIGHT
// Two bytes of a word, numbers from -128 to 127, as bf16: 128 + its lower seven bits is a bf16 whose last bit counts one,
// and what has to go from it is 128, or 256 where the number is negative. `selector` chooses the bytes.
__device__ __forceinline__ unsigned widenPair(unsigned bytes, unsigned selector) {
    unsigned spread = __byte_perm(bytes, 0u, selector);
    unsigned number = (spread & 0x007f007fu) | 0x43004300u;
    unsigned less = (spread & 0x00800080u) | 0x43004300u;
    unsigned result;
    // number * 1 + -less
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(number), "r"(0x3f803f80u), "r"(less ^ 0x80008000u));
    return result;
}

// 16 inputs of an output in words of a thread: those of two 16-byte pieces of rows.
__device__ __forceinline__ void multiplyChunk(float *sums, const Chunk &chunk, const Words *x) {
    const unsigned upper[4] = {chunk.upper[0].x, chunk.upper[0].y, chunk.upper[0].z, chunk.upper[0].w};
    const unsigned lower[4] = {chunk.lower[0].x, chunk.lower[0].y, chunk.lower[0].z, chunk.lower[0].w};
    const unsigned rows[8] = {x[0].x, x[0].y, x[0].z, x[0].w, x[1].x, x[1].y, x[1].z, x[1].w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        multiply(sums, widenPair(upper[i], 0x4140u), widenPair(lower[i], 0x4140u), widenPair(upper[i], 0x4342u),
                 widenPair(lower[i], 0x4342u), rows[2 * i], rows[2 * i + 1]);
    }
}

#define INPUT_OF_PIECE(lane, piece) (16 * ((lane) % 4) + 8 * (piece))
#else
__device__ __forceinline__ void multiplyChunk(float *sums, const Chunk &chunk, const Words *x) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
        multiply(sums, chunk.upper[i].x, chunk.lower[i].x, chunk.upper[i].y, chunk.lower[i].y, x[i].x, x[i].y);
        multiply(sums, chunk.upper[i].z, chunk.lower[i].z, chunk.upper[i].w, chunk.lower[i].w, x[i].z, x[i].w);
    }
}

#define INPUT_OF_PIECE(lane, piece) (8 * ((lane) % 4) + 32 * (piece))
#endif

__device__ __forceinline__ void fetchRow(Words *parts, const bf16 *inputs, int lane) {
    parts[0] = *(const Words *)(inputs + INPUT_OF_PIECE(lane, 0));
    parts[1] = *(const Words *)(inputs + INPUT_OF_PIECE(lane, 1));
}

// The block's part of what will be read next is brought near: the memory is not idle while small kernels run.
__device__ __forceinline__ void bringNear(const char *next, int bytes) {
    int part = (bytes / (int)gridDim.x + 127) / 128 * 128;
    int begin = blockIdx.x * part;
    int end = min(begin + part, bytes);
#if __CUDA_ARCH__ >= 900
    if (threadIdx.x == 0 && begin < end) {
        asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(next + begin), "r"(end - begin) : "memory");
    }
#else
    for (int at = begin + 128 * threadIdx.x; at < end; at += 128 * blockDim.x) {
        asm volatile("prefetch.global.L2 [%0];" ::"l"(next + at));
    }
#endif
}

// TILES: tiles of eight rows. WARPS: of a block. BLOCKS: that a multiprocessor works on at once. `next` is the weight of the
// product after this one, of which `nextBytes` are brought near.
extern "C" __global__ void __launch_bounds__(32 * WARPS, BLOCKS) fewRows(
        const bf16 *x, long long xStride, const Weight *weight, long long weightStride, const float *scales,
        const char *next, int nextBytes, const void *bias, const void *residual, long long residualStride, void *out,
        long long outStride, int rows, int outputs, int inner, int activation, unsigned flags) {
    __shared__ float sums[WARPS][TILES][32][4];
    letNextBegin();
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    int output0 = blockIdx.x * OUTPUTS;
    const Weight *upper = weight + min(output0 + lane / 4, outputs - 1) * weightStride + 16 / sizeof(Weight) * (lane % 4);
    const Weight *lower =
            weight + min(output0 + lane / 4 + 8, outputs - 1) * weightStride + 16 / sizeof(Weight) * (lane % 4);
    // No pass writes weights while it is replayed, so these need not wait for the kernels before.
    Chunk ahead;
    fetch(ahead, upper, lower, min(warp * CHUNK, inner - CHUNK));
    float added[OF_THREAD];
    float scale[OF_THREAD];
#pragma unroll
    for (int i = 0; i < OF_THREAD; i++) {
        int output = output0 + (threadIdx.x + 32 * WARPS * i) % OUTPUTS;
        bool there = output < outputs;
        added[i] = there && bias != 0 ? load(bias, output, isBf16(flags, 0)) : 0.f;
        scale[i] = there && scales != 0 ? scales[output] : 1.f;
    }
    waitForEarlier();
    const bf16 *own[TILES];
    Words aheadOfRow[TILES][2];
    float acc[TILES][4];
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
        // Rows beyond the last are the last once more, and nobody looks at their sums.
        own[tile] = x + min(8 * tile + lane / 4, rows - 1) * xStride;
        fetchRow(aheadOfRow[tile], own[tile] + min(warp * CHUNK, inner - CHUNK), lane);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            acc[tile][i] = 0.f;
        }
    }
    float earlier[OF_THREAD];
#pragma unroll
    for (int i = 0; i < OF_THREAD; i++) {
        int e = threadIdx.x + 32 * WARPS * i;
        int output = output0 + e % OUTPUTS;
        bool there = output < outputs && e / OUTPUTS < rows && residual != 0;
        earlier[i] = there ? load(residual, e / OUTPUTS * residualStride + output, isBf16(flags, 1)) : 0.f;
    }
#pragma unroll 1
    for (int input = warp * CHUNK; input < inner; input += WARPS * CHUNK) {
        Chunk chunk = ahead;
        int following = min(input + WARPS * CHUNK, inner - CHUNK);
        fetch(ahead, upper, lower, following);
#pragma unroll
        for (int tile = 0; tile < TILES; tile++) {
            Words parts[2] = {aheadOfRow[tile][0], aheadOfRow[tile][1]};
            fetchRow(aheadOfRow[tile], own[tile] + following, lane);
            multiplyChunk(acc[tile], chunk, parts);
        }
    }
    if (nextBytes > 0) {
        bringNear(next, nextBytes);
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sums[warp][tile][lane][i] = acc[tile][i];
        }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < OF_THREAD; i++) {
        int e = threadIdx.x + 32 * WARPS * i;
        int output = output0 + e % OUTPUTS;
        int row = e / OUTPUTS;
        if (output >= outputs || row >= rows) {
            continue;
        }
        int holder = e % 8 * 4 + row % 8 / 2;
        int place = e % OUTPUTS / 8 * 2 + row % 2;
        float sum = 0.f;
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            sum += sums[w][row / 8][holder][place];
        }
        sum = sum * scale[i] + added[i];
        sum = activation < 0 ? sum : activated(activation, sum);
        store(out, row * outStride + output, isBf16(flags, 2), sum + earlier[i]);
    }
}

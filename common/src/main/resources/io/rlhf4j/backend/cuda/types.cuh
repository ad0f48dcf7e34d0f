// What all kernels share: bfloat16, loads and stores of eight elements, sums over a warp and over a block in a fixed order.
// Tensors are FP32 or BF16: bit i of a kernel's `flags` says that its tensor number i is BF16. Arithmetic is fp32.

#define WIDE 0x100u  // flag: every tensor's rows begin at a multiple of 16 bytes

#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

typedef unsigned short bf16;

// Lets the next kernel begin as soon as there is room.
__device__ __forceinline__ void letNextBegin() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// Until the kernels before are through: only then may be read what they write, or written what they read.
__device__ __forceinline__ void waitForEarlier() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Every kernel begins with it: in a recorded pass its blocks may begin while the kernel before still runs.
__device__ __forceinline__ void takeTurn() {
    letNextBegin();
    waitForEarlier();
}

__device__ __forceinline__ float widen(bf16 bits) {
    return __uint_as_float((unsigned)bits << 16);
}

// The nearest bfloat16, ties to even.
__device__ __forceinline__ bf16 narrow(float value) {
    unsigned bits = __float_as_uint(value);
    bf16 nearest = (bf16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    return value != value ? (bf16)0x7fc0 : nearest;
}

// Two bfloat16 in one word, the first in the lower half.
__device__ __forceinline__ unsigned narrowPair(float first, float second) {
#ifdef __CUDACC__
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#else
    return (unsigned)narrow(first) | ((unsigned)narrow(second) << 16);
#endif
}

__device__ __forceinline__ bool isBf16(unsigned flags, int tensor) {
    return (flags >> tensor) & 1u;
}

__device__ __forceinline__ float load(const void *base, long long index, bool asBf16) {
    return asBf16 ? widen(((const bf16 *)base)[index]) : ((const float *)base)[index];
}

__device__ __forceinline__ void store(void *base, long long index, bool asBf16, float value) {
    if (asBf16) {
        ((bf16 *)base)[index] = narrow(value);
    } else {
        ((float *)base)[index] = value;
    }
}

struct __align__(16) Words {
    unsigned x, y, z, w;
};

// `count` elements from `index` on, the rest zero.
__device__ __forceinline__ void load8(const void *base, long long index, bool asBf16, bool wide, int count, float *v) {
    if (wide && count == 8) {
        if (asBf16) {
            Words words = *(const Words *)((const bf16 *)base + index);
            const unsigned pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                v[2 * i] = __uint_as_float(pairs[i] << 16);
                v[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000u);
            }
        } else {
            const Words *source = (const Words *)((const float *)base + index);
            Words first = source[0];
            Words second = source[1];
            v[0] = __uint_as_float(first.x);
            v[1] = __uint_as_float(first.y);
            v[2] = __uint_as_float(first.z);
            v[3] = __uint_as_float(first.w);
            v[4] = __uint_as_float(second.x);
            v[5] = __uint_as_float(second.y);
            v[6] = __uint_as_float(second.z);
            v[7] = __uint_as_float(second.w);
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        v[i] = i < count ? load(base, index + i, asBf16) : 0.f;
    }
}

__device__ __forceinline__ void store8(
        void *base, long long index, bool asBf16, bool wide, int count, const float *v) {
    if (wide && count == 8) {
        if (asBf16) {
            Words words = {narrowPair(v[0], v[1]), narrowPair(v[2], v[3]), narrowPair(v[4], v[5]),
                           narrowPair(v[6], v[7])};
            *(Words *)((bf16 *)base + index) = words;
        } else {
            Words *target = (Words *)((float *)base + index);
            Words first = {__float_as_uint(v[0]), __float_as_uint(v[1]), __float_as_uint(v[2]), __float_as_uint(v[3])};
            Words second = {__float_as_uint(v[4]), __float_as_uint(v[5]), __float_as_uint(v[6]), __float_as_uint(v[7])};
            target[0] = first;
            target[1] = second;
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        if (i < count) {
            store(base, index + i, asBf16, v[i]);
        }
    }
}

// The eight elements of a matrix that this thread works on; count is 0 beyond the end.
struct Part {
    long long row;
    long long column;
    int count;
};

__device__ __forceinline__ Part partOf(long long rows, long long columns) {
    long long number = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    Part part = {0, 8 * number, 0};
    if (rows != 1) {
        // A launch has fewer than 2^32 threads, and a division of 64 bits takes long.
        unsigned partsOfRow = (unsigned)((columns + 7) / 8);
        part.row = partsOfRow == 0 ? rows : (unsigned)number / partsOfRow;
        part.column = partsOfRow == 0 ? 0 : 8LL * ((unsigned)number % partsOfRow);
    }
    long long left = part.row < rows ? columns - part.column : 0;
    part.count = left >= 8 ? 8 : left > 0 ? (int)left : 0;
    return part;
}

template <class A>
__device__ __forceinline__ A warpSum(A value) {
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1) {
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    }
    return value;
}

__device__ __forceinline__ float warpMax(float value) {
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, distance));
    }
    return value;
}

// The sum over all threads, in every thread. `scratch` holds one element a warp, and is not used again before all have met.
template <class A>
__device__ __forceinline__ A blockSumOnce(A value, A *scratch) {
    value = warpSum(value);
    if ((threadIdx.x & 31) == 0) {
        scratch[threadIdx.x >> 5] = value;
    }
    __syncthreads();
    A total = 0;
#pragma unroll 8
    for (int warp = 0; warp < (int)blockDim.x / 32; warp++) {
        total += scratch[warp];
    }
    return total;
}

// The sum over all threads, in every thread. `scratch` holds one element a warp.
template <class A>
__device__ __forceinline__ A blockSum(A value, A *scratch) {
    __syncthreads();
    return blockSumOnce(value, scratch);
}

__device__ __forceinline__ float blockMax(float value, float *scratch) {
    value = warpMax(value);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) {
        scratch[threadIdx.x >> 5] = value;
    }
    __syncthreads();
    float largest = scratch[0];
    for (int warp = 1; warp < (int)blockDim.x / 32; warp++) {
        largest = fmaxf(largest, scratch[warp]);
    }
    return largest;
}

// Weights of eight bits: a row of whole numbers from -127 to 127 times the row's scale, as tensor.Int8 has it.

#define LARGEST 127
#define SMALLEST_SCALE 7.888609052210118e-31f  // 2^-100

// A block rounds a row.
extern "C" __global__ void roundToInt8(
        const void *weight, long long stride, signed char *codes, float *scales, int columns, unsigned flags) {
    takeTurn();
    __shared__ float scratch[32];
    long long row = blockIdx.x;
    float largest = 0.f;
    bool broken = false;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        float magnitude = fabsf(load(weight, row * stride + c, isBf16(flags, 0)));
        broken = broken || magnitude != magnitude;
        largest = fmaxf(largest, magnitude);
    }
    largest = blockMax(largest, scratch);
    float scale = __fdiv_rn(__syncthreads_or(broken) ? __int_as_float(0x7fc00000) : largest, (float)LARGEST);
    scale = scale < SMALLEST_SCALE ? 1.f : scale;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        codes[row * columns + c] =
                (signed char)__float2int_rn(__fdiv_rn(load(weight, row * stride + c, isBf16(flags, 0)), scale));
    }
    if (threadIdx.x == 0) {
        scales[row] = scale;
    }
}

// A thread widens eight weights.
extern "C" __global__ void widenInt8(
        const signed char *codes, const float *scales, void *weight, long long rows, long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float v[8];
        const signed char *own = codes + part.row * columns + part.column;
        float scale = scales[part.row];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] = i < part.count ? own[i] * scale : 0.f;
        }
        store8(weight, part.row * columns + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
    }
}

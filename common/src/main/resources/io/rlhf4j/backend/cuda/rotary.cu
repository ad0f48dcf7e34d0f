// Rotary positions. A thread turns one pair of a head.

extern "C" __global__ void rotate(
        void *x, long long stride, const int *positions, const float *cosines, const float *sines, long long tokens,
        int heads, int headDim, int half, int interleaved, float direction, unsigned flags) {
    takeTurn();
    long long number = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= tokens * heads * half) {
        return;
    }
    int pair = (int)(number % half);
    long long rest = number / half;
    int head = (int)(rest % heads);
    long long token = rest / heads;
    long long table = (long long)positions[token] * half + pair;
    float c = cosines[table];
    float s = direction * sines[table];
    long long begin = token * stride + (long long)head * headDim;
    long long first = begin + (interleaved ? 2 * pair : pair);
    long long second = interleaved ? first + 1 : first + half;
    float a = load(x, first, isBf16(flags, 0));
    float b = load(x, second, isBf16(flags, 0));
    store(x, first, isBf16(flags, 0), a * c - b * s);
    store(x, second, isBf16(flags, 0), b * c + a * s);
}

// Rows of fp32 logits: what is known of the targets, gradients, drawn tokens.

// l = softcap tanh(l / softcap) / temperature
extern "C" __global__ void capLogits(float *logits, float softcap, float temperature, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8];
        load8(logits, part.column, false, flags & WIDE, part.count, v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float capped = softcap > 0.f ? softcap * tanhf(v[i] / softcap) : v[i];
            v[i] = capped / temperature;
        }
        store8(logits, part.column, false, flags & WIDE, part.count, v);
    }
}

// Of each row: log-probability of its target, entropy, logarithm of the sum of exponentials.
extern "C" __global__ void rowStatistics(
        const float *logits, long long vocabulary, const int *targets, float *logProbs, float *entropies,
        float *logSums) {
    takeTurn();
    __shared__ float scratch[32];
    __shared__ double sums[32];
    const float *row = logits + blockIdx.x * vocabulary;
    float largest = -INFINITY;
    for (long long i = threadIdx.x; i < vocabulary; i += blockDim.x) {
        largest = fmaxf(largest, row[i]);
    }
    largest = blockMax(largest, scratch);
    float sum = 0.f;
    float weighted = 0.f;
    for (long long i = threadIdx.x; i < vocabulary; i += blockDim.x) {
        float shifted = row[i] - largest;
        float e = expf(shifted);
        sum += e;
        weighted += e > 0.f ? e * shifted : 0.f;
    }
    double total = blockSum((double)sum, sums);
    double mean = blockSum((double)weighted, sums) / total;
    if (threadIdx.x == 0) {
        double logarithm = log(total);
        logProbs[blockIdx.x] = (float)((double)row[targets[blockIdx.x]] - largest - logarithm);
        entropies[blockIdx.x] = (float)(logarithm - mean);
        logSums[blockIdx.x] = (float)(largest + logarithm);
    }
}

// Logits to their gradients, in place or rounded to bf16. limit = softcap / temperature, 0 without a cap.
extern "C" __global__ void logitSlopes(
        const float *logits, void *slopes, long long rows, long long vocabulary, const int *targets,
        const float *entropies, const float *logSums, const float *ofLogProb, const float *ofEntropy, float limit,
        float temperature, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, vocabulary);
    if (part.count == 0) {
        return;
    }
    float l[8];
    bool wide = flags & WIDE;
    load8(logits, part.row * vocabulary + part.column, false, wide, part.count, l);
    float logSum = logSums[part.row];
    float entropy = entropies[part.row];
    float byLogProb = ofLogProb[part.row];
    float byEntropy = ofEntropy[part.row];
    long long target = targets[part.row] - part.column;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        float logP = l[i] - logSum;
        float t = limit > 0.f ? l[i] / limit : 0.f;
        float chain = (1.f - t * t) / temperature;
        float slope = expf(logP) * (-byEntropy * (fmaxf(logP, -200.f) + entropy) - byLogProb);
        l[i] = (slope + (i == target ? byLogProb : 0.f)) * chain;
    }
    store8(slopes, part.row * vocabulary + part.column, isBf16(flags, 0), wide, part.count, l);
}

// Of all lanes up to this one.
__device__ __forceinline__ double runningSum(double value, int lane) {
#pragma unroll
    for (int distance = 1; distance < 32; distance <<= 1) {
        double before = __shfl_up_sync(0xffffffffu, value, distance);
        value += lane >= distance ? before : 0.0;
    }
    return value;
}

// A block draws one token: each warp sums a stretch of the vocabulary, then the stretch of the draw is walked.
extern "C" __global__ void drawTokens(
        const float *logits, long long stride, int vocabulary, float temperature, const int *rows,
        const double *uniforms, int *tokens, float *logProbs) {
    takeTurn();
    __shared__ float scratch[32];
    __shared__ double sums[32];
    const float *row = logits + rows[blockIdx.x] * stride;
    int warps = blockDim.x / 32;
    int warp = threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    int stretch = (vocabulary + warps - 1) / warps;
    int from = min(vocabulary, warp * stretch);
    int to = min(vocabulary, from + stretch);
    float inverse = 1.f / temperature;
    float largest = -INFINITY;
#pragma unroll 8
    for (int i = from + lane; i < to; i += 32) {
        largest = fmaxf(largest, row[i]);
    }
    largest = blockMax(largest, scratch);
    double sum = 0;
#pragma unroll 8
    for (int i = from + lane; i < to; i += 32) {
        sum += (double)expf((row[i] - largest) * inverse);
    }
    sum = warpSum(sum);
    if (lane == 0) {
        sums[warp] = sum;
    }
    __syncthreads();
    double total = 0;
    for (int i = 0; i < warps; i++) {
        total += sums[i];
    }
    double rest = uniforms[blockIdx.x] * total;
    int chosen = 0;
    while (chosen < warps - 1 && rest >= sums[chosen]) {
        rest -= sums[chosen];
        chosen++;
    }
    while (chosen > 0 && sums[chosen] == 0) {
        chosen--;
    }
    if (warp != chosen) {
        return;
    }
    // Each lane sums a piece of the stretch; the piece of the draw is walked by all lanes.
    int piece = (to - from + 31) / 32;
    int begin = min(to, from + lane * piece);
    int end = min(to, begin + piece);
    double share = 0;
#pragma unroll 8
    for (int i = begin; i < end; i++) {
        share += (double)expf((row[i] - largest) * inverse);
    }
    double running = runningSum(share, lane);
    unsigned possible = __ballot_sync(0xffffffffu, share > 0.0);
    unsigned passed = __ballot_sync(0xffffffffu, share > 0.0 && rest < running);
    // Where rounding leaves a rest it is the last one possible.
    int owner = passed != 0 ? __ffs(passed) - 1 : possible != 0 ? 31 - __clz(possible) : 0;
    rest -= __shfl_sync(0xffffffffu, running - share, owner);
    begin = __shfl_sync(0xffffffffu, begin, owner);
    end = __shfl_sync(0xffffffffu, end, owner);
    int token = begin;
    for (bool found = false; begin < end && !found; begin += 32) {
        int i = begin + lane;
        share = i < end ? (double)expf((row[i] - largest) * inverse) : 0.0;
        running = runningSum(share, lane);
        possible = __ballot_sync(0xffffffffu, share > 0.0);
        passed = __ballot_sync(0xffffffffu, share > 0.0 && rest < running);
        found = passed != 0;
        if (found) {
            token = begin + __ffs(passed) - 1;
        } else if (possible != 0) {
            token = begin + 31 - __clz(possible);
        }
        rest -= __shfl_sync(0xffffffffu, running, 31);
    }
    if (lane == 0) {
        tokens[blockIdx.x] = token;
        logProbs[blockIdx.x] = (float)(((double)row[token] - largest) / temperature - log(total));
    }
}

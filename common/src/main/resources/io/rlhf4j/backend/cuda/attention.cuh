// What all attention kernels share. A tile is a stretch of rows of one sequence: {first row, the sequence's first row, the
// row behind its last}.

struct Scoring {
    float scale;
    float softcap;
    int window;
};

__device__ __forceinline__ float capped(float dot, Scoring s) {
    float score = dot * s.scale;
#ifdef PLAIN_SCORES  // without cap and slopes
    return score;
#endif
    return s.softcap > 0.f ? s.softcap * tanhf(score / s.softcap) : score;
}

// d capped / d dot
__device__ __forceinline__ float cappedSlope(float score, Scoring s) {
#ifdef PLAIN_SCORES
    return s.scale;
#endif
    float t = s.softcap > 0.f ? score / s.softcap : 0.f;
    return (1.f - t * t) * s.scale;
}

__device__ __forceinline__ bool seen(int key, int query, Scoring s) {
    return key <= query && (s.window == 0 || key > query - s.window);
}

__device__ __forceinline__ int firstKey(int begin, int query, Scoring s) {
    return s.window == 0 ? begin : max(begin, query - s.window + 1);
}

// The row behind the last query that sees one of the keys up to `key`.
__device__ __forceinline__ int endOfQueries(int end, int key, Scoring s) {
    return s.window == 0 ? end : min(end, key + s.window);
}

// How much nearness counts (Press et al. 2022).
__device__ __forceinline__ float bias(float slope, int key, int query) {
#ifdef PLAIN_SCORES
    return 0.f;
#endif
    return slope * (float)(key - query);
}

// Whether all of `rows` queries see all of `columns` keys.
__device__ __forceinline__ bool allSeen(int firstQuery, int rows, int firstKey, int columns, Scoring s) {
    return firstKey + columns - 1 <= firstQuery && (s.window == 0 || firstKey > firstQuery + rows - 1 - s.window);
}

__device__ __forceinline__ float slopeOf(const float *slopes, int head) {
    return slopes == 0 ? 0.f : slopes[head];
}

// Products of bf16 tiles on tensor cores, and how their operands come from shared memory into registers. A warp holds 16
// rows; lane l holds of every 16 x 8 result the elements (l / 4, 2 (l % 4)), the one right of it, and the two 8 rows below.

// c [16 x 8] += a [16 x 16] b [16 x 8]
__device__ __forceinline__ void multiplyAdd(float *c, const unsigned *a, const unsigned *b) {
#ifdef __CUDACC__
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    emulateMultiplyAdd(c, a, b);
#endif
}

// Four 8 x 8 matrices; lane l gives the place of row l % 8 of matrix l / 8.
__device__ __forceinline__ void loadMatrices(unsigned *r, const bf16 *row) {
#ifdef __CUDACC__
    unsigned place = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(place));
#else
    emulateLoadMatrices(r, row, false);
#endif
}

__device__ __forceinline__ void loadMatricesTransposed(unsigned *r, const bf16 *row) {
#ifdef __CUDACC__
    unsigned place = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(place));
#else
    emulateLoadMatrices(r, row, true);
#endif
}

// The left operand: rows [0, 16) and columns [0, 16) from `corner` on of a row-major tile.
__device__ __forceinline__ void loadLeft(unsigned *a, const bf16 *corner, int stride) {
    int lane = threadIdx.x % 32;
    loadMatrices(a, corner + (lane % 16) * stride + lane / 16 * 8);
}

// Two right operands, for results of 16 x 8 beside each other, from a tile that has their columns as rows: x yT.
__device__ __forceinline__ void loadRightOfRows(unsigned *b, const bf16 *corner, int stride) {
    int lane = threadIdx.x % 32;
    loadMatrices(b, corner + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8);
}

// The same from a tile as it lies: x y.
__device__ __forceinline__ void loadRight(unsigned *b, const bf16 *corner, int stride) {
    int lane = threadIdx.x % 32;
    loadMatricesTransposed(b, corner + (lane % 8 + lane / 8 % 2 * 8) * stride + lane / 16 * 8);
}

// Two results of 16 x 8 beside each other, rounded, as the left operand of the next product.
__device__ __forceinline__ void asLeft(unsigned *a, const float *left, const float *right) {
    a[0] = narrowPair(left[0], left[1]);
    a[1] = narrowPair(left[2], left[3]);
    a[2] = narrowPair(right[0], right[1]);
    a[3] = narrowPair(right[2], right[3]);
}

// Begins to copy 16 (or 4) bytes into shared memory; zeros where nothing is there. The copies that a thread began since its
// last commit are one group.
__device__ __forceinline__ void copyLater(void *shared, const void *global, bool isThere) {
#ifdef __CUDACC__
    unsigned place = (unsigned)__cvta_generic_to_shared(shared);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(place), "l"(global), "r"(isThere ? 16 : 0) : "memory");
#else
    Words zeros = {0u, 0u, 0u, 0u};
    *(Words *)shared = isThere ? *(const Words *)global : zeros;
#endif
}

__device__ __forceinline__ void copyNumberLater(float *shared, const float *global, bool isThere) {
#ifdef __CUDACC__
    unsigned place = (unsigned)__cvta_generic_to_shared(shared);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(place), "l"(global), "r"(isThere ? 4 : 0) : "memory");
#else
    *shared = isThere ? *global : 0.f;
#endif
}

__device__ __forceinline__ void commitCopies() {
#ifdef __CUDACC__
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until no more than `OPEN` groups of this thread are under way.
template <int OPEN>
__device__ __forceinline__ void awaitCopies() {
#ifdef __CUDACC__
    asm volatile("cp.async.wait_group %0;" ::"n"(OPEN) : "memory");
#endif
}

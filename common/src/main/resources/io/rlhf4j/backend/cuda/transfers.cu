// Numbers within and between tensors; rows by index; sums of columns. A thread takes eight columns of a row.

extern "C" __global__ void fillRows(
        void *target, long long stride, long long rows, long long columns, float value, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    float v[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        v[i] = value;
    }
    if (part.count > 0) {
        store8(target, part.row * stride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
    }
}

extern "C" __global__ void copyRows(
        const void *source, long long sourceStride, void *target, long long targetStride, long long rows,
        long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float v[8];
        load8(source, part.row * sourceStride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        store8(target, part.row * targetStride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
    }
}

// out[i] = table[indices[i]]
extern "C" __global__ void gatherRows(
        const void *table, long long tableStride, const int *indices, void *out, long long outStride, long long rows,
        long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float v[8];
        long long row = indices[part.row];
        load8(table, row * tableStride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        store8(out, part.row * outStride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
    }
}

// table[indices[i]] = rows[i]
extern "C" __global__ void putRows(
        const void *source, long long sourceStride, const int *indices, void *table, long long tableStride,
        long long rows, long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float v[8];
        long long row = indices[part.row];
        load8(source, part.row * sourceStride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        store8(table, row * tableStride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
    }
}

// table[index of group] += the rows of the group, in their order: order[begins[g] .. begins[g + 1]].
extern "C" __global__ void scatterAddRows(
        const void *source, long long sourceStride, const int *order, const int *begins, const int *indices,
        void *table, long long tableStride, long long groups, long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(groups, columns);
    if (part.count == 0) {
        return;
    }
    float sum[8];
    long long place = (long long)indices[part.row] * tableStride + part.column;
    load8(table, place, isBf16(flags, 1), flags & WIDE, part.count, sum);
    for (int i = begins[part.row]; i < begins[part.row + 1]; i++) {
        float v[8];
        load8(source, order[i] * sourceStride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
#pragma unroll
        for (int j = 0; j < 8; j++) {
            sum[j] += v[j];
        }
    }
    store8(table, place, isBf16(flags, 1), flags & WIDE, part.count, sum);
}

// partials[chunk][c] = sum over the chunk's rows of x[r][c]
extern "C" __global__ void columnPartials(
        const void *x, long long stride, long long rows, long long columns, int rowsOfChunk, float *partials,
        unsigned flags) {
    takeTurn();
    long long chunks = (rows + rowsOfChunk - 1) / rowsOfChunk;
    Part part = partOf(chunks, columns);
    if (part.count == 0) {
        return;
    }
    float sum[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    long long end = min((part.row + 1) * rowsOfChunk, rows);
    for (long long row = part.row * rowsOfChunk; row < end; row++) {
        float v[8];
        load8(x, row * stride + part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            sum[i] += v[i];
        }
    }
    store8(partials, part.row * columns + part.column, false, false, part.count, sum);
}

// sums[c] += partials of all chunks, in a fixed order; a block takes 32 columns, a warp every eighth chunk of them
extern "C" __global__ void addPartials(
        const float *partials, int chunks, long long columns, void *sums, unsigned flags) {
    takeTurn();
    __shared__ float ofWarps[8][32];
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    long long column = blockIdx.x * 32LL + lane;
    float sum = 0.f;
    if (column < columns) {
        for (int chunk = warp; chunk < chunks; chunk += 8) {
            sum += partials[chunk * columns + column];
        }
    }
    ofWarps[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && column < columns) {
        float total = load(sums, column, isBf16(flags, 0));
        for (int i = 0; i < 8; i++) {
            total += ofWarps[i][lane];
        }
        store(sums, column, isBf16(flags, 0), total);
    }
}

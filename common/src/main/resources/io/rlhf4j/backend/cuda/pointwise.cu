// Element by element.

#include "activations.cuh"

__device__ __forceinline__ float slope(int f, float x) {
    if (f == RELU) {
        return x > 0.f ? 1.f : 0.f;
    }
    if (f == GELU) {
        float density = 0.39894228040143268f * expf(-0.5f * x * x);
        return 0.5f * (1.f + erff(x * 0.70710678118654752f)) + x * density;
    }
    if (f == GELU_TANH) {
        float t = tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x));
        float inner = 0.79788456080286536f * (1.f + 3.f * 0.044715f * x * x);
        return 0.5f * (1.f + t) + 0.5f * x * (1.f - t * t) * inner;
    }
    float s = 1.f / (1.f + expf(-x));
    return s * (1.f + x * (1.f - s));
}

extern "C" __global__ void addTensors(
        const void *a, const void *b, void *out, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8], w[8];
        load8(a, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        load8(b, part.column, isBf16(flags, 1), flags & WIDE, part.count, w);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] += w[i];
        }
        store8(out, part.column, isBf16(flags, 2), flags & WIDE, part.count, v);
    }
}

// y += factor x
extern "C" __global__ void addScaled(float factor, const void *x, void *y, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8], w[8];
        load8(x, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        load8(y, part.column, isBf16(flags, 1), flags & WIDE, part.count, w);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            w[i] = fmaf(factor, v[i], w[i]);
        }
        store8(y, part.column, isBf16(flags, 1), flags & WIDE, part.count, w);
    }
}

extern "C" __global__ void scaleTensor(void *x, float factor, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8];
        load8(x, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] *= factor;
        }
        store8(x, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
    }
}

// x[r] += bias, and where f >= 0 the activation of the sum
extern "C" __global__ void addBias(
        const void *bias, void *x, long long stride, long long rows, long long columns, int f, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float v[8], b[8];
        load8(bias, part.column, isBf16(flags, 0), flags & WIDE, part.count, b);
        load8(x, part.row * stride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] += b[i];
            v[i] = f < 0 ? v[i] : activated(f, v[i]);
        }
        store8(x, part.row * stride + part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
    }
}

extern "C" __global__ void activate(int f, const void *x, void *out, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8];
        load8(x, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            v[i] = activated(f, v[i]);
        }
        store8(out, part.column, isBf16(flags, 1), flags & WIDE, part.count, v);
    }
}

extern "C" __global__ void activateBackward(
        int f, const void *x, const void *dy, void *dx, long long elements, unsigned flags) {
    takeTurn();
    Part part = partOf(1, elements);
    if (part.count > 0) {
        float v[8], d[8];
        load8(x, part.column, isBf16(flags, 0), flags & WIDE, part.count, v);
        load8(dy, part.column, isBf16(flags, 1), flags & WIDE, part.count, d);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            d[i] *= slope(f, v[i]);
        }
        store8(dx, part.column, isBf16(flags, 2), flags & WIDE, part.count, d);
    }
}

// out = f(gate) up; gateUp [rows, 2 columns]
extern "C" __global__ void activateGated(
        int f, const void *gateUp, long long stride, void *out, long long outStride, long long rows,
        long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float gate[8], up[8];
        long long place = part.row * stride + part.column;
        load8(gateUp, place, isBf16(flags, 0), flags & WIDE, part.count, gate);
        load8(gateUp, place + columns, isBf16(flags, 0), flags & WIDE, part.count, up);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            gate[i] = activated(f, gate[i]) * up[i];
        }
        store8(out, part.row * outStride + part.column, isBf16(flags, 1), flags & WIDE, part.count, gate);
    }
}

extern "C" __global__ void activateGatedBackward(
        int f, const void *gateUp, long long stride, const void *dy, long long dyStride, void *dGateUp,
        long long rows, long long columns, unsigned flags) {
    takeTurn();
    Part part = partOf(rows, columns);
    if (part.count > 0) {
        float gate[8], up[8], d[8];
        long long place = part.row * stride + part.column;
        load8(gateUp, place, isBf16(flags, 0), flags & WIDE, part.count, gate);
        load8(gateUp, place + columns, isBf16(flags, 0), flags & WIDE, part.count, up);
        load8(dy, part.row * dyStride + part.column, isBf16(flags, 1), flags & WIDE, part.count, d);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            up[i] *= d[i] * slope(f, gate[i]);
            d[i] *= activated(f, gate[i]);
        }
        store8(dGateUp, part.row * 2 * columns + part.column, isBf16(flags, 2), flags & WIDE, part.count, up);
        store8(dGateUp, part.row * 2 * columns + columns + part.column, isBf16(flags, 2), flags & WIDE, part.count, d);
    }
}

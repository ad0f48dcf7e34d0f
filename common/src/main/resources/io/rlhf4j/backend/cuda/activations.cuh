// Activations, numbered as the enum Activation: RELU, GELU, GELU_TANH, SILU.

#define RELU 0
#define GELU 1
#define GELU_TANH 2

__device__ __forceinline__ float activated(int f, float x) {
    if (f == RELU) {
        return fmaxf(x, 0.f);
    }
    if (f == GELU) {
        return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
    }
    if (f == GELU_TANH) {
        return 0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    }
    return x / (1.f + expf(-x));
}

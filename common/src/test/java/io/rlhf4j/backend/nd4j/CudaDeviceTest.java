package io.rlhf4j.backend.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CudaDeviceTest {
    @Test
    void chipsFromKeplerToAdaAreDriven() {
        assertThat(new CudaDevice(0, "Tesla K80", 3, 7).undrivableBecause()).isEmpty();
        assertThat(new CudaDevice(0, "A100", 8, 0).undrivableBecause()).isEmpty();
        assertThat(new CudaDevice(0, "L40S", 8, 9).undrivableBecause()).isEmpty();
    }

    @Test
    void aChipOutsideIsRefusedInOneSentenceThatNamesIt() {
        assertThat(new CudaDevice(1, "NVIDIA H200", 9, 0).undrivableBecause())
                .hasValue("GPU 1 (NVIDIA H200) has compute capability 9.0, and ND4J's last CUDA library drives 3.7 to"
                        + " 8.9, Kepler to Ada: take the cpu backend here, or a GPU of that range");
        assertThat(new CudaDevice(0, "Tesla K40", 3, 5).undrivableBecause()).isPresent();
        assertThat(new CudaDevice(0, "B200", 10, 0).undrivableBecause()).isPresent();
    }
}

package io.rlhf4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the kernels' sources promise each other; it needs no GPU. */
class KernelSourcesTest {
    private static final Pattern KERNEL =
            Pattern.compile("__global__ void[^{]*?(\\w+)\\([^{]*\\{(.*?)\n}", Pattern.DOTALL);
    private static final Pattern FUNCTION =
            Pattern.compile("__device__ __forceinline__ [^{(]*?(\\w+)\\([^{]*\\{(.*?)\n}", Pattern.DOTALL);

    static Stream<Path> files() throws IOException {
        Path folder = Path.of("src/main/resources/io/rlhf4j/backend/cuda");
        return Files.list(folder).filter(file -> file.toString().endsWith(".cu"));
    }

    /** In a recorded pass a kernel begins while the one before still runs. */
    @ParameterizedTest
    @MethodSource("files")
    void everyKernelWaitsForTheOneBefore(Path file) throws IOException {
        String source = Files.readString(file);
        List<MatchResult> kernels = KERNEL.matcher(source).results().toList();
        assertThat(kernels).isNotEmpty();
        for (MatchResult kernel : kernels) {
            String body = kernel.group(2);
            // One that leaves everything to a function is what this function is.
            String whole = FUNCTION.matcher(source)
                    .results()
                    .filter(function -> body.strip().startsWith(function.group(1) + "<"))
                    .map(function -> function.group(2))
                    .findFirst()
                    .orElse(body);
            int wait = Math.max(whole.indexOf("takeTurn();"), whole.indexOf("waitForEarlier();"));
            int leaves = whole.indexOf("return;");
            assertThat(wait).as("%s in %s", kernel.group(1), file.getFileName()).isNotNegative();
            assertThat(leaves < 0 || wait < leaves)
                    .as("%s in %s leaves before it waits", kernel.group(1), file.getFileName())
                    .isTrue();
        }
    }
}

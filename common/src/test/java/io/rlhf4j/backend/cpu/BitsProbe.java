package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Runs every kernel on fixed inputs and prints a hash of each result's bits: to compare JVMs with each other. */
final class BitsProbe {
    static final int ROUNDS_UNTIL_HOT = 150;

    private static final int TOKENS = 40;
    private static final int WIDTH = 72;

    private final Random random = new Random(5);
    private final Map<String, Long> hashes = new LinkedHashMap<>();
    private final Backend backend;
    private final Scope scope;
    private final DType type;

    private BitsProbe(Backend backend, Scope scope, DType type) {
        this.backend = backend;
        this.scope = scope;
        this.type = type;
    }

    /** With any argument it prints what hot kernels compute, else what they compute at once. */
    public static void main(String[] arguments) {
        CpuBackend backend = new CpuBackend(2);
        for (int round = 0; arguments.length > 0 && round < ROUNDS_UNTIL_HOT; round++) {
            hashes(backend);
        }
        hashes(backend).forEach((name, hash) -> System.out.println("bits " + name + " " + hash));
    }

    /** Hash of the bits of every kernel's result, by name. */
    static Map<String, Long> hashes(Backend backend) {
        Map<String, Long> all = new LinkedHashMap<>();
        for (DType type : DType.values()) {
            try (Scope scope = Scope.root(backend, "probe")) {
                BitsProbe probe = new BitsProbe(backend, scope, type);
                probe.rows();
                probe.activations();
                probe.attention(new AttentionSpec(4, 2, 18, 0.3f, 0, 0f, null));
                probe.attention(new AttentionSpec(4, 4, 18, 0.3f, 7, 5f, new float[] {0.5f, 0.25f, 0.1f, 0.05f}));
                probe.head();
                probe.decoding();
                probe.optimizer();
                all.putAll(probe.hashes);
            }
        }
        return all;
    }

    private Tensor input(DType of, int... shape) {
        Tensor tensor = scope.allocate(of, shape);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (3 * random.nextGaussian());
        }
        backend.write(tensor, values, 0);
        return tensor;
    }

    private void note(String name, Tensor tensor) {
        note(name, tensor.toFloats());
    }

    private void note(String name, float... values) {
        long hash = 17;
        for (float value : values) {
            hash = 1_000_003 * hash + Float.floatToRawIntBits(value);
        }
        hashes.put(type + "." + name + "." + hashes.size(), hash);
    }

    private void rows() {
        Tensor x = input(type, TOKENS, WIDTH);
        Tensor dy = input(type, TOKENS, WIDTH);
        Tensor weight = input(type, WIDTH);
        Tensor out = scope.allocate(type, TOKENS, WIDTH);
        Tensor statistics = scope.allocate(DType.FP32, TOKENS, 2);
        Tensor dWeight = scope.zeros(DType.FP32, WIDTH);
        Tensor dBias = scope.zeros(DType.FP32, WIDTH);
        backend.layerNorm(x, weight, weight, 1e-5f, out, statistics);
        note("layerNorm", out);
        backend.layerNormBackward(dy, x, weight, statistics, out, dWeight, dBias);
        note("layerNorm dx", out);
        note("layerNorm dWeight", dWeight);
        Tensor rms = scope.allocate(DType.FP32, TOKENS, 1);
        backend.rmsNorm(x, weight, 1f, 1e-5f, out, rms);
        note("rmsNorm", out);
        backend.rmsNormBackward(dy, x, weight, 1f, rms, out, dWeight);
        note("rmsNorm dx", out);
        backend.addColumnSums(x, dBias);
        note("columnSums", dBias);
        backend.linear(x, input(type, WIDTH, WIDTH), weight, out);
        note("linear", out);
        Tensor more = input(type, WIDTH, WIDTH);
        for (Tensor packed : List.of(backend.packWeight(scope, more), backend.packInt8(scope, more))) {
            for (int few : new int[] {1, 7}) {
                backend.linear(x.slice(0, few), packed, weight, out.slice(0, few));
                note("packed linear of " + few, out);
            }
        }
        Tensor angles = input(DType.FP32, TOKENS, 9);
        int[] positions = new int[TOKENS];
        Arrays.setAll(positions, i -> (i * 7) % TOKENS);
        backend.rotate(new RotarySpec(18, 18, false, angles, angles), out, positions, false);
        note("rotate", out);
        backend.add(x, dy, out);
        backend.addScaled(0.3f, x, out);
        backend.scale(out, 1.7f);
        note("add", out);
        backend.scatterAddRows(x, positions, out);
        note("scatter", out);
    }

    private void activations() {
        Tensor x = input(type, TOKENS, WIDTH);
        Tensor dy = input(type, TOKENS, WIDTH);
        Tensor out = scope.allocate(type, TOKENS, WIDTH);
        Tensor half = scope.allocate(type, TOKENS, WIDTH / 2);
        for (Activation f : Activation.values()) {
            backend.activate(f, x, out);
            note(f.name(), out);
            backend.activateBackward(f, x, dy, out);
            note(f + " gradient", out);
            backend.activateGated(f, x, half);
            note(f + " gated", half);
            backend.activateGatedBackward(f, x, half, out);
            note(f + " gated gradient", out);
        }
    }

    private void attention(AttentionSpec spec) {
        int kvWidth = spec.kvHeads() * spec.headDim();
        Tensor q = input(type, TOKENS, WIDTH);
        Tensor k = input(type, TOKENS, kvWidth);
        Tensor v = input(type, TOKENS, kvWidth);
        Tensor out = scope.allocate(type, TOKENS, WIDTH);
        Tensor sums = scope.allocate(DType.FP32, spec.heads(), TOKENS);
        int[] starts = {0, 33, TOKENS};
        backend.attention(spec, q, k, v, starts, out, sums);
        note("attention", out);
        note("attention sums", sums);
        Tensor dq = scope.allocate(type, TOKENS, WIDTH);
        Tensor dk = scope.allocate(type, TOKENS, kvWidth);
        Tensor dv = scope.allocate(type, TOKENS, kvWidth);
        backend.attentionBackward(spec, q, k, v, starts, out, sums, input(type, TOKENS, WIDTH), dq, dk, dv);
        note("dq", dq);
        note("dk", dk);
        note("dv", dv);
        Tensor query = q.slice(0, 2);
        Tensor answer = scope.allocate(type, 2, WIDTH);
        int[][] blocks = {{3, 0, 1}, {2, 4}};
        CachedTokens tokens = new CachedTokens(blocks, 8, new int[] {19, 16}, new int[] {0, 1, 2});
        backend.cachedAttention(spec, query, k, v, tokens, answer);
        note("cachedAttention", answer);
    }

    private void head() {
        int vocabulary = 203;
        Tensor weight = input(type, vocabulary, WIDTH);
        Tensor hidden = input(type, TOKENS, WIDTH);
        backend.scale(hidden, 0.1f);
        int[] targets = new int[TOKENS];
        Arrays.setAll(targets, i -> (i * 31) % vocabulary);
        for (float softcap : new float[] {0f, 4f}) {
            float[] logProbs = new float[TOKENS];
            float[] entropies = new float[TOKENS];
            Tensor dHidden = scope.allocate(type, TOKENS, WIDTH);
            Tensor dWeight = scope.zeros(DType.FP32, vocabulary, WIDTH);
            LanguageHead head = new LanguageHead(weight, null, softcap, 0.8f);
            backend.tokenLogProbsWithGradient(
                    head,
                    hidden,
                    targets,
                    (i, logProb, entropy) -> -0.1f * i,
                    logProbs,
                    entropies,
                    dHidden,
                    dWeight,
                    null);
            note("logProbs", logProbs);
            note("entropies", entropies);
            note("dHidden", dHidden);
            note("dWeight", dWeight);
        }
    }

    private void decoding() {
        int vocabulary = 1300;
        Tensor hidden = input(type, 7, 96);
        backend.scale(hidden, 0.1f);
        Tensor logits = scope.allocate(DType.FP32, 7, vocabulary);
        LanguageHead head = new LanguageHead(input(type, vocabulary, 96), input(type, vocabulary), 0f, 1f);
        backend.logits(head, hidden, logits);
        note("logits", logits);
        int[] tokens = new int[3];
        float[] logProbs = new float[3];
        backend.drawTokens(logits, 0.9f, new int[] {6, 0, 6}, new double[] {0.1, 0.5, 0.99}, tokens, logProbs);
        note("drawn", tokens[0], tokens[1], tokens[2]);
        note("drawn log-probabilities", logProbs);
    }

    private void optimizer() {
        Tensor parameter = input(DType.FP32, 1000);
        Tensor gradient = input(type, 1000);
        Tensor first = scope.zeros(DType.FP32, 1000);
        Tensor second = scope.zeros(DType.FP32, 1000);
        for (int step = 1; step < 4; step++) {
            backend.adamW(new AdamWSettings(1e-2, 0.9, 0.95, 1e-8, 0.1, step, 0.7), parameter, gradient, first, second);
        }
        note("adamW", parameter);
        hashes.put(type + ".squares", Double.doubleToRawLongBits(backend.sumOfSquares(gradient)));
    }
}

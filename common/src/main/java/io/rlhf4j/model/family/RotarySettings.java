package io.rlhf4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.model.PositionEncoding;
import java.util.ArrayList;
import java.util.List;

/**
 * Rotary settings of a config.json: {@code rope_parameters} of transformers 5, or {@code rope_theta}, {@code rope_scaling}
 * and their older names.
 */
final class RotarySettings {
    private final HubConfig json;
    private final JsonNode parameters;
    private final JsonNode scaling;

    RotarySettings(HubConfig json) {
        this.json = json;
        this.parameters = json.object("rope_parameters");
        this.scaling = HubConfig.present(parameters) ? parameters : json.object("rope_scaling");
    }

    /** How many leading columns of a head are rotated, when the share of them is configured. */
    int dimensions(int headDim, double missingShare) {
        double share = HubConfig.present(parameters.path("partial_rotary_factor"))
                ? parameters.path("partial_rotary_factor").doubleValue()
                : json.number(missingShare, "partial_rotary_factor", "rotary_pct");
        json.refuse(!(share > 0 && share <= 1), "a share of %s of each head that is rotated".formatted(share));
        return (int) (headDim * share);
    }

    /** The encoding of {@code dimensions} columns of every head. */
    PositionEncoding.Rotary encoding(int dimensions, boolean interleaved, int maxPositions) {
        double theta = HubConfig.present(parameters.path("rope_theta"))
                ? parameters.path("rope_theta").doubleValue()
                : json.number(10000, "rope_theta", "rotary_emb_base");
        String type = type();
        List<Float> frequencies = new ArrayList<>();
        for (int pair = 0; pair < dimensions / 2; pair++) {
            double frequency = Math.pow(theta, -2.0 * pair / dimensions);
            frequencies.add((float) scaled(type, frequency, maxPositions));
        }
        return new PositionEncoding.Rotary(dimensions, interleaved, frequencies);
    }

    /** Tokens of the longest sequence, of a model that was trained on {@code maxPositions}. */
    int longest(int maxPositions) {
        // Up to the trained length "dynamic" is no scaling at all, and beyond it the frequencies would depend on each
        // batch: it does not reach further here. The lengths of "llama3" are those of the scaled model.
        return type().equals("linear")
                ? (int) Math.min(Integer.MAX_VALUE, maxPositions * setting("factor"))
                : maxPositions;
    }

    private String type() {
        return scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    }

    private double scaled(String type, double frequency, int maxPositions) {
        return switch (type) {
            case "default", "dynamic" -> frequency;
            case "linear" -> frequency / setting("factor");
            case "llama3" -> llama3(frequency, maxPositions);
            default ->
                throw json.refusal(
                        "rope type '%s' is not known; known are default, linear, dynamic, llama3".formatted(type));
        };
    }

    /** Long waves are stretched by the factor, short ones kept, those between blended (Llama 3.1). */
    private double llama3(double frequency, int maxPositions) {
        double factor = setting("factor");
        double low = setting("low_freq_factor");
        double high = setting("high_freq_factor");
        double trained = scaling.path("original_max_position_embeddings").asDouble(maxPositions);
        double waves = trained * frequency / (2 * Math.PI);
        if (waves < low) {
            return frequency / factor;
        }
        if (waves > high) {
            return frequency;
        }
        double smooth = (waves - low) / (high - low);
        return (1 - smooth) * frequency / factor + smooth * frequency;
    }

    private double setting(String key) {
        if (!scaling.path(key).isNumber()) {
            throw json.refusal("the rope settings have no number '%s'".formatted(key));
        }
        return scaling.path(key).doubleValue();
    }
}

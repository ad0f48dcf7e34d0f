package io.rlhf4j.driver.supportdesk;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** All products of the desk and their facts, drawn from a seed. */
public record Catalogue(List<Product> products) {
    private static final String[][] NAMES = {
        {"Aster lamp", "紫菀灯"},
        {"Birch speaker", "白桦音箱"},
        {"Cedar radio", "雪松收音机"},
        {"Dahlia clock", "大丽钟"},
        {"Elm headset", "榆木耳机"},
        {"Fern camera", "蕨叶相机"},
    };

    public Catalogue {
        products = List.copyOf(products);
    }

    /** The catalogue of {@code seed}. */
    public static Catalogue of(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Product> products = new ArrayList<>();
        for (String[] name : NAMES) {
            Map<Attribute, Integer> facts = new EnumMap<>(Attribute.class);
            for (Attribute attribute : Attribute.values()) {
                facts.put(
                        attribute,
                        attribute
                                .possibleValues()
                                .get(random.nextInt(attribute.possibleValues().size())));
            }
            products.add(new Product(name[0], name[1], facts));
        }
        return new Catalogue(products);
    }
}

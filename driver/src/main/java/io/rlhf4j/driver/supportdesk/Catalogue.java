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
        {"Ginkgo watch", "银杏手表"},
        {"Hazel kettle", "榛果水壶"},
        {"Iris tablet", "鸢尾平板"},
        {"Juniper drone", "杜松无人机"},
        {"Kelp scanner", "海带扫描仪"},
        {"Lotus printer", "莲花打印机"},
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

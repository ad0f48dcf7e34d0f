package io.rlhf4j.driver.spark;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.job.ChunkResult;
import io.rlhf4j.workers.job.IterationResult;
import io.rlhf4j.workers.rollout.SampledAnswer;
import io.rlhf4j.workers.runtime.RankOutcome;
import io.rlhf4j.workers.training.PpoUpdate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.serializer.KryoRegistrator;
import org.apache.spark.sql.types.StructField;

/** Every class that Spark moves between JVMs for this project. Kryo refuses all others, so that none slips in unseen. */
public final class Registrations implements KryoRegistrator {
    /** Collections of the JDK that cannot be changed have classes without names or constructors of their own. */
    private static final List<List<?>> LISTS = List.of(List.of(), List.of(1), List.of(1, 2, 3));

    private static final List<Map<?, ?>> MAPS = List.of(Map.of(), Map.of(1, 1), Map.of(1, 1, 2, 2));

    @Override
    public void registerClasses(Kryo kryo) {
        record(kryo, TrainingRow.class);
        record(kryo, PreferenceRow.class);
        record(kryo, PromptRow.class);
        record(kryo, Rollout.class);
        kryo.register(Rollout.Finish.class);
        record(kryo, ChunkResult.class);
        record(kryo, IterationResult.class);
        record(kryo, EngineProgress.class);
        record(kryo, RankOutcome.class);
        record(kryo, RankOutcome.Failure.class);
        record(kryo, PpoUpdate.class);
        record(kryo, EvaluatedAnswer.class);
        record(kryo, Answer.class);
        record(kryo, SampledAnswer.class);
        kryo.register(RankOutcome[].class);
        kryo.register(StructField[].class);
        kryo.register(ErrorKind.class);
        kryo.register(ArrayList.class);
        kryo.register(LinkedHashMap.class);
        for (List<?> list : LISTS) {
            kryo.register(list.getClass(), new ListSerializer());
        }
        for (Map<?, ?> map : MAPS) {
            kryo.register(map.getClass(), new MapSerializer());
        }
        for (Class<?> array : new Class<?>[] {
            int[].class,
            long[].class,
            float[].class,
            double[].class,
            double[][].class,
            boolean[].class,
            byte[].class,
            String[].class,
            Object[].class
        }) {
            kryo.register(array);
        }
        for (String internal : SPARK_INTERNALS) {
            kryo.register(named(internal));
        }
    }

    /** What Spark SQL itself sends through the serializer when it finds out the columns of JSON. */
    private static final List<String> SPARK_INTERNALS = Stream.of(
                    "ArrayType",
                    "BinaryType$",
                    "BooleanType$",
                    "ByteType$",
                    "DateType$",
                    "Decimal",
                    "DecimalType",
                    "DoubleType$",
                    "FloatType$",
                    "IntegerType$",
                    "LongType$",
                    "MapType",
                    "Metadata",
                    "NullType$",
                    "ShortType$",
                    "StringType",
                    "StringType$",
                    "StructField",
                    "StructType",
                    "TimestampNTZType$",
                    "TimestampType$")
            .map("org.apache.spark.sql.types."::concat)
            .toList();

    private static <T extends Record> void record(Kryo kryo, Class<T> type) {
        kryo.register(type, new RecordSerializer<>(type));
    }

    private static Class<?> named(String name) {
        try {
            return Class.forName(name, false, Registrations.class.getClassLoader());
        } catch (ClassNotFoundException absent) {
            throw new IllegalStateException("this Spark has no class " + name + ": is it version 4.1?", absent);
        }
    }

    private static final class ListSerializer extends Serializer<List<?>> {
        @Override
        public void write(Kryo kryo, Output output, List<?> list) {
            output.writeInt(list.size(), true);
            list.forEach(element -> kryo.writeClassAndObject(output, element));
        }

        @Override
        public List<?> read(Kryo kryo, Input input, Class<List<?>> type) {
            Object[] elements = new Object[input.readInt(true)];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = kryo.readClassAndObject(input);
            }
            return List.of(elements);
        }
    }

    private static final class MapSerializer extends Serializer<Map<?, ?>> {
        @Override
        public void write(Kryo kryo, Output output, Map<?, ?> map) {
            output.writeInt(map.size(), true);
            map.forEach((key, value) -> {
                kryo.writeClassAndObject(output, key);
                kryo.writeClassAndObject(output, value);
            });
        }

        @Override
        public Map<?, ?> read(Kryo kryo, Input input, Class<Map<?, ?>> type) {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int left = input.readInt(true); left > 0; left--) {
                map.put(kryo.readClassAndObject(input), kryo.readClassAndObject(input));
            }
            return Map.copyOf(map);
        }
    }
}

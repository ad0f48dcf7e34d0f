package io.rlhf4j.driver.query;

import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** The SQL function {@code text}: tokens as the tokenizer of a model writes them, special ones left out. */
final class TokenText implements UDF1<Seq<Integer>, String> {
    private static final long serialVersionUID = 1L;

    private final String directory;
    private final SerializableConfiguration hadoop;
    private transient Tokenizer tokenizer;

    TokenText(String directory, SerializableConfiguration hadoop) {
        this.directory = directory;
        this.hadoop = hadoop;
    }

    @Override
    public String call(Seq<Integer> ids) throws IOException {
        if (ids == null) {
            return null;
        }
        int[] plain = CollectionConverters.asJava(ids).stream()
                .mapToInt(Integer::intValue)
                .toArray();
        return tokenizer().decode(plain, true);
    }

    /** Loaded once in each copy of the function, which lives as long as the process. */
    private synchronized Tokenizer tokenizer() throws IOException {
        if (tokenizer == null) {
            tokenizer = Tokenizer.load(new Path(directory), hadoop.value());
        }
        return tokenizer;
    }
}

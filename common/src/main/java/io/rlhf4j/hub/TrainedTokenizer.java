package io.rlhf4j.hub;

import io.rlhf4j.config.ModelsConfig;
import io.rlhf4j.format.PlainFiles;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;

/** Gives a saved model the tokenizer and the chat template that it was trained with, where these lay elsewhere. */
public final class TrainedTokenizer {
    private static final String TEMPLATE = "chat_template.jinja";

    private TrainedTokenizer() {}

    /** Puts into {@code directory}, beside the saved model, what {@code models} names besides the model's own. */
    public static void addTo(Path directory, ModelsConfig models, Configuration hadoop) throws IOException {
        FileSystem system = PlainFiles.fileSystem(directory, hadoop);
        Path template = new Path(directory, TEMPLATE);
        if (models.tokenizer().isPresent()) {
            // A template of the model's own tokenizer would win over the one in the other's configuration.
            system.delete(template, false);
            new Companions(hadoop, new Path(models.tokenizer().get())).copyTokenizerTo(directory);
        }
        if (models.chatTemplate().isPresent()) {
            Path source = new Path(models.chatTemplate().get());
            FileUtil.copy(PlainFiles.fileSystem(source, hadoop), source, system, template, false, true, hadoop);
        }
    }
}

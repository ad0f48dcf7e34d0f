package io.rlhf4j.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which column of a source holds what. The keys that are set decide the kind of row: a prompt; prompt and response;
 * prompt, chosen and rejected; and so on. With none set, columns of these very names are looked for.
 */
public record ColumnsConfig(
        @Doc("Column of a key that is unique in the source. The row's position when absent.") Optional<String> key,
        @Doc(
                        "Column whose value decides, by the stable hash, the step that a row serves and whether it is held out: rows"
                                + " of one value stay together. The prompt when absent.")
                Optional<String> group,
        @Doc("Column of the prompt.") Optional<String> prompt,
        @Doc("Column of the response to learn.") Optional<String> response,
        @Doc("Column of the better response of a pair.") Optional<String> chosen,
        @Doc("Column of the worse response of a pair.") Optional<String> rejected,
        @Doc("Column of the margin by which the chosen response is better.") Optional<String> margin,
        @Doc("Column of an array of responses, best first.") Optional<String> responses,
        @Doc("Column of a label for (prompt, response): true or 1 is good.") Optional<String> label,
        @Doc("Column of an array of messages with `role` and `content`.") Optional<String> messages,
        @Doc("Column of unlabelled text, for the PTX loss.") Optional<String> text,
        @Doc("Column of what rule rewards compare a response with: the right answer.") Optional<String> reference,
        @Doc("Text around the prompt, in which `{column}` stands for a column's value.")
                Optional<String> promptTemplate,
        @Doc(
                        value =
                                "Whether chosen and rejected are whole dialogues (`\\n\\nHuman: ...\\n\\nAssistant: ...`) whose"
                                        + " common beginning is the prompt.",
                        preset = "false")
                boolean dialogue)
        implements Checked {
    @Override
    public List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        if (chosen.isPresent() != rejected.isPresent()) {
            findings.add(new Finding(chosen.isPresent() ? "chosen" : "rejected", "needs its counterpart in the pair"));
        }
        if (margin.isPresent() && chosen.isEmpty()) {
            findings.add(new Finding("margin", "belongs to a pair: name the columns chosen and rejected too"));
        }
        if (dialogue && (chosen.isEmpty() || prompt.isPresent())) {
            findings.add(new Finding("dialogue", "takes the prompt out of chosen and rejected; name these, no prompt"));
        }
        if (promptTemplate.isPresent() && messages.isPresent()) {
            findings.add(new Finding("prompt_template", "has no place among messages, which hold the prompt"));
        }
        return findings;
    }
}

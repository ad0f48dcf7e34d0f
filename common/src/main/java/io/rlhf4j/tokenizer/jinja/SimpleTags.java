package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;

/** Tags of one word. */
final class SimpleTags {
    private SimpleTags() {}

    /** {@code break}, where it ends the loop, or {@code continue}. */
    record Jump(String getName, boolean ends) implements Tag {
        private static final long serialVersionUID = 1L;

        @Override
        public String getEndTagName() {
            return null;
        }

        @Override
        public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
            if (!(Expression.name("loop") instanceof Loop loop)) {
                throw new InterpretException("'%s' outside loop".formatted(getName));
            }
            loop.skip(ends);
            return "";
        }
    }

    /** {@code else} and {@code elif}, which the tags around them read. */
    record Branch(String getName) implements Tag {
        private static final long serialVersionUID = 1L;

        @Override
        public String getEndTagName() {
            return null;
        }

        @Override
        public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
            throw new InterpretException("'%s' without its block".formatted(getName));
        }
    }

    /** Marks what the assistant said, for masks; the text itself stays as it is. */
    record Generation() implements Tag {
        private static final long serialVersionUID = 1L;

        @Override
        public String getName() {
            return "generation";
        }

        @Override
        public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
            try (JinjavaInterpreter.InterpreterScopeClosable scope = interpreter.enterScope()) {
                return Scopes.render(tag.getChildren(), interpreter);
            }
        }
    }
}

package io.rlhf4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the templates of published models use of Jinja; the expected texts are Jinja's own. */
class ChatTemplateTest {
    private static final List<Map<String, String>> CONVERSATION = List.of(
            Map.of("role", "system", "content", " Be nice. "),
            Map.of("role", "user", "content", "Hi"),
            Map.of("role", "assistant", "content", "<think>\nhm\n</think>\n\nYo"),
            Map.of("role", "user", "content", "More"));

    @Test
    void signsOfTrimmingTakeBlanksAroundExpressionsAndComments() {
        assertThat(
                        render(
                                """
                        {%- if messages %}
                            {{- bos_token }}
                            {#- first the rules #}
                            {%- for message in messages %}
                                {{- '[' + message.role + ']' -}}
                            {%- endfor %}
                        {%- endif %}
                        """))
                .isEqualTo("<s>[system][user][assistant][user]");
    }

    @Test
    void anExpressionIsTheWholeValueOfANamespacesName() {
        assertThat(
                        render(
                                """
                        {%- set ns = namespace(seen=false, last=messages|length - 1, text="a, b)") %}
                        {%- for message in messages[::-1] %}
                            {%- if not ns.seen and message.role == 'assistant' %}
                                {%- set ns.seen = true %}
                                {%- set ns.last = messages|length - 1 - loop.index0 %}
                            {%- endif %}
                        {%- endfor %}
                        {{- ns.last }} {{ ns.text }}"""))
                .isEqualTo("2 a, b)");
    }

    @Test
    void stringsHaveTheMethodsOfPython() {
        assertThat(render(
                        "{{ messages[2].content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') }}|"
                                + "{{ messages[2].content.split('</think>')[-1].strip('\\n') }}|"
                                + "{{ messages[0].content.strip() }}|{{ messages[0].content.strip().split() | length }}|"
                                + "{{ 'ab'.startswith('a') and 'ab'.endswith(('x', 'b')) }}|"
                                + "{{ 'aB'.upper() }}{{ 'aB'.lower() }}{{ 'aB cd'.title() }}{{ 'aB'.capitalize() }}|"
                                + "{{ 'a-b'.replace('-', '+') }}|{{ '-'.join(['x', 'y']) }}|{{ 'abcb'.find('b') }}{{ 'abcb'.count('b') }}|"
                                + "{{ 'model.x'.removeprefix('model.') }}{{ 'x.y'.removesuffix('.y') }}"))
                .isEqualTo("hm|Yo|Be nice.|2|true|ABabAb CdAb|a+b|x-y|12|xx");
    }

    @Test
    void theLastLineBreakOfATemplateIsNotPartOfTheText() {
        assertThat(render("{{ messages[1].content }}\n")).isEqualTo("Hi");
        assertThat(render("{{ messages[1].content }}\n\n")).isEqualTo("Hi\n");
    }

    @Test
    void bracesInsideAMessageAreText() {
        String content = "{{ bos_token }} {% if %} {# a #} {{ 1 + 1 }}";
        assertThat(ChatTemplate.parse("a test", "{{ messages[0].content }}", Map.of("bos_token", "<s>"))
                        .render(List.of(Map.of("role", "user", "content", content)), true))
                .isEqualTo(content);
    }

    private static String render(String template) {
        return ChatTemplate.parse("a test", template, Map.of("bos_token", "<s>"))
                .render(CONVERSATION, true);
    }
}

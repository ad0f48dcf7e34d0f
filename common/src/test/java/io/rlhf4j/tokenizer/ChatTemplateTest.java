package io.rlhf4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.Rlhf4jException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                .isEqualTo("hm|Yo|Be nice.|2|True|ABabAb CdAb|a+b|x-y|12|xx");
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

    @Test
    void aLoopTakesTheElementsOfItsConditionAndCountsThem() {
        assertThat(render("{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.content }}"
                        + "{% if not loop.last %},{% endif %}{% endfor %}"))
                .isEqualTo("1/2Hi,2/2More");
        assertThat(render("{% for x in [3, 1] %}{{ x }}{% else %}none{% endfor %}"
                        + "{% for x in [3, 1] if x > 5 %}{{ x }}{% else %}none{% endfor %}"))
                .isEqualTo("31none");
        assertThat(render("{% for x in [3, 1, 2] %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}"))
                .isEqualTo("<3>1;3<1>2;1<2>;");
    }

    @Test
    void aBreakEndsTheLoopAtOnce() {
        assertThat(render("{% for x in [3, 1, 2] %}{% if x == 1 %}a{% break %}b{% endif %}{{ x }}{% endfor %}|"
                        + "{% for x in [3, 1, 2] %}{% if x == 1 %}a{% continue %}b{% endif %}{{ x }}{% endfor %}"))
                .isEqualTo("3a|3a2");
    }

    @Test
    void whatAPassOfALoopSetsEndsWithIt() {
        assertThat(
                        render(
                                "{% set x = 1 %}{% for i in [3, 1] %}{{ q }},{% set q = i %}{% set x = x + i %}{{ x }};{% endfor %}{{ x }}"))
                .isEqualTo(",4;,2;1");
    }

    @Test
    void slicesTakeStepsAndNegativePlaces() {
        assertThat(
                        render(
                                "{{ messages[::-1][0].content }}|{{ [3, 1, 2][::2] }}{{ [3, 1, 2][-2:] }}|{{ 'abc'[::-1] }}{{ 'abc'[-1] }}"))
                .isEqualTo("More|[3, 2][1, 2]|cbac");
        assertThat(render("{{ '\uD83D\uDE00ab'[0] }}{{ '\uD83D\uDE00ab' | length }}{{ '\uD83D\uDE00ab'[1:] }}"))
                .isEqualTo("\uD83D\uDE003ab");
    }

    @Test
    void operatorsBindAndCountAsInPython() {
        assertThat(render("{{ not 3 in [3] }}{{ not 7 == 7 }}{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}"))
                .isEqualTo("FalseFalseTrueFalse");
        assertThat(render("{{ 'x' * 3 }}{{ '%s-%d' % ('a', 3) }}{{ '%.2f' % 0.5 }}{{ '{} {}'.format(1, 'a') }}"))
                .isEqualTo("xxxa-30.501 a");
        assertThat(render("{{ 4 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 }} {{ 1e20 }} {{ 0.1 + 0.2 }}"))
                .isEqualTo("2.0 -4 2 8 1e+20 0.30000000000000004");
        assertThat(render("{{ false or 'y' }}{{ 'a' and 'b' }}{{ 'a' ~ 1 ~ true ~ none ~ [1, 'b'] }}"))
                .isEqualTo("yba1TrueNone[1, 'b']");
    }

    @Test
    void valuesAreWrittenAsByPython() {
        assertThat(
                        render(
                                "{{ true }}{{ none }}{{ nosuch }}{{ 1.0 }}{{ [1, 'a', none, true, 1.5, {'k': \"it's\"}] }}{{ (1,) }}"))
                .isEqualTo("TrueNone1.0[1, 'a', None, True, 1.5, {'k': \"it's\"}](1,)");
    }

    @Test
    void aMissingNameIsNotNone() {
        assertThat(render("{{ nosuch is none }}{{ nosuch is defined }}{{ tools is none }}{{ tools is defined }}"
                        + "{{ messages[0].nosuch is defined }}{{ messages[0].get('nosuch') is none }}"))
                .isEqualTo("FalseFalseTrueTrueFalseTrue");
    }

    @Test
    void theTextFalseIsTrue() {
        assertThat(render("{% if 'false' %}a{% endif %}{{ not 'false' }}{{ 'b' if 'False' else 'c' }}"))
                .isEqualTo("aFalseb");
    }

    @Test
    void jsonIsIndentedAsByPython() {
        assertThat(render("{{ {'a': {}, 'b': [], 'c': [[1, 'é<\"']]} | tojson(indent=2) }}"))
                .isEqualTo(
                        "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    [\n      1,\n      \"é<\\\"\"\n    ]\n  ]\n}");
        assertThat(render("{{ [1.0, none, true, 1.5e-7] | tojson }}{{ 'é' | tojson(ensure_ascii=true) }}"))
                .isEqualTo("[1.0, null, true, 1.5e-07]\"\\u00e9\"");
    }

    @Test
    void aMacroSeesTheNamesOfItsOwnPlace() {
        assertThat(render("{% macro m(a, b='x, (y)') %}[{{ a }}{{ b }}{{ q }}]{% endmacro %}"
                        + "{% for q in [3] %}{{ m(1) }}{{ m(a=1, b=2) }}{% endfor %}"))
                .isEqualTo("[1x, (y)][12]");
        assertThat(render("{% macro r(k) %}{{ k }}{% if k > 0 %}{{ r(k - 1) }}{% endif %}{% endmacro %}{{ r(3) }}"))
                .isEqualTo("3210");
    }

    @Test
    void namesAreSetSeveralAtOnce() {
        assertThat(
                        render(
                                "{% set a, b = [1, 2] %}{{ a }}{{ b }}{% set x = 1, 2 %}{{ x }}{% set y %}ab{{ a }}{% endset %}{{ y }}"))
                .isEqualTo("12(1, 2)ab1");
    }

    @Test
    void filtersAndTestsAreJinjas() {
        assertThat(render("{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }}"
                        + "{{ {'b': 2, 'a': 1} | dictsort | list }}{{ nosuch | default('d') }}{{ '' | default('e', true) }}"
                        + "{{ 'a\n\nb' | indent(2) }}{{ [2, 1] | sort }}{{ {'b': 2} | items | first }}"))
                .isEqualTo("['Hi', 'More'][('a', 1), ('b', 2)]dea\n\n  b[1, 2]('b', 2)");
        assertThat(
                        render(
                                "{{ 7 is odd }}{{ 7 is divisibleby 2 }}{{ 'a' is string }}{{ {} is mapping }}{{ 7 is in [7] }}{{ 1 is true }}"))
                .isEqualTo("TrueFalseTrueTrueTrueFalse");
    }

    @Test
    void aFiltersResultIsTrueEvenWhereItIsEmpty() {
        assertThat(
                        render(
                                "{% if [] | select %}a{% endif %}{% if [] | select | list %}b{% endif %}{% if {}.keys() %}c{% endif %}"))
                .isEqualTo("a");
    }

    @Test
    void commentsTakeNoMoreThanTheirLine() {
        assertThat(render("a {# c #} {%- if true %}b{% endif %}")).isEqualTo("a b");
        assertThat(render("a\n  {# --- c --- #}\n  b {#- d -#}\n c")).isEqualTo("a\n  bc");
        assertThat(render("{{ 'a\n   {% b' }}{{ -7 }}")).isEqualTo("a\n   {% b-7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '"',
            value = {
                "{{ 'a' + 1 }} ~ unsupported operand types for +: 'str' and 'int'",
                "{{ 'a' + nosuch }} ~ unsupported operand types for +: 'str' and 'Undefined'",
                "{{ nosuch.a }} ~ an undefined value has no 'a'",
                "{% for x in none %}{% endfor %} ~ 'NoneType' object is not iterable",
                "{{ messages.append(1) }} ~ access to attribute 'append' is unsafe",
                "{{ raise_exception('100% no') }} ~ 100% no",
                "{{ [1] | batch(2) }} ~ the filter 'batch' is not supported in chat templates",
                "{{ 1 is lower }} ~ the test 'is lower' is not supported in chat templates",
                "{{ {} | tojson(sort_keys=true) }} ~ the filter 'tojson' has an argument that is not supported in chat templates",
                "{{ 'a' | safe + 'b' }} ~ + beside the filter 'safe' escapes for HTML",
                "{{ 'a'.zfill(2) }} ~ the method 'zfill' of a text is not supported in chat templates",
                "{% for x in [1] recursive %}{% endfor %} ~ recursive ' is not supported in chat templates",
                "{% include 'x' %} ~ 'include' is disabled",
                "{% call m() %}{% endcall %} ~ 'call' is disabled",
                "{% with a = 1 %}{% endwith %} ~ Unknown tag: with",
                "{{ range(3) }} ~ a template writes an object that is no text: view",
                "{{ cycler('a') }} ~ 'cycler' is not supported in chat templates",
                "{{ nosuch() }} ~ a template calls what is no function: 'Undefined' object",
                "{% set x = [1] | map('string') %}{{ x | join }}{{ x | join }} ~ a filter's result is used a second time",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }} ~ macros call each other without end",
                "{# a ~ a tag is not closed: '{# a'"
            })
    void whatIsNotRenderedAsByJinjaIsRefusedByName(String template, String reason) {
        assertThatThrownBy(() -> render(template))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining(reason);
    }

    private static String render(String template) {
        return ChatTemplate.parse("a test", template, Map.of("bos_token", "<s>"))
                .render(CONVERSATION, true);
    }
}

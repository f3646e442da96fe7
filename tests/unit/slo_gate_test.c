#include "tocsin/slo_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000, TABLE_BYTES = 1 << 16, WORD_MAX = 64, CHANGES_MIN = 30 };

/* Far from 1970, so that "since" is never 0 by chance. */
static const int64_t epoch_ms = INT64_C(1800000000000);

static const struct gate_policy policy = {{1, 1}, {4, 1}, {5, 1}};

/* ---- the table's language; it is described in tests/slo/gate.table ---- */

struct line {
    int number;
    struct gate_reading reading;
    struct gate_freeze freeze;
    struct gate_change change;
    char author[WORD_MAX], reason[WORD_MAX];
};

static const char *text_of(struct str s, char *text)
{
    if (s.n >= WORD_MAX)
        fail_msg("\"%.*s\" is too long", STR_ARG(s));
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

static double number_of(const struct line *line, struct str s)
{
    char text[WORD_MAX], *end;
    double value = strtod(text_of(s, text), &end);
    if (s.n == 0 || *end != '\0')
        fail_msg("line %d: \"%s\" is no number", line->number, text);
    return value;
}

static void read_burns(struct line *line, struct str word)
{
    line->reading =
        (struct gate_reading){.known = !str_is(word, "-"), .coverage = 1, .remaining = 1, .forecast = 1};
    if (!line->reading.known)
        return;
    line->reading.burn_5m = number_of(line, str_cut(&word, '/'));
    line->reading.burn_1h = number_of(line, str_cut(&word, '/'));
    line->reading.burn_6h = number_of(line, word);
}

static struct str with_blanks(struct str word, char *text)
{
    text_of(word, text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    return str_of(text);
}

static void read_setting(struct line *line, struct str word)
{
    struct str name = str_cut(&word, '=');
    if (str_is(name, "left"))
        line->reading.remaining = number_of(line, word) / 100;
    else if (str_is(name, "end"))
        line->reading.forecast = number_of(line, word) / 100;
    else if (str_is(name, "known"))
        line->reading.coverage = number_of(line, word) / 100;
    else if (str_is(name, "frozen"))
        line->freeze.since_ms = epoch_ms - (int64_t)number_of(line, word) * MINUTE_MS;
    else if (str_is(name, "calm"))
        line->freeze.calm_ms = epoch_ms - (int64_t)number_of(line, word) * MINUTE_MS;
    else if (str_is(name, "author"))
        line->change.glass.author = with_blanks(word, line->author);
    else if (str_is(name, "reason"))
        line->change.glass.reason = with_blanks(word, line->reason);
    else
        fail_msg("line %d: \"%.*s\" is no setting", line->number, STR_ARG(name));
}

/* Up to `->`. */
static void read_settings(struct line *line, struct str *rest)
{
    for (;;) {
        struct str word = str_cut_word(rest);
        if (str_is(word, "->"))
            return;
        if (word.n == 0)
            fail_msg("line %d: no ->", line->number);
        read_setting(line, word);
    }
}

static void read_risk(struct line *line, struct str word)
{
    for (int risk = GATE_RISK_REPAIR; risk <= GATE_RISK_HIGH; risk++) {
        if (str_is(word, gate_risk_name((enum gate_risk)risk))) {
            line->change.risk = (enum gate_risk)risk;
            return;
        }
    }
    fail_msg("line %d: \"%.*s\" is no risk", line->number, STR_ARG(word));
}

static void expect(const struct line *line, struct str word, const char *is)
{
    if (!str_is(word, is))
        fail_msg("line %d: %s, should be %.*s", line->number, is, STR_ARG(word));
}

static void play_change(struct line *line, struct str rest)
{
    struct buf words;
    buf_init(&words, 1 << 12);
    read_risk(line, str_cut_word(&rest));
    read_burns(line, str_cut_word(&rest));
    read_settings(line, &rest);
    struct gate_decision decision =
        gate_decide(&policy, &line->reading, &line->freeze, &line->change, epoch_ms, &words);
    struct str verdicts = str_cut(&rest, ':'), said = str_trim(rest);
    expect(line, str_cut_word(&verdicts), gate_verdict_name(decision.verdict));
    expect(line, str_cut_word(&verdicts), gate_state_name(decision.state));
    expect(line, str_cut_word(&verdicts), gate_reason_name(decision.reason));
    if (said.n == 0 || memmem(buf_text(&words), words.used, said.p, said.n) == NULL)
        fail_msg("line %d: %s", line->number, buf_text(&words));
    buf_release(&words);
}

static void play_step(struct line *line, struct gate_freeze *freeze, struct str rest)
{
    int64_t now_ms = epoch_ms + (int64_t)number_of(line, str_cut_word(&rest)) * MINUTE_MS;
    read_burns(line, str_cut_word(&rest));
    read_settings(line, &rest);
    gate_watch(&policy, &line->reading, now_ms, freeze);
    expect(line, str_cut_word(&rest), gate_state_name(gate_state(&policy, &line->reading, freeze)));
    expect(line, str_trim(rest), gate_rung_name(gate_rung(&policy, &line->reading)));
}

static void play_thaw(struct line *line, struct gate_freeze *freeze, struct str rest)
{
    read_settings(line, &rest);
    gate_thaw(&line->change.glass, freeze);
    expect(line, str_trim(rest), gate_state_name(gate_state(&policy, &line->reading, freeze)));
}

struct tally {
    int changes, steps;
};

static void play_line(struct str text, struct line *line, struct gate_freeze *freeze, struct tally *tally)
{
    struct str rest = str_trim(text), verb = str_cut_word(&rest);
    line->change = (struct gate_change){0};
    line->freeze = (struct gate_freeze){0};
    if (str_is(verb, "change")) {
        play_change(line, rest);
        tally->changes++;
    } else if (str_is(verb, "trace")) {
        *freeze = (struct gate_freeze){0};
    } else if (str_is(verb, "at")) {
        play_step(line, freeze, rest);
        tally->steps++;
    } else if (str_is(verb, "thaw")) {
        play_thaw(line, freeze, rest);
    } else {
        fail_msg("line %d: \"%.*s\" is no verb", line->number, STR_ARG(verb));
    }
}

static void test_the_table(void **state)
{
    struct buf file;
    struct err err = {0};
    struct line line = {0};
    struct gate_freeze freeze = {0};
    struct tally tally = {0};
    struct world *world = world_real();
    (void)state;
    buf_init(&file, TABLE_BYTES);
    if (world->read_file(world, "tests/slo/gate.table", &file, &err) != 0)
        fail_msg("%s", err.text);
    for (struct str rest = buf_slice(&file); rest.p != NULL;) {
        struct str text = str_cut(&rest, '\n');
        line.number++;
        if (text.n > 0 && text.p[0] != '#')
            play_line(text, &line, &freeze, &tally);
    }
    buf_release(&file);
    assert_true(tally.changes >= CHANGES_MIN && tally.steps > 0);
}

/* ---- what the table does not say ---- */

static void test_an_objective_may_have_a_ladder_of_its_own(void **state)
{
    struct objective objective = {.ladder = {.freeze = {8, 1}}};
    struct gate_reading reading = {
        .known = true, .coverage = 1, .burn_5m = 6, .burn_1h = 6, .remaining = 1, .forecast = 1};
    (void)state;
    struct gate_policy usual = gate_policy_of(&objective);
    assert_int_equal(gate_rung(&usual, &reading), GATE_MITIGATE);
    objective.ladder.asked = true;
    objective.ladder.mitigate = (struct fraction){10, 1};
    struct gate_policy own = gate_policy_of(&objective);
    assert_int_equal(own.inform.numerator, 1);
    assert_int_equal(gate_rung(&own, &reading), GATE_INFORM);
    reading.burn_5m = reading.burn_1h = 9;
    assert_int_equal(gate_rung(&own, &reading), GATE_FREEZE);
}

static void test_a_freeze_is_as_old_as_its_first_reading(void **state)
{
    struct gate_reading reading = {
        .known = true, .coverage = 1, .burn_5m = 5, .burn_1h = 5, .burn_6h = 5, .remaining = 1};
    struct gate_freeze freeze = {0};
    (void)state;
    gate_watch(&policy, &reading, epoch_ms, &freeze);
    gate_watch(&policy, &reading, epoch_ms + MINUTE_MS, &freeze);
    assert_int_equal(freeze.since_ms, epoch_ms);
}

/* A budget that was divided by nothing must never read as good. */
static void test_what_is_no_number_never_goes(void **state)
{
    struct gate_reading reading = {.known = true, .coverage = 1, .remaining = 1, .forecast = 1};
    struct gate_freeze freeze = {0};
    (void)state;
    reading.remaining = strtod("nan", NULL);
    assert_int_equal(gate_state(&policy, &reading, &freeze), GATE_EXHAUSTED);
    reading.remaining = 1;
    reading.forecast = strtod("nan", NULL);
    assert_int_equal(gate_state(&policy, &reading, &freeze), GATE_AT_RISK);
    reading.forecast = 1;
    reading.coverage = strtod("nan", NULL);
    assert_int_equal(gate_state(&policy, &reading, &freeze), GATE_DARK);
}

static void test_verdicts_are_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(GATE_GO, 0);
    assert_int_equal(GATE_NO, 1);
    assert_int_equal(GATE_UNKNOWN, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_an_objective_may_have_a_ladder_of_its_own),
        cmocka_unit_test(test_a_freeze_is_as_old_as_its_first_reading),
        cmocka_unit_test(test_what_is_no_number_never_goes),
        cmocka_unit_test(test_verdicts_are_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

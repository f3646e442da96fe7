/*
 * objective_rules: what an objective stands for in the running engine: one rule group, named by its id, in its file.
 *
 * Everything is said by the budget's pace: the burn rate in a window is the share of bad events there over the share that the target
 * allows. A burn rate that equals its limit does not fire. rate() leaves the last digits to chance (a comparison of whole numbers,
 * bad * B > total * A, would fire in one of six such cases), so limits lie 1e-14 of an error ratio higher, which is less than one event
 * in ten thousand billions.
 *
 * Recorded, in this order, with the labels slo (the id), service and the objective's own, and, for groups, those that tell groups apart:
 *   tocsin_slo_slice_error_ratio   only where slices are counted (below)
 *   tocsin_slo_error_ratio{window}, tocsin_slo_burn_rate{window}   of each window that alerts look at; nothing while there is no traffic
 *   tocsin_slo_objective_ratio, tocsin_slo_period_seconds, tocsin_slo_info{name,objective,period,owner,tier,runbook}
 * and with compat Sloth's series, or Pyrra's generic ones (which Pyrra does not make of groups), besides. What is left of the budget is
 * the ledger's to tell.
 *
 * Then come the alerts. Each computes what it needs of the events itself (promql_share makes that cost nothing), so they need
 * no recorded series, which a full store may refuse.
 * - Tiers of one class with the same severity, labels, annotations and `for` are one rule: one alert per group, however many of
 *   them fire; its value is the burn rate in the long window of the first that does. Where rules would differ in nothing but `for`
 *   or annotations, the label long (window) tells their alerts apart.
 * - A page that fires keeps tickets of the same objective and group from being opened, and closes none that is open. That stands in the
 *   ticket's expression, by means of ALERTS, and not in an inhibit rule: so it holds whoever routes the alerts, is
 *   seen where rules are shown, and nobody's alertmanager.yml means more than it says. It ends with the page: what
 *   is left to look at becomes a ticket then. Where page and ticket have the same severity there is no such term.
 * - The ladder's alerts are ErrorBudgetPolicy with policy="inform" (severity info), "freeze" (page) and "mitigate" (info), over 1h
 *   and 5m. inform ends where freeze begins; freeze stays when mitigate comes.
 * - SLODataMissing: no sample of total (or of what there is) for no_data_ms; of groups: of all of them, because
 *   nobody knows which there should be.
 *
 * Events are read over each window, as queries and {{.window}} say. Slices are counted instead for thresholds, for ratios whose query
 * knows no window, and where budgeting is by slices, or by ratios of events: then each evaluation is a slice (of slice_ms, with the
 * evaluation's time as its end), its ratio is recorded, and a window's is their mean. Drawback: such an objective has no past before
 * its first evaluation.
 *
 * A numerator that is missing where the total is there counts as 0. Queries are summed up to the labels in `by` unless their text
 * shows that they have these.
 */
#ifndef TOCSIN_OBJECTIVE_RULES_H
#define TOCSIN_OBJECTIVE_RULES_H

#include "tocsin/objective.h"
#include "tocsin/rulefile.h"

/* Adds the objective's group to the set. What is made of it parses whatever the features say; its own queries must parse with these.
 * ERR_PARSE with what is wrong and the objective's id (its line in err->line); ERR_UNSUPPORTED: a guard that needs events where there are
 * none; ERR_LIMIT. */
int objective_compile(const struct objective *o, const struct promql_features *features, struct rule_set *set,
                      struct err *err);

/* All objectives of the set. What is wrong is appended to *errors, a line each; nothing of an objective that is wrong is added. Groups
 * that the set has already under the same file and name are wrong, too. */
int objective_set_compile(const struct objective_set *objectives, const struct promql_features *features,
                          struct rule_set *set, struct buf *errors);

/* Appends the groups as a rule file that Prometheus reads. Drawback: it computes again what is shared here. */
int objective_set_print(const struct objective_set *objectives, const struct promql_features *features,
                        struct buf *out, struct err *err);

#endif

/* state_priv: the SQLite handle and its prepared statements. */
#ifndef TOCSIN_STATE_PRIV_H
#define TOCSIN_STATE_PRIV_H

#include "tocsin/lock.h"
#include "tocsin/state.h"

#include <sqlite3.h>

/* Every statement there is: name, SQL. */
#define STATE_STATEMENTS(STATEMENT)                                                                       \
    STATEMENT(nflog_put, "INSERT OR REPLACE INTO nflog(key,sent_ns,expires_ns,firing,resolved,kept,owed," \
                         "missed) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                       \
    STATEMENT(nflog_each, "SELECT key,sent_ns,expires_ns,firing,resolved,kept,owed,missed FROM nflog "    \
                          "ORDER BY key")                                                                 \
    STATEMENT(nflog_merge, "INSERT INTO nflog(key,sent_ns,expires_ns,firing,resolved,kept,owed,missed) "  \
                           "VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(key) DO UPDATE SET "              \
                           "sent_ns=?2,expires_ns=?3,firing=?4,resolved=?5,kept=?6,owed=?7,missed=?8 "    \
                           "WHERE excluded.sent_ns>nflog.sent_ns")                                        \
    STATEMENT(nflog_expire, "DELETE FROM nflog WHERE expires_ns<=?1")                                     \
    STATEMENT(silence_put, "INSERT OR REPLACE INTO silence(id,matchers,starts_ns,ends_ns,updated_ns,"     \
                           "created_by,comment,annotations) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")             \
    STATEMENT(silence_merge, "INSERT INTO silence(id,matchers,starts_ns,ends_ns,updated_ns,created_by,"   \
                             "comment,annotations) VALUES(?1,?2,?3,?4,?5,?6,?7,?8) "                      \
                             "ON CONFLICT(id) DO UPDATE SET matchers=?2,starts_ns=?3,ends_ns=?4,"         \
                             "updated_ns=?5,created_by=?6,comment=?7,annotations=?8 "                     \
                             "WHERE excluded.updated_ns>silence.updated_ns")                              \
    STATEMENT(silences_each, "SELECT id,matchers,starts_ns,ends_ns,updated_ns,created_by,comment,"        \
                             "annotations FROM silence ORDER BY updated_ns,id")                           \
    STATEMENT(silences_expire, "DELETE FROM silence WHERE ends_ns<?1")                                    \
    STATEMENT(incident_add, "INSERT INTO incident(key,opened_ns,closed_ns,body) VALUES(?1,?2,?3,?4)")     \
    STATEMENT(incident_put, "UPDATE incident SET key=?1,opened_ns=?2,closed_ns=?3,body=?4 WHERE id=?5")   \
    STATEMENT(incident_note, "INSERT INTO incident_note(incident,at_ns,body) VALUES(?1,?2,?3)")           \
    STATEMENT(incident_each, "SELECT id,key,opened_ns,closed_ns,body FROM incident "                      \
                             "WHERE opened_ns>=?1 OR closed_ns=0 ORDER BY id DESC LIMIT ?2")              \
    STATEMENT(incident_notes, "SELECT at_ns,body FROM incident_note WHERE incident=?1 ORDER BY id")       \
    STATEMENT(alert_rule_put, "INSERT OR IGNORE INTO alert_rule(file,grp,rule) VALUES(?1,?2,?3)")         \
    STATEMENT(alert_rule_remove, "DELETE FROM alert_rule WHERE file=?1 AND grp=?2 AND rule=?3")           \
    STATEMENT(alert_rules_each, "SELECT file,grp,rule FROM alert_rule")                                   \
    STATEMENT(alert_put, "INSERT OR REPLACE INTO alert(file,grp,rule,labels,annotations,state,value,"     \
                         "active_ns,fired_ns,resolved_ns,last_sent_ns,keep_firing_since_ns) "             \
                         "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)")                                \
    STATEMENT(alert_remove, "DELETE FROM alert WHERE file=?1 AND grp=?2 AND rule=?3 AND labels=?4")       \
    STATEMENT(alerts_each, "SELECT file,grp,rule,labels,annotations,state,value,active_ns,fired_ns,"      \
                           "resolved_ns,last_sent_ns,keep_firing_since_ns FROM alert")                    \
    STATEMENT(alerts_expire, "DELETE FROM alert WHERE state=0 AND resolved_ns<?1")                        \
    STATEMENT(posted_put, "INSERT OR REPLACE INTO posted(id,since_ns,starts_ns,ends_ns,updated_ns,"       \
                          "starts_zone_s,ends_zone_s,ends_is_timeout,labels,annotations,url) "            \
                          "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")                                   \
    STATEMENT(posted_remove, "DELETE FROM posted WHERE id=?1")                                            \
    STATEMENT(posted_each, "SELECT id,since_ns,starts_ns,ends_ns,updated_ns,starts_zone_s,ends_zone_s,"   \
                           "ends_is_timeout,labels,annotations,url FROM posted ORDER BY id")              \
    STATEMENT(tick_put, "INSERT OR REPLACE INTO tick(id,key,receiver,next_ns) VALUES(?1,?2,?3,?4)")       \
    STATEMENT(tick_remove, "DELETE FROM tick WHERE id=?1")                                                \
    STATEMENT(ticks_each, "SELECT id,key,receiver,next_ns FROM tick ORDER BY id")                         \
    STATEMENT(begin, "BEGIN IMMEDIATE")                                                                   \
    STATEMENT(commit, "COMMIT")                                                                           \
    STATEMENT(imported_find, "SELECT 1 FROM imported WHERE file=?1 AND hash=?2")                          \
    STATEMENT(imported_put, "INSERT OR REPLACE INTO imported(file,hash) VALUES(?1,?2)")                   \
    STATEMENT(budget_put, "INSERT OR REPLACE INTO budget(objective,settled_ms,next_ms) VALUES(?1,?2,?3)") \
    STATEMENT(budget_find, "SELECT settled_ms,next_ms FROM budget WHERE objective=?1")                    \
    STATEMENT(budget_epoch_put,                                                                           \
              "INSERT OR REPLACE INTO budget_epoch(objective,number,from_ms,terms) VALUES(?1,?2,?3,?4)")  \
    STATEMENT(budget_epochs_remove, "DELETE FROM budget_epoch WHERE objective=?1")                        \
    STATEMENT(budget_epochs,                                                                              \
              "SELECT number,from_ms,terms FROM budget_epoch WHERE objective=?1 ORDER BY number")         \
    STATEMENT(budget_day_put,                                                                             \
              "INSERT OR REPLACE INTO budget_day(objective,grp,epoch,day,slices) VALUES(?1,?2,?3,?4,?5)") \
    STATEMENT(budget_days, "SELECT grp,epoch,day,slices FROM budget_day WHERE objective=?1")              \
    STATEMENT(budget_days_expire, "DELETE FROM budget_day WHERE objective=?1 AND day<?2")                 \
    STATEMENT(budgets_expire, "DELETE FROM budget_day WHERE day<?1")                                      \
    STATEMENT(budget_correct,                                                                             \
              "INSERT INTO budget_correction(objective,change,from_ms,to_ms,at_ms,author,reason) "        \
              "VALUES(?1,?2,?3,?4,?5,?6,?7)")                                                             \
    STATEMENT(budget_corrections, "SELECT id,change,from_ms,to_ms,at_ms,author,reason FROM "              \
                                  "budget_correction WHERE objective=?1 ORDER BY id")

enum state_statement {
#define STATEMENT(name, sql) STATE_##name,
    STATE_STATEMENTS(STATEMENT)
#undef STATEMENT
        STATE_STATEMENT_COUNT
};

struct state {
    sqlite3 *db;
    sqlite3_stmt *statement[STATE_STATEMENT_COUNT];
    struct lock lock;
    bool relaxed;  /* what is committed now is not synced */
    bool unsynced; /* posted alerts are in the file that a power cut could still take */
};

/* Takes the lock and hands out a statement without bindings; state_done gives both back. */
sqlite3_stmt *state_begin(struct state *state, enum state_statement id);
void state_done(struct state *state, sqlite3_stmt *statement);

void state_bind_text(sqlite3_stmt *statement, int at, struct str text);
struct str state_column(sqlite3_stmt *statement, int at);

/* Runs a statement that gives no rows. */
int state_run(struct state *state, sqlite3_stmt *statement, struct err *err);

/* Runs it and makes it ready for the next time; the lock is held throughout. */
int state_step(struct state *state, sqlite3_stmt *statement, struct err *err);

/* Writes one with the statement of that name; the lock is held. */
int state_nflog_write(struct state *state, enum state_statement id, const struct nflog_entry *entry,
                      struct err *err);
int state_silence_write(struct state *state, enum state_statement id, const struct silence_row *row,
                        struct err *err);

/* Runs SQL that is no prepared statement. */
int state_execute(struct state *state, const char *sql, const char *doing, struct err *err);

/* A label set as bytes, so that equal sets are equal bytes; and back, in the arena, names and values within the bytes. NULL: no
 * label set looks like this, or the arena is full. Annotations may be empty texts. */
void state_labels_encode(struct buf *out, const struct labels *ls);
void state_labels_append(struct buf *out, const struct labels *ls);
struct labels *state_labels_decode(struct arena *arena, struct str bytes, bool annotations);

/* Matchers as bytes, and back, in the arena, without their compiled expressions; texts stay within the bytes. NULL: no matchers look like
 * this, or the arena is full. */
void state_matchers_encode(struct buf *out, const struct matcher *ms, size_t count);
struct matcher *state_matchers_decode(struct arena *arena, struct str bytes, size_t *count);

/* A text as bytes: its length in four of them, lowest first, and itself. False: there is none. */
enum { STATE_LENGTH_BYTES = 4 };
void state_text_encode(struct buf *out, struct str s);
bool state_text_decode(struct str *rest, struct str *out);

/* All that `put` writes, or nothing; the lock is held. Relaxed: it survives the end of the process, and a power cut only after the next
 * commit that is not. */
int state_together(struct state *state, bool relaxed,
                   int (*put)(struct state *state, void *context, struct err *err), void *context,
                   struct err *err);

/* The code and text of what SQLite just complained about. */
int state_error(struct state *state, const char *doing, struct err *err);

#endif

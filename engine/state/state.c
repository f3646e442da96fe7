#include "state_priv.h"

#include "tocsin/mem.h"

/* Each brings a file from the version before to its own. */
static const char *const schemas[] = {
    "CREATE TABLE nflog(key BLOB PRIMARY KEY,sent_ns INTEGER NOT NULL,expires_ns INTEGER NOT NULL,"
    "firing BLOB NOT NULL,resolved BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE incident(id INTEGER PRIMARY KEY AUTOINCREMENT,key BLOB NOT NULL,opened_ns INTEGER NOT NULL,"
    "closed_ns INTEGER NOT NULL,body BLOB NOT NULL);"
    "CREATE TABLE incident_note(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "incident INTEGER NOT NULL REFERENCES incident(id),at_ns INTEGER NOT NULL,body BLOB NOT NULL);"
    "CREATE INDEX incident_note_of ON incident_note(incident);"
    "PRAGMA user_version=1;",
    "CREATE TABLE alert_rule(file BLOB,grp BLOB,rule INTEGER,PRIMARY KEY(file,grp,rule)) WITHOUT ROWID;"
    "CREATE TABLE alert(file BLOB,grp BLOB,rule INTEGER,labels BLOB,annotations BLOB NOT NULL,"
    "state INTEGER NOT NULL,value INTEGER NOT NULL,active_ns INTEGER NOT NULL,fired_ns INTEGER NOT NULL,"
    "resolved_ns INTEGER NOT NULL,last_sent_ns INTEGER NOT NULL,keep_firing_since_ns INTEGER NOT NULL,"
    "PRIMARY KEY(file,grp,rule,labels)) WITHOUT ROWID;"
    "PRAGMA user_version=2;",
    "ALTER TABLE nflog ADD COLUMN kept BLOB NOT NULL DEFAULT x''; PRAGMA user_version=3;",
    "ALTER TABLE nflog ADD COLUMN owed BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE nflog ADD COLUMN missed BLOB NOT NULL DEFAULT x'';"
    "CREATE TABLE silence(id BLOB PRIMARY KEY,matchers BLOB NOT NULL,starts_ns INTEGER NOT NULL,"
    "ends_ns INTEGER NOT NULL,updated_ns INTEGER NOT NULL,created_by BLOB NOT NULL,comment BLOB NOT NULL,"
    "annotations BLOB NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version=4;",
    "CREATE TABLE posted(id INTEGER PRIMARY KEY,since_ns INTEGER NOT NULL,starts_ns INTEGER NOT NULL,"
    "ends_ns INTEGER NOT NULL,updated_ns INTEGER NOT NULL,starts_zone_s INTEGER NOT NULL,"
    "ends_zone_s INTEGER NOT NULL,ends_is_timeout INTEGER NOT NULL,labels BLOB NOT NULL,"
    "annotations BLOB NOT NULL,url BLOB NOT NULL);"
    "CREATE TABLE tick(id INTEGER PRIMARY KEY,key BLOB NOT NULL,receiver BLOB NOT NULL,"
    "next_ns INTEGER NOT NULL);"
    "CREATE TABLE imported(file BLOB PRIMARY KEY,hash INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version=5;",
    "CREATE TABLE budget(objective BLOB PRIMARY KEY,settled_ms INTEGER NOT NULL,next_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE budget_epoch(objective BLOB,number INTEGER,from_ms INTEGER NOT NULL,terms BLOB NOT NULL,"
    "PRIMARY KEY(objective,number)) WITHOUT ROWID;"
    "CREATE TABLE budget_day(objective BLOB,grp BLOB,epoch INTEGER,day INTEGER,slices BLOB NOT NULL,"
    "PRIMARY KEY(objective,grp,epoch,day)) WITHOUT ROWID;"
    "CREATE TABLE budget_correction(id INTEGER PRIMARY KEY AUTOINCREMENT,objective BLOB NOT NULL,"
    "change INTEGER NOT NULL,from_ms INTEGER NOT NULL,to_ms INTEGER NOT NULL,at_ms INTEGER NOT NULL,"
    "author BLOB NOT NULL,reason BLOB NOT NULL);"
    "CREATE INDEX budget_correction_of ON budget_correction(objective);"
    "PRAGMA user_version=6;",
};

enum { SCHEMA_VERSION = sizeof schemas / sizeof *schemas };

int state_error(struct state *state, const char *doing, struct err *err)
{
    int code = sqlite3_errcode(state->db) & 0xff;
    bool corrupt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return err_set(err, corrupt ? ERR_CORRUPT : ERR_IO, "%s: %s", doing, sqlite3_errmsg(state->db));
}

int state_execute(struct state *state, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(state->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return state_error(state, doing, err);
    return 0;
}

static int execute(struct state *state, const char *sql, struct err *err)
{
    return state_execute(state, sql, "cannot set up the state file", err);
}

static int read_version(struct state *state, int *version, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(state->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return state_error(state, "cannot read the state file", err);
    }
    *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return 0;
}

static int check_schema(struct state *state, struct err *err)
{
    int version = 0;
    int rc = read_version(state, &version, err);
    if (rc != 0)
        return rc;
    if (version < 0 || version > SCHEMA_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "the state file was written by a newer version (its schema is %d, this one knows %d)",
                       version, SCHEMA_VERSION);
    if (version == SCHEMA_VERSION)
        return 0;
    rc = execute(state, "BEGIN IMMEDIATE", err);
    for (int i = version; rc == 0 && i < SCHEMA_VERSION; i++)
        rc = execute(state, schemas[i], err);
    return rc == 0 ? execute(state, "COMMIT", err) : rc;
}

/* Reads every page once: better to hear of damage now than in the middle of the night. */
static int check_sound(struct state *state, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(state->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        rc = state_error(state, "cannot check the state file", err);
    else if (!str_is(state_column(statement, 0), "ok"))
        rc =
            err_set(err, ERR_CORRUPT, "the state file is damaged: %.*s", STR_ARG(state_column(statement, 0)));
    sqlite3_finalize(statement);
    return rc;
}

static int prepare(struct state *state, struct err *err)
{
    static const char *const sql[] = {
#define STATEMENT(name, text) text,
        STATE_STATEMENTS(STATEMENT)
#undef STATEMENT
    };
    for (size_t i = 0; i < STATE_STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(state->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &state->statement[i],
                               NULL) != SQLITE_OK)
            return state_error(state, "the state file has an unknown shape", err);
    }
    return 0;
}

static int set_up(struct state *state, struct err *err)
{
    int on = 0;
    sqlite3_db_config(state->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on);
    sqlite3_db_config(state->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on);
    sqlite3_busy_timeout(state->db, 1000);
    /* A new file's pages are large: a storm of alerts fills many at once, and each is two calls to write. */
    int rc = execute(state,
                     "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                     "PRAGMA foreign_keys=ON;",
                     err);
    if (rc == 0)
        rc = check_sound(state, err);
    if (rc == 0)
        rc = check_schema(state, err);
    return rc == 0 ? prepare(state, err) : rc;
}

int state_open(const char *path, struct state **out, struct err *err)
{
    *out = NULL;
    struct state *state = MEM_NEW(struct state);
    lock_init(&state->lock, LOCK_state);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = 0;
    if (sqlite3_open_v2(path, &state->db, flags, NULL) != SQLITE_OK)
        rc = err_set(err, ERR_IO, "cannot open %s: %s", path, sqlite3_errmsg(state->db));
    else
        rc = set_up(state, err);
    if (rc != 0) {
        state_close(state);
        return rc;
    }
    *out = state;
    return 0;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    for (size_t i = 0; i < STATE_STATEMENT_COUNT; i++)
        sqlite3_finalize(state->statement[i]);
    sqlite3_close(state->db);
    lock_release(&state->lock);
    mem_free(state);
}

/* Said only when it changes: to read the words takes as long as to write an alert. */
static int set_relaxed(struct state *state, bool relaxed, struct err *err)
{
    if (state->relaxed == relaxed)
        return 0;
    int rc = state_execute(state, relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
                           "cannot write the state file", err);
    if (rc == 0)
        state->relaxed = relaxed;
    return rc;
}

sqlite3_stmt *state_begin(struct state *state, enum state_statement id)
{
    lock_take(&state->lock);
    (void)set_relaxed(state, false, NULL);
    return state->statement[id];
}

void state_done(struct state *state, sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    lock_drop(&state->lock);
}

/* An empty text must not become NULL. */
void state_bind_text(sqlite3_stmt *statement, int at, struct str text)
{
    sqlite3_bind_blob64(statement, at, text.n > 0 ? text.p : "", text.n, SQLITE_STATIC);
}

struct str state_column(sqlite3_stmt *statement, int at)
{
    const char *bytes = sqlite3_column_blob(statement, at);
    return (struct str){bytes, (size_t)sqlite3_column_bytes(statement, at)};
}

int state_step(struct state *state, sqlite3_stmt *statement, struct err *err)
{
    int rc = state_run(state, statement, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return rc;
}

int state_run(struct state *state, sqlite3_stmt *statement, struct err *err)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        return state_error(state, "cannot write the state file", err);
    return 0;
}

int state_together(struct state *state, bool relaxed,
                   int (*put)(struct state *state, void *context, struct err *err), void *context,
                   struct err *err)
{
    int rc = set_relaxed(state, relaxed, err);
    if (rc == 0)
        rc = state_step(state, state->statement[STATE_begin], err);
    if (rc != 0)
        return rc;
    rc = put(state, context, err);
    if (rc == 0)
        rc = state_step(state, state->statement[STATE_commit], err);
    if (rc != 0)
        (void)sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

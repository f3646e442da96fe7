#include "config_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/strict_model.h"
#include "tocsin/yaml_print.h"

enum { TIMEOUT_DEFAULT_MS = 10000, REFRESH_DEFAULT_MS = 30000, REFRESH_LEAST_MS = 1000 };

/* Would change where alerts go: silently ignoring it could lose a page. */
static void refuse(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node) && (node->kind == TREE_SCALAR || node->count > 0))
        strict_unsupported(
            s, node->key,
            "%.*s is not supported yet; remove it, or list the targets under static_configs or "
            "dns_sd_configs",
            STR_ARG(node->key->text));
}

static void complain_of(struct strict *s, const struct tree *node, struct str text, const char *what)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    strict_fail(s, node, "%s %s", buf_text(&quoted), what);
    buf_release(&quoted);
}

/* ---- static_configs ---- */

static void read_static(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"targets", strict_texts, offsetof(struct config_static, targets)},
        {"labels", strict_labels, offsetof(struct config_static, labels)},
        {NULL, NULL, 0},
    };
    static const char go_type[] =
        "struct { Targets []string \"yaml:\\\"targets\\\"\"; Labels model.LabelSet \"yaml:\\\"labels\\\"\" }";
    if (strict_struct(s, node, go_type, fields, target) && tree_is_null(tree_get(node, "targets")))
        strict_fail(s, node, "a static config needs a list of targets");
}

static void read_statics(struct strict *s, const struct tree *node, void *target)
{
    struct config_manager *m = target;
    struct strict_list list = {0};
    strict_list(s, node, "[]*targetgroup.Group", sizeof(struct config_static), read_static, &list);
    m->statics = list.items;
    m->static_count = list.count;
}

/* A target's own labels are only its address; what its group gives comes beside it. */
static const struct labels *target_labels(struct strict *s, const struct config_static *group,
                                          struct str address)
{
    struct label own = {STR("__address__"), address};
    const struct labels *base = group->labels != NULL ? group->labels : labels_empty(s->arena);
    const struct labels *over = labels_make(s->arena, &own, 1);
    return base != NULL && over != NULL ? labels_merge(s->arena, base, over) : NULL;
}

static void join_targets(struct strict *s, struct config_manager *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->static_count; i++)
        count += m->statics[i].targets.count;
    m->group.targets = ARENA_ARRAY(s->arena, const struct labels *, count);
    for (size_t i = 0; m->group.targets != NULL && i < m->static_count; i++) {
        for (size_t k = 0; k < m->statics[i].targets.count; k++) {
            const struct labels *target = target_labels(s, &m->statics[i], m->statics[i].targets.items[k]);
            if (target != NULL)
                m->group.targets[m->group.target_count++] = target;
        }
    }
}

static void check_target(struct strict *s, const struct tree *node)
{
    if (node->text.n == 0 || str_find_char(node->text, '/') < node->text.n)
        complain_of(s, node, node->text, "is not a valid hostname");
}

/* With relabelling an address may be anything until it has gone through it. */
static void check_targets(struct strict *s, const struct tree *statics, const struct config_manager *m)
{
    if (m->group.relabel.count > 0 || tree_is_null(statics))
        return;
    for (const struct tree *group = statics->first; group != NULL; group = group->next)
        for (const struct tree *t = tree_get(group, "targets")->first; t != NULL; t = t->next)
            check_target(s, t);
}

/* ---- dns_sd_configs ---- */

static void read_type(struct strict *s, const struct tree *node, void *target)
{
    static const struct {
        const char *name;
        enum dns_type type;
    } types[] = {{"SRV", DNS_SRV}, {"A", DNS_A}, {"AAAA", DNS_AAAA}, {"MX", DNS_MX}, {"NS", DNS_NS}};
    struct str name;
    strict_text(s, node, &name);
    if (node->kind != TREE_SCALAR)
        return;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq_nocase(name, str_of(types[i].name))) {
            *(enum dns_type *)target = types[i].type;
            return;
        }
    }
    strict_fail(s, node, "invalid DNS-SD records type %.*s", STR_ARG(name));
}

static void read_refresh(struct strict *s, const struct tree *node, void *target)
{
    int64_t *ms = target;
    strict_duration_ms(s, node, ms);
    if (*ms < REFRESH_LEAST_MS) /* Prometheus cannot do with 0 either */
        *ms = REFRESH_LEAST_MS;
}

static void read_lookup(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"names", strict_texts, offsetof(struct forward_lookup, names)},
        {"refresh_interval", read_refresh, offsetof(struct forward_lookup, refresh_ms)},
        {"type", read_type, offsetof(struct forward_lookup, type)},
        {"port", strict_i64, offsetof(struct forward_lookup, port)},
        {NULL, NULL, 0},
    };
    struct forward_lookup *l = target;
    *l = (struct forward_lookup){.type = DNS_SRV, .refresh_ms = REFRESH_DEFAULT_MS};
    if (!strict_struct(s, node, "dns.plain", fields, l))
        return;
    if (l->names.count == 0)
        strict_fail(s, node, "DNS-SD config must contain at least one SRV record name");
    if (l->type != DNS_SRV && l->port == 0)
        strict_fail(s, node, "a port is required in DNS-SD configs for all record types except SRV");
    for (size_t i = 0; i < l->names.count; i++)
        if (str_find_char(l->names.items[i], '\0') < l->names.items[i].n || l->names.items[i].n == 0)
            strict_fail(s, node, "names takes the names of hosts");
}

static void read_lookups(struct strict *s, const struct tree *node, void *target)
{
    struct forward_group *group = target;
    struct strict_list list = {0};
    strict_list(s, node, "[]*dns.SDConfig", sizeof(struct forward_lookup), read_lookup, &list);
    group->lookups = list.items;
    group->lookup_count = list.count;
}

/* ---- alertmanagers ---- */

static void read_api_version(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    if (node->kind != TREE_SCALAR)
        strict_mismatch(s, node, "config.AlertmanagerAPIVersion");
    else if (!str_is(node->text, "v2"))
        strict_fail(s, node, "expected Alertmanager api version to be one of [v2] but got %.*s",
                    STR_ARG(node->text));
}

/* An empty one stays what it was. */
static void read_timeout(struct strict *s, const struct tree *node, void *target)
{
    struct strict_duration timeout;
    strict_duration(s, node, &timeout);
    if (timeout.given)
        *(int64_t *)target = timeout.ms;
}

static void check_manager(struct strict *s, const struct tree *node, struct config *config,
                          struct config_manager *m)
{
    struct forward_group *group = &m->group;
    const struct tree *scheme = tree_get(node, "scheme");
    http_config_check(s, node, &group->http);
    http_config_join(s->arena, &group->http, config->folder);
    if (!str_is(group->scheme, "http") && !str_is(group->scheme, "https"))
        strict_fail(s, scheme, "scheme must be http or https");
    check_targets(s, tree_get(node, "static_configs"), m);
    relabel_refuse_empty(s, &group->relabel, "empty or null Alertmanager target relabeling rule");
    relabel_refuse_empty(s, &group->alert_relabel, "empty or null Alertmanager alert relabeling rule");
    join_targets(s, m);
}

static void read_manager(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        HTTP_CONFIG_FIELDS(offsetof(struct config_manager, group.http)),
        {"static_configs", read_statics, 0},
        {"dns_sd_configs", read_lookups, offsetof(struct config_manager, group)},
        {"scheme", strict_text, offsetof(struct config_manager, group.scheme)},
        {"path_prefix", strict_text, offsetof(struct config_manager, group.path_prefix)},
        {"timeout", read_timeout, offsetof(struct config_manager, group.timeout_ms)},
        {"api_version", read_api_version, 0},
        {"relabel_configs", relabel_read, offsetof(struct config_manager, group.relabel)},
        {"alert_relabel_configs", relabel_read, offsetof(struct config_manager, group.alert_relabel)},
        {"sigv4", refuse, 0},
        {"azure_sd_configs", refuse, 0},
        {"consul_sd_configs", refuse, 0},
        {"digitalocean_sd_configs", refuse, 0},
        {"docker_sd_configs", refuse, 0},
        {"dockerswarm_sd_configs", refuse, 0},
        {"ec2_sd_configs", refuse, 0},
        {"eureka_sd_configs", refuse, 0},
        {"file_sd_configs", refuse, 0},
        {"gce_sd_configs", refuse, 0},
        {"hetzner_sd_configs", refuse, 0},
        {"http_sd_configs", refuse, 0},
        {"kubernetes_sd_configs", refuse, 0},
        {"linode_sd_configs", refuse, 0},
        {"marathon_sd_configs", refuse, 0},
        {"nerve_sd_configs", refuse, 0},
        {"nomad_sd_configs", refuse, 0},
        {"openstack_sd_configs", refuse, 0},
        {"puppetdb_sd_configs", refuse, 0},
        {"scaleway_sd_configs", refuse, 0},
        {"serverset_sd_configs", refuse, 0},
        {"triton_sd_configs", refuse, 0},
        {"uyuni_sd_configs", refuse, 0},
        {NULL, NULL, 0},
    };
    struct config_manager *m = target;
    m->group.scheme = STR("http");
    m->group.timeout_ms = TIMEOUT_DEFAULT_MS;
    http_config_init(&m->group.http);
    if (strict_struct(s, node, "config.plain", fields, m))
        check_manager(s, node, s->context, m);
}

static void read_managers(struct strict *s, const struct tree *node, void *target)
{
    struct config *config = target;
    struct strict_list list = {0};
    strict_list(s, node, "config.AlertmanagerConfigs", sizeof(struct config_manager), read_manager, &list);
    config->managers = list.items;
    config->manager_count = list.count;
    config->groups = ARENA_ARRAY(s->arena, const struct forward_group *, list.count);
    for (size_t i = 0; config->groups != NULL && i < list.count; i++)
        config->groups[i] = &config->managers[i].group;
}

void config_read_alerting(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"alertmanagers", read_managers, 0},
        {"alert_relabel_configs", relabel_read, offsetof(struct config, alert_relabel)},
        {NULL, NULL, 0},
    };
    struct config *config = target;
    if (strict_struct(s, node, "config.plain", fields, config))
        relabel_refuse_empty(s, &config->alert_relabel, "empty or null alert relabeling rule");
}

void config_check_alerting(struct strict *s, const struct config *config)
{
    relabel_check(s, &config->alert_relabel);
    for (size_t i = 0; i < config->manager_count; i++) {
        relabel_check(s, &config->managers[i].group.alert_relabel);
        relabel_check(s, &config->managers[i].group.relabel);
    }
}

/* ---- printing ---- */

static void print_duration(struct buf *out, int indent, const char *key, int64_t ms)
{
    yaml_key(out, indent, key);
    buf_char(out, ' ');
    duration_print(out, ms);
    buf_char(out, '\n');
}

/* A user and a password, which may hold an @ as well, in front of the host are nobody's business. */
static void print_target(struct buf *out, struct str target)
{
    struct str host = target;
    struct buf told;
    buf_init(&told, target.n + 16);
    while (str_find_char(host, '@') < host.n)
        (void)str_cut(&host, '@');
    buf_puts(&told, host.n < target.n ? "<secret>@" : "");
    buf_str(&told, host);
    json_string_raw(out, buf_slice(&told));
    buf_release(&told);
}

static void print_labels(struct buf *out, int indent, const struct labels *labels)
{
    if (labels == NULL || labels->count == 0)
        return;
    yaml_key(out, indent, "labels");
    buf_char(out, '\n');
    for (size_t i = 0; i < labels->count; i++) {
        buf_repeat(out, ' ', (size_t)indent + 2);
        json_string_raw(out, labels->item[i].name);
        buf_puts(out, ": ");
        json_string_raw(out, labels->item[i].value);
        buf_char(out, '\n');
    }
}

static void print_statics(struct buf *out, int indent, const struct config_manager *m)
{
    if (m->static_count > 0)
        buf_format(out, "%*sstatic_configs:\n", indent, "");
    for (size_t i = 0; i < m->static_count; i++) {
        const struct config_static *group = &m->statics[i];
        buf_format(out, "%*s- targets: [", indent, "");
        for (size_t k = 0; k < group->targets.count; k++) {
            buf_puts(out, k > 0 ? ", " : "");
            print_target(out, group->targets.items[k]);
        }
        buf_puts(out, "]\n");
        print_labels(out, indent + 2, group->labels);
    }
}

static const char *type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_AAAA:
        return "AAAA";
    case DNS_MX:
        return "MX";
    case DNS_NS:
        return "NS";
    case DNS_SRV:
        break;
    }
    return "SRV";
}

static void print_lookups(struct buf *out, int indent, const struct forward_group *group)
{
    if (group->lookup_count > 0)
        buf_format(out, "%*sdns_sd_configs:\n", indent, "");
    for (size_t i = 0; i < group->lookup_count; i++) {
        const struct forward_lookup *l = &group->lookups[i];
        buf_format(out, "%*s- names: [", indent, "");
        for (size_t k = 0; k < l->names.count; k++) {
            buf_puts(out, k > 0 ? ", " : "");
            json_string_raw(out, l->names.items[k]);
        }
        buf_puts(out, "]\n");
        print_duration(out, indent + 2, "refresh_interval", l->refresh_ms);
        buf_format(out, "%*stype: %s\n%*sport: %lld\n", indent + 2, "", type_name(l->type), indent + 2, "",
                   (long long)l->port);
    }
}

static void print_manager(struct buf *out, int indent, const struct config_manager *m)
{
    size_t from = out->used;
    indent += 2;
    http_config_print(out, indent, &m->group.http);
    yaml_plain(out, indent, "scheme", str_is(m->group.scheme, "https") ? "https" : "http");
    yaml_text(out, indent, "path_prefix", m->group.path_prefix);
    print_duration(out, indent, "timeout", m->group.timeout_ms);
    yaml_plain(out, indent, "api_version", "v2");
    relabel_print(out, indent, "relabel_configs", &m->group.relabel);
    relabel_print(out, indent, "alert_relabel_configs", &m->group.alert_relabel);
    print_statics(out, indent, m);
    print_lookups(out, indent, &m->group);
    yaml_dash(out, from, indent - 2);
}

void config_print_alerting(struct buf *out, const struct config *config)
{
    if (config->manager_count + config->alert_relabel.count > 0)
        buf_puts(out, "alerting:\n");
    relabel_print(out, 2, "alert_relabel_configs", &config->alert_relabel);
    if (config->manager_count > 0)
        buf_puts(out, "  alertmanagers:\n");
    for (size_t i = 0; i < config->manager_count; i++)
        print_manager(out, 2, &config->managers[i]);
}

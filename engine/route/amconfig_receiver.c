#include "amconfig_priv.h"

struct receiver_draft {
    struct am_receiver receiver;
    const struct tree *labels;
};

static void keep_labels(struct strict *s, const struct tree *node, void *target)
{
    struct receiver_draft *d = target;
    strict_labels(s, node, &d->receiver.labels);
    d->labels = node;
}

static void name_labels(struct strict *s, struct receiver_draft *d)
{
    struct am_receiver *receiver = &d->receiver;
    if (receiver->labels == NULL)
        receiver->labels = labels_empty(s->arena);
    if (receiver->labels == NULL)
        return;
    struct str name = labels_get(receiver->labels, STR("name"));
    if (name.n > 0 && !str_eq(name, receiver->name))
        strict_fail(s, d->labels, "receiver label \"name\" must match receiver name \"%.*s\", got \"%.*s\"",
                    STR_ARG(receiver->name), STR_ARG(name));
    receiver->labels = labels_with(s->arena, receiver->labels, STR("name"), receiver->name);
}

static void read_receiver(struct strict *s, const struct tree *node, void *target)
{
    enum { OWN_KEYS = 2 };
    struct strict_field keys[OWN_KEYS + INTEGRATION_KINDS_MAX + 1] = {
        {"name", strict_text, offsetof(struct receiver_draft, receiver.name)},
        {"labels", keep_labels, 0},
    };
    for (size_t i = 0; integration_keys[i] != NULL; i++)
        keys[OWN_KEYS + i] = (struct strict_field){integration_keys[i], integrations_read,
                                                   offsetof(struct receiver_draft, receiver.integrations)};
    struct receiver_draft d = {0};
    if (!strict_struct(s, node, "config.plain", keys, &d))
        return;
    if (d.receiver.name.n == 0) {
        strict_fail(s, node, "missing name in receiver");
        return;
    }
    name_labels(s, &d);
    *(struct am_receiver *)target = d.receiver;
}

void am_read_receivers(struct strict *s, const struct tree *node, void *target)
{
    struct amconfig *config = ((struct am_reader *)target)->config;
    struct strict_list receivers = {0};
    strict_list(s, node, "[]config.Receiver", sizeof(struct am_receiver), read_receiver, &receivers);
    config->receivers = receivers.items;
    config->receiver_count = receivers.count;
}

void am_check_receivers(struct am_reader *r)
{
    struct amconfig *config = r->config;
    for (size_t i = 0; i < config->receiver_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (str_eq(config->receivers[k].name, config->receivers[i].name)) {
                strict_fail(&r->strict, NULL, "notification config name \"%.*s\" is not unique",
                            STR_ARG(config->receivers[i].name));
                return;
            }
        }
        integrations_check(&r->strict, &config->receivers[i].integrations, &r->globals, r->folder);
    }
}

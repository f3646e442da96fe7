#include "world_priv.h"

#include "tocsin/dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

/* A server that does not answer is given up after two seconds; the next time comes soon enough. */
enum { SERVER_WAIT_S = 2, ATTEMPTS = 1 };

/* glibc's resolver: what /etc/resolv.conf says, with its search list, and over TCP what does not fit into UDP. */
int dns_ask(const struct sockaddr_in *server, const char *name, int type, struct buf *answer, struct err *err)
{
    struct __res_state state = {0};
    if (res_ninit(&state) != 0)
        return err_set(err, ERR_IO, "could not load resolv.conf");
    state.retrans = SERVER_WAIT_S;
    state.retry = ATTEMPTS;
    if (server != NULL) {
        state.nscount = 1;
        state.nsaddr_list[0] = *server;
    }
    char *to = buf_reserve(answer, DNS_MESSAGE_MAX);
    int got =
        to != NULL ? res_nsearch(&state, name, ns_c_in, type, (unsigned char *)to, DNS_MESSAGE_MAX) : -1;
    int why = state.res_h_errno;
    res_nclose(&state);
    if (to == NULL)
        return err_set(err, ERR_LIMIT, "there is no room for the name server's answer");
    if (got >= 0) {
        buf_commit(answer, (size_t)(got < DNS_MESSAGE_MAX ? got : DNS_MESSAGE_MAX));
        return 0;
    }
    if (why == HOST_NOT_FOUND || why == NO_DATA)
        return err_set(err, ERR_NOT_FOUND, "%s: there is no such name, or nothing of that type", name);
    return err_set(err, ERR_IO, "could not resolve \"%s\": no server gave a usable answer", name);
}

int world_resolve(struct world *w, const char *name, int type, struct buf *answer, struct err *err)
{
    (void)w;
    return dns_ask(NULL, name, type, answer, err);
}

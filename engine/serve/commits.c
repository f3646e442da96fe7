#include "commits_priv.h"

#include "tocsin/check.h"

#include <stddef.h>

void commits_open(struct commits *commits, void (*resume)(struct commit *commit))
{
    *commits = (struct commits){.resume = resume};
    lock_init(&commits->lock, LOCK_commits);
    must(pthread_cond_init(&commits->resumed, NULL) == 0);
}

void commits_release(struct commits *commits)
{
    must(pthread_cond_destroy(&commits->resumed) == 0);
    lock_release(&commits->lock);
}

/* Pushes end nearly in the order of their positions, so the place is at the end or close to it. */
static void put(struct commits *commits, struct commit *commit)
{
    struct commit *before = commits->last;
    while (before != NULL && before->position > commit->position)
        before = before->previous;
    commit->previous = before;
    commit->next = before != NULL ? before->next : commits->first;
    *(before != NULL ? &before->next : &commits->first) = commit;
    *(commit->next != NULL ? &commit->next->previous : &commits->last) = commit;
}

static void take_out(struct commits *commits, struct commit *commit)
{
    *(commit->previous != NULL ? &commit->previous->next : &commits->first) = commit->next;
    *(commit->next != NULL ? &commit->next->previous : &commits->last) = commit->previous;
}

/* What is known of it now. */
static enum commit_end judge(const struct commits *commits, const struct commit *commit, bool works)
{
    if (commit->position <= commits->durable)
        return COMMIT_DURABLE;
    return works && !commits->closed ? COMMIT_WAITS : COMMIT_FAILED;
}

bool commits_wait(struct commits *commits, struct commit *commit, uint64_t position, int64_t deadline_ns)
{
    *commit = (struct commit){.position = position, .deadline_ns = deadline_ns};
    lock_take(&commits->lock);
    commit->end = judge(commits, commit, true);
    bool waits = commit->end == COMMIT_WAITS;
    if (waits)
        put(commits, commit);
    lock_drop(&commits->lock);
    return waits;
}

/* Called with the lock, and returns with it; but what was taken off the list is resumed without it. A commit that has been
 * resumed is gone. */
static void resume_all(struct commits *commits, struct commit *first)
{
    commits->resuming++;
    lock_drop(&commits->lock);
    while (first != NULL) {
        struct commit *next = first->next;
        commits->resume(first);
        first = next;
    }
    lock_take(&commits->lock);
    commits->resuming--;
    must(pthread_cond_broadcast(&commits->resumed) == 0);
}

/* Takes off the list, from its front, all whose end is known. The lock is held. */
static struct commit *cut_front(struct commits *commits, bool works)
{
    struct commit *front = commits->first, *last = NULL;
    for (struct commit *c = front; c != NULL && (c->end = judge(commits, c, works)) != COMMIT_WAITS;
         c = c->next)
        last = c;
    if (last == NULL)
        return NULL;
    commits->first = last->next;
    *(last->next != NULL ? &last->next->previous : &commits->last) = NULL;
    last->next = NULL;
    return front;
}

void commits_tell(struct commits *commits, uint64_t durable, bool works)
{
    lock_take(&commits->lock);
    commits->durable = durable;
    resume_all(commits, cut_front(commits, works));
    lock_drop(&commits->lock);
}

int commits_expire(struct commits *commits, int64_t now_ns)
{
    struct commit *late = NULL, *next;
    int count = 0;
    lock_take(&commits->lock);
    for (struct commit *c = commits->first; c != NULL; c = next) {
        next = c->next;
        if (c->deadline_ns > now_ns)
            continue;
        take_out(commits, c);
        c->end = COMMIT_LATE;
        c->next = late;
        late = c;
        count++;
    }
    if (count > 0)
        resume_all(commits, late);
    lock_drop(&commits->lock);
    return count;
}

void commits_close(struct commits *commits)
{
    lock_take(&commits->lock);
    commits->closed = true;
    resume_all(commits, cut_front(commits, false));
    while (commits->resuming > 0)
        must(pthread_cond_wait(&commits->resumed, &commits->lock.mutex) == 0);
    lock_drop(&commits->lock);
}

#include "learning.h"

void learner_init(learner_t *learner, bool strict, int probation, int64_t relearn_ns)
{
    memset(learner, 0, sizeof *learner);
    learner->strict = strict;
    learner->probation = probation;
    learner->relearn_ns = relearn_ns;
    learner->expected_at = -1;
}

void learner_expect(learner_t *learner, const address_t *address)
{
    static const address_t nowhere;
    if (!address)
        address = &nowhere;
    if (address->family == 0 ? learner->expected.family == 0 : address_equal(address, &learner->expected))
        return;
    learner->expected = *address;
    learner->expected_at = -1;
    learner->locked = nowhere;
    learner->candidates = 0;
}

static void lock(learner_t *learner, const address_t *source, int64_t now_ns)
{
    learner->locked = *source;
    learner->heard_at = now_ns;
    learner->candidates = 0;
}

/* The source's entry, new behind the others when it has none: the one that came first makes room. */
static struct learner_candidate *candidate_of(learner_t *learner, const address_t *source)
{
    for (int n = 0; n < learner->candidates; n++)
        if (address_equal(&learner->candidate[n].source, source))
            return &learner->candidate[n];
    if (learner->candidates == LEARNER_CANDIDATES) {
        learner->candidates--;
        memmove(learner->candidate, learner->candidate + 1, (LEARNER_CANDIDATES - 1) * sizeof *learner->candidate);
    }
    struct learner_candidate *fresh = &learner->candidate[learner->candidates++];
    *fresh = (struct learner_candidate){.source = *source};
    return fresh;
}

/* How many packets of the source came in sequence, with this one. */
static int count_in_sequence(learner_t *learner, const address_t *source, uint16_t sequence)
{
    struct learner_candidate *candidate = candidate_of(learner, source);
    candidate->count = sequence == candidate->following ? candidate->count + 1 : 1;
    candidate->following = (uint16_t)(sequence + 1);
    return candidate->count;
}

bool learner_accept(learner_t *learner, const address_t *source, uint16_t sequence, int64_t now_ns)
{
    bool is_locked = learner->locked.family != 0;
    if (is_locked && address_equal(source, &learner->locked)) {
        learner->heard_at = now_ns;
        return true;
    }
    if (!learner->strict) {
        lock(learner, source, now_ns);
        return true;
    }
    if (is_locked && now_ns - learner->heard_at < learner->relearn_ns)
        return false;
    int count = count_in_sequence(learner, source, sequence);
    bool signalled = learner->expected.family != 0 && address_equal(source, &learner->expected);
    if (signalled)
        learner->expected_at = now_ns;
    else if (learner->expected_at >= 0 && now_ns - learner->expected_at < learner->relearn_ns)
        return false;
    if (count >= learner->probation) {
        lock(learner, source, now_ns);
        return true;
    }
    return signalled && !is_locked;
}

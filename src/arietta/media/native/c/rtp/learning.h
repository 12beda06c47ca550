/* Which source an RTP port listens to: strict learning (RFC 4961, RFC 3550 A.1). */
#ifndef ARIETTA_LEARNING_H
#define ARIETTA_LEARNING_H

#include "base.h"

enum { LEARNER_CANDIDATES = 8 };

typedef struct learner {
    bool strict;
    int probation;
    int64_t relearn_ns;
    address_t locked;   /* family 0: not yet */
    int64_t heard_at;   /* when the locked source was last heard */
    address_t expected;
    int64_t expected_at; /* -1: not heard */
    int candidates;      /* in order of their arrival */
    struct learner_candidate {
        address_t source;
        uint16_t following;
        int count;
    } candidate[LEARNER_CANDIDATES];
} learner_t;

void learner_init(learner_t *learner, bool strict, int probation, int64_t relearn_ns);
/* The far end signalled where it is (family 0: nowhere); another place than before starts learning anew. */
void learner_expect(learner_t *learner, const address_t *address);
/* Whether a packet is heard. */
bool learner_accept(learner_t *learner, const address_t *source, uint16_t sequence, int64_t now_ns);

#endif

/*
 * Reports of RTCP that were sent or came, kept for the owner: the first packet of each compound, before encryption.
 *
 * Used under the core's lock; the port owns it. When it is full the oldest goes: they say little that a newer one does not.
 */
#ifndef ARIETTA_TOLD_REPORTS_H
#define ARIETTA_TOLD_REPORTS_H

#include "base.h"

enum { TOLD_REPORTS = 4, TOLD_REPORT_BYTES = 148 }; /* a sender report with five blocks */

typedef struct told_reports {
    int first, count;
    struct told_report {
        bool sent;
        address_t peer;
        int size;
        uint8_t data[TOLD_REPORT_BYTES];
    } reports[TOLD_REPORTS];
} told_reports_t;

/* False when it is no report, or too long. */
bool told_reports_put(told_reports_t *told, const uint8_t *data, int size, const address_t *peer, bool sent);
/* The oldest, which stays where it is until the next call of told_reports_put; NULL when there is none. */
const struct told_report *told_reports_take(told_reports_t *told);

#endif

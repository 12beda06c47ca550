#include "told_reports.h"

#include <string.h>

enum { SENDER_REPORT = 200, RECEIVER_REPORT = 201, REPORT_HEAD = 4 };

bool told_reports_put(told_reports_t *told, const uint8_t *data, int size, const address_t *peer, bool sent)
{
    if (size < REPORT_HEAD || (data[1] != SENDER_REPORT && data[1] != RECEIVER_REPORT))
        return false;
    int length = 4 * ((data[2] << 8 | data[3]) + 1); /* RFC 3550 6.4.1: 32-bit words, minus one */
    if (length > size || length > TOLD_REPORT_BYTES)
        return false;
    if (told->count == TOLD_REPORTS) {
        told->first = (told->first + 1) % TOLD_REPORTS;
        told->count--;
    }
    struct told_report *report = &told->reports[(told->first + told->count++) % TOLD_REPORTS];
    report->sent = sent;
    report->peer = *peer;
    report->size = length;
    memcpy(report->data, data, (size_t)length);
    return true;
}

const struct told_report *told_reports_take(told_reports_t *told)
{
    if (told->count == 0)
        return NULL;
    const struct told_report *report = &told->reports[told->first];
    told->first = (told->first + 1) % TOLD_REPORTS;
    told->count--;
    return report;
}

/* Any datagram as RTCP; what is written after it must be read again. */
#include <stdlib.h>

#include "rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char cname[257] = {0};
    memset(cname, 'c', data[0]);
    receiver_t receiver;
    receiver_init(&receiver, 2, 0);
    rtcp_session_t session;
    rtcp_init(&session);
    rtcp_view_t view = {
        .ssrc = UINT32_C(0x01020304),
        .cname = cname,
        .send_clock_rate = data[1] & 1 ? 8000 : 0,
        .receive_clock_rate = 8000,
        .packets_sent = data[1] & 2,
        .packets_received = 1,
        .incoming = data[1] & 4 ? &receiver : NULL,
        .now_ns = SECOND_NS,
        .wall_offset_ns = INT64_C(1700000000) * SECOND_NS,
    };
    rtcp_receive(&session, &view, data + 2, (int)size - 2);
    view.now_ns += data[1] * SECOND_NS * 1000;
    uint8_t out[RTCP_ROOM];
    int written = rtcp_write(&session, &view, data[1] & 8, out);
    if (written % 4 != 0 || written > RTCP_ROOM || !rtcp_receive(&session, &view, out, written))
        abort();
    return 0;
}

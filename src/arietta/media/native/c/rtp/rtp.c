#include "rtp.h"

int rtp_payload_offset(const uint8_t *data, int size)
{
    if (size < RTP_HEADER || data[0] >> 6 != 2)
        return -1;
    int offset = RTP_HEADER + 4 * (data[0] & 0x0F);
    if (data[0] & 0x10) { /* RFC 3550 5.3.1 */
        if (offset + 4 > size)
            return -1;
        offset += 4 + 4 * read_be16(data + offset + 2);
    }
    return offset > size ? -1 : offset;
}

/* Octets of padding, with the one that counts them; -1 when they do not fit the payload. */
static int padding_of(const uint8_t *data, int size, int offset)
{
    if (!(data[0] & 0x20))
        return 0;
    int padding = offset < size ? data[size - 1] : 0;
    return padding == 0 || offset + padding > size ? -1 : padding;
}

bool rtp_parse(rtp_packet_t *packet, const uint8_t *data, int size)
{
    int offset = rtp_payload_offset(data, size);
    if (offset < 0)
        return false;
    int padding = padding_of(data, size, offset);
    if (padding < 0)
        return false;
    packet->payload_type = data[1] & 0x7F;
    packet->marker = data[1] > 0x7F;
    packet->sequence = read_be16(data + 2);
    packet->timestamp = read_be32(data + 4);
    packet->ssrc = read_be32(data + 8);
    packet->payload = data + offset;
    packet->size = size - offset - padding;
    return true;
}

void rtp_write_header(uint8_t *out, uint8_t kind, uint16_t sequence, uint32_t timestamp, uint32_t ssrc)
{
    out[0] = 0x80;
    out[1] = kind;
    write_be16(out + 2, sequence);
    write_be32(out + 4, timestamp);
    write_be32(out + 8, ssrc);
}

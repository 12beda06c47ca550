/* Opus (RFC 6716, RFC 7587) through the system's libopus, which is looked for at run time. */
#ifndef ARIETTA_OPUS_H
#define ARIETTA_OPUS_H

#include "codec.h"

/* Without id; there is no silence, because a decoder makes it up by itself. */
extern const codec_t opus_codec;

/* Looks for libopus; once, before anything is coded. */
void opus_load(void);
bool opus_loaded(void);
/* Milliseconds of a packet by its TOC byte, rounded down; 0 when broken. */
int opus_packet_ms(const uint8_t *data, int size);

#endif

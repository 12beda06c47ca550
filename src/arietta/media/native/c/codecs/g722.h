/* G.722 at 64 kbit/s: 16 kHz audio in two bands, each by ADPCM; 20 ms in 160 bytes (RFC 3551 4.5.2). */
#ifndef ARIETTA_G722_H
#define ARIETTA_G722_H

#include "codec.h"

/* Without id and silence, which codec.c gives. */
extern const codec_t g722_codec;

#endif

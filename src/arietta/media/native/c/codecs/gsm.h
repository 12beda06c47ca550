/* GSM full rate (GSM 06.10, RFC 3551 4.5.8): 20 ms of 8 kHz audio in 33 bytes, bit exact. */
#ifndef ARIETTA_GSM_H
#define ARIETTA_GSM_H

#include "codec.h"

/* Without id and silence, which codec.c gives. */
extern const codec_t gsm_codec;

#endif

/* G.711: 8 kHz audio in 64 kbit/s, by mu-law and by A-law. */
#ifndef ARIETTA_G711_H
#define ARIETTA_G711_H

#include "codec.h"

/* Without id and silence, which codec.c gives. */
extern const codec_t ulaw_codec;
extern const codec_t alaw_codec;

/* Makes the tables; once, before anything is coded. */
void g711_init(void);

#endif

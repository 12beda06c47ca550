/* Packet loss concealment: a lost frame is made up from what was heard before it. */
#ifndef ARIETTA_PLC_H
#define ARIETTA_PLC_H

#include "base.h"

typedef struct plc plc_t;

/* Of a stream at a rate; NULL without memory. */
plc_t *plc_new(int rate);
void plc_free(plc_t *plc); /* NULL is fine */
/* A frame that came; after a loss its beginning is blended, in place, with what was made up. */
void plc_hear(plc_t *plc, int16_t *samples, int count);
/* A frame that was lost: its samples. Fades to silence when more are lost. */
void plc_conceal(plc_t *plc, int16_t *samples, int count);

#endif

#include "stream.h"

#include <stdlib.h>

static void close_decoder(stream_t *stream)
{
    if (stream->decoder && stream->codec->decoder_close)
        stream->codec->decoder_close(stream->decoder);
    free(stream->decoder);
    stream->decoder = NULL;
    stream->codec = NULL;
}

void stream_close(stream_t *stream)
{
    close_decoder(stream);
    plc_free(stream->plc);
    free(stream->stash);
    memset(stream, 0, sizeof *stream);
}

/* False when the codec needs a decoder and there is none to be had. */
static bool use_codec(stream_t *stream, const codec_t *codec)
{
    if (stream->codec == codec)
        return true;
    close_decoder(stream);
    if (codec->decoder_size > 0) {
        stream->decoder = calloc(1, codec->decoder_size);
        if (!stream->decoder)
            return false;
        if (codec->decoder_open && !codec->decoder_open(stream->decoder)) {
            free(stream->decoder);
            stream->decoder = NULL;
            return false;
        }
    }
    stream->codec = codec;
    return true;
}

static plc_t *plc_at(stream_t *stream, int rate)
{
    if (stream->plc_rate != rate) {
        plc_free(stream->plc);
        stream->plc = plc_new(rate);
        stream->plc_rate = stream->plc ? rate : 0;
    }
    return stream->plc;
}

int stream_decode(stream_t *stream, const codec_t *codec, const uint8_t *payload, int size, int16_t *samples, int room)
{
    if (!use_codec(stream, codec))
        return 0;
    int count = codec->decode(stream->decoder, payload, size, samples, room);
    if (count <= 0)
        return 0;
    stream->lost = false;
    if (!codec->conceal) {
        plc_t *plc = plc_at(stream, codec->rate);
        if (plc)
            plc_hear(plc, samples, count);
    }
    return count;
}

int stream_conceal(stream_t *stream, const codec_t *codec, int16_t *samples, int room)
{
    int count = codec->rate / 50;
    if (count > room)
        return 0;
    stream->lost = true;
    if (codec->conceal && use_codec(stream, codec))
        return codec->conceal(stream->decoder, samples, count) == count ? count : 0;
    plc_t *plc = plc_at(stream, codec->rate);
    if (!plc) {
        memset(samples, 0, (size_t)count * sizeof *samples);
        return count;
    }
    plc_conceal(plc, samples, count);
    return count;
}

void stream_stash(stream_t *stream, const codec_t *codec, const uint8_t *payload, int size)
{
    if (!stream->stash)
        stream->stash = malloc(STREAM_STASH * sizeof *stream->stash);
    if (!stream->stash)
        return;
    if (stream->stash_rate != codec->rate)
        stream->stashed = 0;
    stream->stash_rate = codec->rate;
    int16_t *end = stream->stash + stream->stashed;
    stream->stashed += stream_decode(stream, codec, payload, size, end, STREAM_STASH - stream->stashed);
}

int stream_unstash(stream_t *stream, bool all, int16_t *samples, int room)
{
    int size = stream->stash_rate / 50;
    int count = stream->stashed < size ? stream->stashed : size;
    if (count == 0 || (count < size && !all) || size > room)
        return 0;
    memcpy(samples, stream->stash, (size_t)count * sizeof *samples);
    memset(samples + count, 0, (size_t)(size - count) * sizeof *samples);
    stream->stashed -= count;
    memmove(stream->stash, stream->stash + count, (size_t)stream->stashed * sizeof *samples);
    return size;
}

/*
 * Replays a corpus and mutates it, where clang's libFuzzer is missing: SECONDS SEED FILE...
 * An input that breaks the target is printed in hexadecimal.
 */
#include <sanitizer/common_interface_defs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_INPUTS = 256, MOST_BYTES = 4096, MOST_CHANGES = 6 };

typedef struct input {
    size_t size;
    uint8_t bytes[MOST_BYTES];
} input_t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static input_t inputs[MOST_INPUTS];
static size_t input_count;
static input_t current;
static uint64_t state;

static uint64_t draw(uint64_t below) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return below ? state * UINT64_C(2685821657736338717) % below : 0;
}

static void print_current(void)
{
    fprintf(stderr, "input of %zu bytes: ", current.size);
    for (size_t n = 0; n < current.size; n++)
        fprintf(stderr, "%02x", current.bytes[n]);
    fputc('\n', stderr);
}

/* In memory of its own size: the sanitizer sees a read beyond its end. */
static void run_current(void)
{
    uint8_t *data = malloc(current.size ? current.size : 1);
    if (!data)
        abort();
    memcpy(data, current.bytes, current.size);
    LLVMFuzzerTestOneInput(data, current.size);
    free(data);
}

static void remove_bytes(size_t at, size_t count)
{
    if (count > current.size - at)
        count = current.size - at;
    memmove(current.bytes + at, current.bytes + at + count, current.size - at - count);
    current.size -= count;
}

static void insert_bytes(size_t at, const uint8_t *bytes, size_t count)
{
    if (count > MOST_BYTES - current.size)
        count = MOST_BYTES - current.size;
    memmove(current.bytes + at + count, current.bytes + at, current.size - at);
    memmove(current.bytes + at, bytes, count);
    current.size += count;
}

static void change(void)
{
    static const uint8_t edges[] = {0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF};
    size_t at = draw(current.size + 1);
    const input_t *other = &inputs[draw(input_count)];
    size_t from = draw(other->size + 1);
    uint8_t random[8];
    for (size_t n = 0; n < sizeof random; n++)
        random[n] = (uint8_t)draw(256);
    switch (draw(6)) {
    case 0:
        remove_bytes(at, 1 + draw(8));
        break;
    case 1:
        insert_bytes(at, random, 1 + draw(sizeof random));
        break;
    case 2:
        insert_bytes(at, other->bytes + from, draw(other->size - from + 1));
        break;
    case 3:
        if (at < current.size)
            current.bytes[at] ^= (uint8_t)(1 << draw(8));
        break;
    case 4:
        if (at < current.size)
            current.bytes[at] = edges[draw(sizeof edges)];
        break;
    default:
        if (at < current.size)
            current.bytes[at] = random[0];
    }
}

static void read_input(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file || input_count == MOST_INPUTS)
        exit(2);
    input_t *input = &inputs[input_count++];
    input->size = fread(input->bytes, 1, sizeof input->bytes, file);
    fclose(file);
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    time_t end = time(NULL) + atoi(arguments[1]);
    state = strtoull(arguments[2], NULL, 10) | 1;
    __sanitizer_set_death_callback(print_current);
    for (int n = 3; n < count; n++)
        read_input(arguments[n]);
    for (size_t n = 0; n < input_count; n++) {
        current = inputs[n];
        run_current();
    }
    long runs = (long)input_count;
    for (; time(NULL) < end; runs++) {
        current = inputs[draw(input_count)];
        for (uint64_t changes = 1 + draw(MOST_CHANGES); changes > 0; changes--)
            change();
        run_current();
    }
    printf("%ld runs\n", runs);
    return 0;
}

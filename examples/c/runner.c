/* Runs the LSTM of lstm.c for `lstm-conformance check --exec`. It implements the protocol of
   docs/protocol.md.

   The file has, from top to bottom: memory and failures, JSON, files of tensors, cases, the LSTM,
   and the protocol. To judge your own LSTM, replace lstm.c. */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>
#include <time.h>

/* ------------------------------------------------------ memory and failures */

static jmp_buf failed;
static char failure[256];

/* Ends the request. The answer has the message. */
static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure, sizeof failure, format, arguments);
    va_end(arguments);
    longjmp(failed, 1);
}

/* Memory and the open file belong to a request. They are released after its answer. */
typedef struct Block {
    struct Block *next;
    max_align_t data[];
} Block;

static Block *blocks;
static FILE *open_file;

static void *zeros(size_t number, size_t size)
{
    if (number > (SIZE_MAX - sizeof(Block)) / size)
        fail("out of memory");
    Block *block = calloc(1, sizeof(Block) + number * size);
    if (!block)
        fail("out of memory");
    block->next = blocks;
    blocks = block;
    return block->data;
}

static void clean_up(void)
{
    if (open_file)
        fclose(open_file);
    open_file = NULL;
    while (blocks) {
        Block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

/* --------------------------------------------------------------------- JSON */

/* A JSON value is the address of its first character. The text ends with a '\0', which stops all
   functions. */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip(const char *p, char wanted)
{
    p = skip_space(p);
    if (*p != wanted)
        fail("JSON has no '%c' at \"%.20s\"", wanted, p);
    return p + 1;
}

static const char *behind_string(const char *p)
{
    for (p = skip(p, '"'); *p != '"'; p++)
        if (!*p || (*p == '\\' && !*++p))
            fail("a JSON string does not end");
    return p + 1;
}

static const char *behind_value(const char *p)
{
    size_t open = 0; /* brackets */
    do {
        p = skip_space(p);
        if (*p == '"')
            p = behind_string(p);
        else if (*p == '{' || *p == '[')
            open++, p++;
        else if (open && (*p == '}' || *p == ']'))
            open--, p++;
        else if (open && (*p == ',' || *p == ':'))
            p++;
        else {
            const size_t length = strcspn(p, ",:{}[]\" \t\r\n");
            if (!length)
                fail("JSON has no value at \"%.20s\"", p);
            p += length;
        }
    } while (open);
    return p;
}

/* The first element of an array, or the first name of an object; NULL if it is empty. */
static const char *first(const char *p, char bracket)
{
    p = skip_space(skip(p, bracket));
    return *p == ']' || *p == '}' ? NULL : p;
}

/* The next element of an array, or the next name of an object; NULL after the last one. */
static const char *next(const char *value)
{
    const char *p = skip_space(behind_value(value));
    return *p == ']' || *p == '}' ? NULL : skip_space(skip(p, ','));
}

/* The value of a name in an object. */
static const char *member(const char *object, const char *name)
{
    const size_t length = strlen(name);
    const char *p = first(object, '{');
    while (p) {
        const char *end = behind_string(p), *value = skip_space(skip(end, ':'));
        if ((size_t)(end - p) == length + 2 && !memcmp(p + 1, name, length))
            return value;
        p = next(value);
    }
    fail("JSON has no \"%s\"", name);
}

static size_t whole(const char *value)
{
    const size_t most = SIZE_MAX / 10 - 1;
    size_t number = 0;
    if (!isdigit((unsigned char)*value))
        fail("not a whole number: \"%.20s\"", value);
    for (; isdigit((unsigned char)*value); value++) {
        if (number > most)
            fail("a number is too large");
        number = 10 * number + (size_t)(*value - '0');
    }
    return number;
}

/* A size. It is so small that no product of sizes below overflows. */
_Static_assert(sizeof(size_t) >= 8, "products of sizes need 64 bits");
static size_t size_member(const char *object, const char *name)
{
    const size_t number = whole(member(object, name)), most = 1 << 18;
    if (number > most)
        fail("%s is larger than %zu", name, most);
    return number;
}

static bool truth_member(const char *object, const char *name)
{
    return !strncmp(member(object, name), "true", 4);
}

static unsigned hex4(const char *p)
{
    unsigned value = 0;
    for (int n = 0; n < 4; n++) {
        if (!isxdigit((unsigned char)p[n]))
            fail("a JSON string has a wrong \\u");
        const char digit[] = {p[n], '\0'};
        value = 16 * value + (unsigned)strtoul(digit, NULL, 16);
    }
    return value;
}

/* Writes a code point as UTF-8, and returns the address after it. */
static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[more] | code >> 6 * more);
    for (int n = more - 1; n >= 0; n--)
        *to++ = (char)(0x80 | (code >> 6 * n & 0x3F));
    return to;
}

/* A string without its quotes and escapes. */
static char *string(const char *value)
{
    const char *end = behind_string(value) - 1;
    char *text = zeros((size_t)(end - value), 1), *to = text; /* never longer than with escapes */
    for (const char *p = value + 1; p < end; p++) {
        if (*p != '\\') {
            *to++ = *p;
        } else if (*++p == 'u') {
            unsigned code = hex4(p + 1);
            p += 4;
            if (code >= 0xD800 && code < 0xDC00 && p[1] == '\\' && p[2] == 'u') {
                code = 0x10000 + ((code - 0xD800) << 10) + (hex4(p + 3) - 0xDC00);
                p += 6;
            }
            to = put_utf8(to, code & 0x1FFFFF);
        } else {
            const char *escapes = "bfnrt", *escape = strchr(escapes, *p);
            *to++ = escape ? "\b\f\n\r\t"[escape - escapes] : *p;
        }
    }
    return text;
}

static bool is(const char *value, const char *text)
{
    return !strcmp(string(value), text);
}

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text >= ' ' && *text <= '~' ? *text : '?');
    }
    putchar('"');
}

/* --------------------------------------------------------- files of tensors */

enum { RANK = 3 }; /* no tensor has more axes */

typedef struct {
    size_t rank, size[RANK];
} Shape;

static size_t count(Shape shape)
{
    size_t number = 1;
    for (size_t axis = 0; axis < shape.rank; axis++)
        number *= shape.size[axis];
    return number;
}

/* A file in memory. */
typedef struct {
    char *header; /* JSON */
    uint8_t *data;
    size_t bytes; /* of data */
} File;

/* A tensor to write. */
typedef struct Tensor {
    struct Tensor *next;
    char name[80];
    Shape shape;
    void *data;
} Tensor;

static File read_tensors(const char *path)
{
    open_file = fopen(path, "rb");
    if (!open_file || fseek(open_file, 0, SEEK_END))
        fail("%.200s cannot be read", path);
    const long end = ftell(open_file);
    const size_t bytes = end < 0 ? 0 : (size_t)end;
    uint8_t *content = zeros(bytes, 1);
    rewind(open_file);
    if (bytes < 8 || fread(content, 1, bytes, open_file) != bytes)
        fail("%.200s is incomplete", path);
    fclose(open_file);
    open_file = NULL;

    uint64_t length = 0; /* little-endian */
    for (int n = 7; n >= 0; n--)
        length = length << 8 | content[n];
    if (length > bytes - 8)
        fail("the header of %.200s is longer than the file", path);
    char *header = memcpy(zeros((size_t)length + 1, 1), content + 8, (size_t)length);
    return (File){header, content + 8 + length, bytes - 8 - (size_t)length};
}

/* The numbers of a tensor. It must have this format and shape. The bytes are copied from the file,
   so the machine must be little-endian. */
static void *read_tensor(const File *file, const char *name, const char *dtype, size_t bytes,
                         Shape shape)
{
    const char *entry = member(file->header, name);
    if (!is(member(entry, "dtype"), dtype))
        fail("%s is not of dtype %s", name, dtype);
    size_t rank = 0;
    for (const char *p = first(member(entry, "shape"), '['); p; p = next(p), rank++)
        if (rank >= shape.rank || whole(p) != shape.size[rank])
            fail("%s has the wrong shape", name);
    const char *begin = first(member(entry, "data_offsets"), '[');
    const char *end = begin ? next(begin) : NULL;
    if (!end || rank != shape.rank)
        fail("%s has the wrong shape", name);
    const size_t from = whole(begin), to = whole(end), size = count(shape) * bytes;
    if (from > to || to > file->bytes || to - from != size)
        fail("%s is outside the file", name);
    return memcpy(zeros(size, 1), file->data + from, size);
}

/* The length of the header comes first in the file, but is known and written last. */
static void write_tensors(const char *path, const Tensor *tensors, const char *dtype, size_t bytes)
{
    uint8_t length[8] = {0};
    FILE *file = open_file = fopen(path, "wb");
    if (!file || fwrite(length, 1, 8, file) != 8)
        fail("%.200s cannot be written", path);
    size_t offset = 0;
    for (const Tensor *tensor = tensors; tensor; tensor = tensor->next) {
        fprintf(file, "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[", tensor == tensors ? '{' : ',',
                tensor->name, dtype);
        for (size_t axis = 0; axis < tensor->shape.rank; axis++)
            fprintf(file, "%s%zu", axis ? "," : "", tensor->shape.size[axis]);
        const size_t size = count(tensor->shape) * bytes;
        fprintf(file, "],\"data_offsets\":[%zu,%zu]}", offset, offset + size);
        offset += size;
    }
    fprintf(file, "}");
    const long end = ftell(file);
    for (const Tensor *tensor = tensors; tensor; tensor = tensor->next)
        fwrite(tensor->data, bytes, count(tensor->shape), file);
    for (int n = 0; n < 8; n++)
        length[n] = (uint8_t)((uint64_t)(end - 8) >> 8 * n);
    rewind(file);
    fwrite(length, 1, 8, file);
    const bool complete = end >= 8 && !ferror(file);
    open_file = NULL;
    if (fclose(file) || !complete)
        fail("%.200s cannot be written", path);
}

/* -------------------------------------------------------------------- cases */

typedef struct {
    size_t input_size, hidden_size, num_layers, proj_size, seq_len, batch_size;
    bool bias, batch_first, states;
    size_t directions;
    size_t output_size; /* of one direction: proj_size if it is not 0, otherwise hidden_size */
    bool unbatched;
    bool drops_all;    /* dropout=1 in training */
    bool gradients;    /* whether any output has a cotangent */
    size_t *lengths;   /* steps of each row, packed or not */
    const char *json;  /* the case as JSON */
    const char *dtype; /* its name in files */
    size_t bytes;      /* of a number */
    File inputs;
    Tensor **results;
} Case;

static Case read_case(const char *json, Tensor **results)
{
    Case c = {
        .input_size = size_member(json, "input_size"),
        .hidden_size = size_member(json, "hidden_size"),
        .num_layers = size_member(json, "num_layers"),
        .proj_size = size_member(json, "proj_size"),
        .seq_len = size_member(json, "seq_len"),
        .batch_size = size_member(json, "batch_size"),
        .bias = truth_member(json, "bias"),
        .batch_first = truth_member(json, "batch_first"),
        .states = truth_member(json, "states"),
        .directions = truth_member(json, "bidirectional") ? 2 : 1,
        .unbatched = is(member(json, "layout"), "unbatched"),
        .gradients = first(member(json, "cotangents"), '[') != NULL,
        .json = json,
        .results = results,
    };
    c.output_size = c.proj_size ? c.proj_size : c.hidden_size;

    const double dropout = strtod(member(json, "dropout"), NULL);
    c.drops_all = truth_member(json, "training") && c.num_layers > 1 && dropout == 1;
    if (truth_member(json, "training") && c.num_layers > 1 && dropout > 0 && dropout < 1)
        fail("random dropout is not supported");

    const bool is_float32 = is(member(json, "dtype"), "float32");
    if (!is_float32 && !is(member(json, "dtype"), "float64"))
        fail("dtype is neither float32 nor float64");
    c.dtype = is_float32 ? "F32" : "F64";
    c.bytes = is_float32 ? 4 : 8;

    c.lengths = zeros(c.batch_size, sizeof(size_t));
    const char *length = first(member(json, "lengths"), '[');
    const bool packed = length != NULL;
    for (size_t n = 0; n < c.batch_size; n++) {
        if (packed && !length)
            fail("there are fewer lengths than rows");
        c.lengths[n] = packed ? whole(length) : c.seq_len;
        if (c.lengths[n] > c.seq_len)
            fail("a row has more than seq_len steps");
        if (packed)
            length = next(length);
    }
    if (!c.input_size || !c.hidden_size || !c.num_layers || (c.unbatched && c.batch_size != 1))
        fail("sizes do not fit each other");
    return c;
}

static Shape vector(size_t size)
{
    return (Shape){1, {size}};
}

static Shape matrix(size_t rows, size_t columns)
{
    return (Shape){2, {rows, columns}};
}

/* The shape of input or output. */
static Shape sequence_shape(const Case *c, size_t features)
{
    if (c->unbatched)
        return matrix(c->seq_len, features);
    if (c->batch_first)
        return (Shape){3, {c->batch_size, c->seq_len, features}};
    return (Shape){3, {c->seq_len, c->batch_size, features}};
}

static Shape state_shape(const Case *c, size_t features)
{
    const size_t rows = c->num_layers * c->directions;
    return c->unbatched ? matrix(rows, features) : (Shape){3, {rows, c->batch_size, features}};
}

/* The argument or cotangent of this name. */
static void *given(const Case *c, const char *name, Shape shape)
{
    return read_tensor(&c->inputs, name, c->dtype, c->bytes, shape);
}

/* The cotangent of an output; zeros if it has none. */
static void *cotangent(const Case *c, const char *output, Shape shape)
{
    char name[80];
    snprintf(name, sizeof name, "%s.cotangent", output);
    for (const char *p = first(member(c->json, "cotangents"), '['); p; p = next(p))
        if (is(p, output))
            return given(c, name, shape);
    return zeros(count(shape), c->bytes);
}

/* A new result, filled with zeros. */
static void *result(const Case *c, const char *name, Shape shape)
{
    Tensor *tensor = zeros(1, sizeof *tensor);
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->shape = shape;
    tensor->data = zeros(count(shape), c->bytes);
    tensor->next = *c->results;
    *c->results = tensor;
    return tensor->data;
}

/* A new gradient of an argument, filled with zeros. */
static void *gradient(const Case *c, const char *argument, Shape shape)
{
    char name[80];
    snprintf(name, sizeof name, "%s.grad", argument);
    return result(c, name, shape);
}

/* ----------------------------------------------------------------- the LSTM */

#define REAL float
#define TYPED(name) name##_float32
#include "lstm.c"

#undef REAL
#undef TYPED
#define REAL double
#define TYPED(name) name##_float64
#include "lstm.c"

/* ------------------------------------------------------------- the protocol */

static size_t id; /* of the request */

static void hello(const char *request)
{
    if (whole(member(request, "protocol")) != 1)
        fail("only protocol 1 is supported");
    printf("{\"id\": %zu, \"protocol\": 1, \"name\": \"example-c\", \"version\": \"1.0\", "
           "\"capabilities\": [\"layers\", \"bidirectional\", \"projection\", \"no-bias\", "
           "\"two-biases\", \"batch-first\", \"unbatched\", \"packed\", \"states\", "
           "\"full-dropout\", \"gradients\", \"float64\", \"float32\"]}\n",
           id);
}

static void run(const char *request)
{
    Tensor *results = NULL;
    Case c = read_case(member(request, "case"), &results);
    c.inputs = read_tensors(string(member(request, "inputs")));

    struct timespec start, end;
    timespec_get(&start, TIME_UTC);
    if (c.bytes == sizeof(float))
        lstm_float32(&c);
    else
        lstm_float64(&c);
    timespec_get(&end, TIME_UTC);
    const double seconds = difftime(end.tv_sec, start.tv_sec) +
                           (double)(end.tv_nsec - start.tv_nsec) / 1e9;

    write_tensors(string(member(request, "outputs")), results, c.dtype, c.bytes);
    printf("{\"id\": %zu, \"seconds\": %.9f}\n", id, seconds > 0 ? seconds : 0);
}

static void answer(const char *request)
{
    id = 0;
    id = whole(member(request, "id"));
    const char *method = member(request, "method");
    if (is(method, "hello"))
        hello(request);
    else if (is(method, "run"))
        run(request);
    else
        fail("unknown method %.50s", string(method));
}

/* One line of standard input, NULL at its end. */
static char *read_line(void)
{
    size_t length = 0, room = 1024;
    char *line = zeros(room, 1);
    int character;
    while ((character = getchar()) != EOF && character != '\n') {
        if (length + 1 == room) {
            line = memcpy(zeros(2 * room, 1), line, room);
            room *= 2;
        }
        line[length++] = (char)character;
    }
    return length == 0 && character == EOF ? NULL : line;
}

int main(void)
{
    static bool more = true; /* static, because longjmp may lose the value of other variables */
    while (more) {
        if (!setjmp(failed)) {
            const char *request = read_line();
            more = request != NULL;
            if (more)
                answer(request);
        } else {
            printf("{\"id\": %zu, \"error\": ", id);
            print_string(failure);
            printf("}\n");
        }
        fflush(stdout);
        clean_up();
    }
    return 0;
}

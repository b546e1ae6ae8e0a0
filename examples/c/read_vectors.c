/* Reads the files that `lstm-conformance vectors` writes. docs/vectors.md describes them.

     read_vectors FILE TENSOR      prints the numbers of a tensor, one per line
     read_vectors FILE RESULT -    judges the numbers of standard input as that result

   Exit status: 0 if the numbers were printed or are right, 1 if they are wrong, 2 if the file
   cannot be read. The program is C11 without libraries. It needs a little-endian machine. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double threshold = 30; /* of index.json */

static void *need(const void *thing, const char *what)
{
    if (!thing) {
        fprintf(stderr, "read_vectors: cannot find %s\n", what);
        exit(2);
    }
    return (void *)thing;
}

/* The numbers of a tensor, row by row, and their count. */
static double *read_tensor(const char *path, const char *name, size_t *count)
{
    FILE *file = need(fopen(path, "rb"), path);
    uint64_t length = 0, begin = 0, end = 0;
    if (fread(&length, sizeof length, 1, file) != 1 || length > 1 << 24)
        need(NULL, "header");
    char *header = need(calloc((size_t)length + 1, 1), "memory");
    need(fread(header, 1, (size_t)length, file) == length ? file : NULL, "header");

    char key[200]; /* the JSON of the file has no spaces */
    snprintf(key, sizeof key, "\"%s\":{", name);
    const char *entry = need(strstr(header, key), key);
    const char *offsets = need(strstr(entry, "\"data_offsets\":["), "data_offsets");
    sscanf(offsets, "\"data_offsets\":[%" SCNu64 ",%" SCNu64, &begin, &end);
    const char *dtype = need(strstr(entry, "\"dtype\":\"F"), "dtype");
    const size_t size = strncmp(dtype, "\"dtype\":\"F32", 12) ? 8 : 4;

    *count = (size_t)(end - begin) / size;
    double *numbers = need(calloc(*count + 1, sizeof *numbers), "memory");
    need(fseek(file, (long)(8 + length + begin), SEEK_SET) ? NULL : file, "tensor in the file");
    for (size_t n = 0; n < *count; n++) {
        float narrow = 0;
        void *to = size == 4 ? (void *)&narrow : (void *)&numbers[n];
        need(fread(to, size, 1, file) == 1 ? file : NULL, "end of the tensor in the file");
        if (size == 4)
            numbers[n] = narrow;
    }
    free(header);
    fclose(file);
    return numbers;
}

/* Whether standard input has exactly the expected numbers of a result. */
static int right(const char *path, const char *result)
{
    char name[120];
    size_t count, n = 0;
    snprintf(name, sizeof name, "%s.expected", result);
    double *expected = read_tensor(path, name, &count), observed;
    snprintf(name, sizeof name, "%s.noise", result);
    double *noise = read_tensor(path, name, &count);
    for (; n < count && scanf("%lf", &observed) == 1; n++) {
        const double error = observed - expected[n], allowed = threshold * noise[n];
        if (!(error <= allowed && -error <= allowed)) { /* wrong, or NaN */
            printf("%s[%zu] is %.17g, not %.17g +- %.2g\n", result, n, observed, expected[n],
                   allowed);
            break;
        }
    }
    const int all = n == count && scanf("%lf", &observed) == EOF;
    free(expected);
    free(noise);
    return all;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[3], "-"))
        return right(argv[1], argv[2]) ? 0 : 1;
    if (argc != 3) {
        fprintf(stderr, "usage: read_vectors FILE TENSOR | read_vectors FILE RESULT -\n");
        return 2;
    }
    size_t count;
    double *numbers = read_tensor(argv[1], argv[2], &count);
    for (size_t n = 0; n < count; n++)
        printf("%.17g\n", numbers[n]);
    free(numbers);
    return 0;
}

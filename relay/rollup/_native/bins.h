/* Logarithmic bins that are filled without the GIL; what they are is in bins.py. */
#ifndef CMS_RELAY_BINS_H
#define CMS_RELAY_BINS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* One sign: weights by index in chunks, ascending. What is below floor counts as there. */
typedef struct {
    int32_t floor;
    int length, room;
    int32_t *at; /* which chunk of all that there could be */
    double **chunks;
} BinRow;

typedef struct {
    PyObject_HEAD
    double per_log_gamma, zero;
    BinRow negative, positive;
} NativeBins;

enum { CHUNK_BITS = 6, CHUNK = 1 << CHUNK_BITS, MOST_CHUNKS = 72 };

extern PyTypeObject BinsType;

/* How many of the values were counted: all, unless memory is missing. Needs no GIL. */
size_t bins_add(NativeBins *bins, const double *values, size_t count, double weight);

int bins_setup(PyObject *module);

#endif

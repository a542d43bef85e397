/* What is remembered of a series, and its neighbours in the order of a roster. */
#ifndef CMS_RELAY_HELD_H
#define CMS_RELAY_HELD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Held {
    PyObject_HEAD
    PyObject *series;
    struct Held *before, *after; /* the roster's; NULL of one that is held no longer */
    uint32_t hash, number; /* a part of it; how many had been added before */
    long long seen, turn;
} Held;

/* Without neighbours and number; NULL with an exception set. gauge may be None. */
Held *held_new(PyObject *series, uint32_t hash, long long seen, PyObject *gauge,
               long long gauge_period);

/* A gauge's latest slot, borrowed, and its period; None and 0 where there is none. */
PyObject *held_memory(Held *held, long long *period);

/* Whether it is one, and in a roster; else false with an exception set. */
bool is_held(PyObject *held);

int held_setup(PyObject *module);

#endif

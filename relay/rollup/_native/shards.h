/* Several tables of one engine beside each other: the gate before what they share.

   A thread has its table's lock, then the gate, then the GIL, and never waits for a lock
   while it has one of a later kind. */
#ifndef CMS_RELAY_SHARDS_H
#define CMS_RELAY_SHARDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { QUEUES = 8 };

/* Whoever came first goes first: a mutex would let the one in who has just left. */
typedef struct {
    PyObject_HEAD
    pthread_mutex_t mutex;         /* of what follows, never held for long */
    pthread_cond_t called[QUEUES]; /* who waits with a number is called by its remainder */
    uint64_t next, called_number;
    bool is_made;
} Gate;

extern PyTypeObject GateType;

/* Called about every millisecond by who has to wait. */
typedef struct {
    void (*call)(void *whose);
    void *whose;
} Meanwhile;

/* Wait for one's turn; never while holding the GIL. */
void gate_lock(Gate *gate, Meanwhile meanwhile);
void gate_unlock(Gate *gate);

/* Whether somebody waits for the one who is in. */
bool gate_is_wanted(Gate *gate);

int shards_setup(PyObject *module);

#endif

/* Lines to slots: the hot path. See core.py for the other one. */
#ifndef CMS_RELAY_FEED_H
#define CMS_RELAY_FEED_H

#include "table.h"

/* One thread that feeds a table whose lock it holds. */
typedef struct {
    Table *table;
    PyObject *slow;       /* (line) -> what that cost */
    PyThreadState *state; /* of a thread without the GIL; NULL of one that holds it */
    long effort;
    PyObject *error; /* the first exception that a call raised, to be raised in the end */
} Run;

void run_take_gil(Run *run);
void run_give_gil(Run *run);

/* Keep the first exception; the lines behind the one that raised it are taken still. */
void run_note_error(Run *run);

/* Raise it; gives NULL. */
PyObject *run_raise(Run *run);

/* Take lines, all of them or until they have cost enough; gives where the rest begins. */
size_t run_lines(Run *run, const char *text, size_t length, bool is_bounded);

/* Table.feed(lines, slow, start=0) -> int */
PyObject *table_feed(PyObject *self, PyObject *args);

#endif

/* Lines to slots: the hot path. See core.py for the other one. */
#ifndef CMS_RELAY_FEED_H
#define CMS_RELAY_FEED_H

#include "table.h"

/* One thread that feeds a table whose lock it holds. */
typedef struct {
    Table *table;
    PyObject *slow;       /* (line) -> what that cost */
    PyThreadState *state; /* of a thread without the GIL; NULL of one that holds it */
    bool is_in;           /* has passed the table's gate */
    int lines_since;      /* that needed no Python, since something did, of who is in */
    Meanwhile meanwhile;  /* what to do while waiting for the gate; nothing of who is fed
                             with the GIL */
    long effort;
    PyObject *error; /* the first exception that a call raised, to be raised in the end */
} Run;

void run_take_gil(Run *run);

/* Pass the gate, where the table has one, and take the GIL: what Python has of periods and
   series is shared with the other tables. */
void run_come_in(Run *run);

/* Give both back. */
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

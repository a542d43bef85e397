/* What counters, gauges and timers add up, as plain C numbers within Python objects.
   Whoever holds the table's lock may write to them without the GIL. */
#ifndef CMS_RELAY_SLOTS_H
#define CMS_RELAY_SLOTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

typedef struct {
    PyObject_HEAD
    double total, count;
} Counter;

typedef struct {
    PyObject_HEAD
    double last, total, minimum, maximum;
    Py_ssize_t count;
} Gauge;

/* Of a timer the room that its lanes have in common, and what was moved to bins: weight,
   sum and extremes. The rest is Python's. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t room;
    double weight, total, minimum, maximum;
    PyObject *bins; /* a NativeBins; NULL until Python has made them */
} Timer;

/* Of a set how many members it may hold, and the registers of its sketch. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t most;
    PyObject *registers; /* a bytearray of 2^14; NULL until Python has made it */
} Set;

/* Samples of one weight, in the order of arrival. */
typedef struct {
    PyObject_HEAD
    double *values;
    Py_ssize_t length, room;
} Lane;

extern PyTypeObject CounterType, GaugeType, TimerType, SetType, LaneType;

static inline void gauge_take(Gauge *gauge, double value)
{
    gauge->last = value;
    gauge->total += value;
    gauge->count++;
    if (value < gauge->minimum)
        gauge->minimum = value;
    if (value > gauge->maximum)
        gauge->maximum = value;
}

/* False without memory, with nothing changed. Needs no GIL. */
bool lane_append(Lane *lane, double value);

/* Move the samples of a lane into the timer's bins, as TimerBase.fold does with all of
   them. False, with nothing changed, where that is better left to Python: there are no
   bins yet, other lanes hold most of what waits, or memory is missing. */
bool timer_fold(Timer *timer, Lane *lane, double weight);

/* Finishes the types and adds them; -1 with an exception set. */
int slots_setup(PyObject *module);

#endif

/* What counters, gauges and timers add up, as plain C numbers within Python objects.
   Whoever holds the table's lock may write to them without the GIL. */
#ifndef CMS_RELAY_SLOTS_H
#define CMS_RELAY_SLOTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct {
    PyObject_HEAD
    double total, count;
} Counter;

typedef struct {
    PyObject_HEAD
    double last, total, minimum, maximum;
    Py_ssize_t count;
    atomic_bool is_busy; /* the only slot that threads of several tables write to */
} Gauge;

/* Samples of one weight, in the order of arrival. */
typedef struct {
    PyObject_HEAD
    double *values;
    Py_ssize_t length, room;
} Lane;

typedef struct {
    double weight;
    Lane *lane;
} Weighted;

/* Of a timer the room that its lanes have in common and what it is after they were folded,
   what was folded: weight, sum and extremes, and the lanes. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t room, room_folded;
    double weight, total, minimum, maximum;
    PyObject *bins; /* a NativeBins; NULL until Python has made them */
    Weighted *lanes;
    int lanes_count;
    char has_strays;
} Timer;

/* Of a set how many members it may hold, and the registers of its sketch. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t most;
    PyObject *registers; /* a bytearray of 2^14; NULL until Python has made it */
} Set;

extern PyTypeObject CounterType, GaugeType, TimerType, SetType, LaneType;

enum { SPINS = 128 };

/* For a few instructions, in which nobody waits for anything. */
static inline void gauge_lock(Gauge *gauge)
{
    for (int spins = 1; atomic_exchange_explicit(&gauge->is_busy, true, memory_order_acquire);
         spins++)
        if (spins % SPINS == 0)
            sched_yield();
}

static inline void gauge_unlock(Gauge *gauge)
{
    atomic_store_explicit(&gauge->is_busy, false, memory_order_release);
}

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

/* The lane of a weight, made where there is none; borrowed, NULL with an exception set. */
Lane *timer_lane(Timer *timer, double weight);

/* Move the samples of all lanes into the timer's bins, as TimerBase.fold does, in the same
   order. False where that is left to Python: there are no bins yet, or strays, or memory is
   missing. */
bool timer_fold(Timer *timer);

/* Finishes the types and adds them; -1 with an exception set. */
int slots_setup(PyObject *module);

#endif

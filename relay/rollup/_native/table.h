/* Spellings by name and form, and where a value of theirs goes: see spelling.py.

   An entry may be written through while its epoch is the table's; otherwise its slot has
   to be asked for again. Everything but the lock itself is for whoever holds the lock. */
#ifndef CMS_RELAY_TABLE_H
#define CMS_RELAY_TABLE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "shards.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTER, GAUGE, LANE, SET, IGNORED, OPERATIONS };
enum { KINDS = 8, VERDICTS = 64 };

typedef struct {
    double weight;
    void *target;    /* a Counter, Gauge, Lane or Members; what is below owns it */
    PyObject *slot;  /* NULL of what is ignored, as are the next two */
    PyObject *cell;  /* the lane or the members, or NULL where the slot is the target */
    PyObject *series; /* whose slot it is */
    uint32_t epoch;
    uint32_t used; /* the turn in which it was entered last */
    uint32_t name_length;
    uint16_t form_length;
    uint8_t operation; /* COUNTER ... IGNORED */
    uint8_t index;     /* of a kind, or of a verdict */
    char text[];       /* the name and the form */
} Entry;

typedef struct {
    uint64_t hash;
    Entry *entry; /* NULL is free */
} Place;

typedef struct {
    PyObject_HEAD
    pthread_mutex_t lock;
    atomic_int wanted; /* how many wait for the lock, or are about to */
    bool has_lock;     /* whether there is one to destroy */
    Gate *gate;        /* before what several tables share; NULL of the only one */

    Place *places;
    size_t mask, length;
    size_t most, entered; /* in this turn */
    size_t swept;         /* up to which place */
    uint32_t epoch, turn;

    int64_t lines;
    int64_t taken[KINDS];
    int64_t ignored[VERDICTS];

    long long period; /* of what is fed; below 0 none */
    long enough, folding;
    PyObject *fold_name, *trim_name; /* methods of slots */
    PyObject *again; /* (series, weight) -> (slot, lane or members or slot), or None */
} Table;

extern PyTypeObject TableType;

/* Take the lock; never while holding the GIL, unless that is given away meanwhile. */
void table_lock(Table *table);
void table_unlock(Table *table);

/* The same in two steps, for who wants several. */
void table_want(Table *table);
void table_lock_wanted(Table *table);

uint64_t table_hash(const char *name, size_t name_length, const char *form,
                    size_t form_length);

Entry *table_find(const Table *table, uint64_t hash, const char *name, size_t name_length,
                  const char *form, size_t form_length);

/* Fetch from memory what a look-up will want: first the place, then the entry there, then
   what it points at. Each is of use a while after the one before. */
static inline void table_fetch_place(const Table *table, uint64_t hash)
{
    __builtin_prefetch(&table->places[hash & table->mask]);
}

static inline void table_fetch_entry(const Table *table, uint64_t hash)
{
    const Entry *entry = table->places[hash & table->mask].entry;
    if (entry != NULL) {
        __builtin_prefetch(entry);
        __builtin_prefetch((const char *)entry + 64);
    }
}

static inline void table_fetch_target(const Table *table, uint64_t hash)
{
    const Entry *entry = table->places[hash & table->mask].entry;
    if (entry != NULL && entry->target != NULL)
        __builtin_prefetch((char *)entry->target + 16, 1);
}

/* Note that an entry was entered in this turn. */
void table_enter(Table *table, Entry *entry);

/* Where to write to from now on; -1 with an exception set where the types do not fit. */
int table_point(Entry *entry, PyObject *slot, PyObject *cell);

int table_setup(PyObject *module);

#endif

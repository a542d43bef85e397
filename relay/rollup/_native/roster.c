/* See roster.h. */
#include "roster.h"

#include "held.h"
#include "slots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIND, NAME, TAGS }; /* of a Series, which is a tuple */
enum { FIRST_PLACES = 64, AHEAD = 16 };

/* Open addressing: who is gone leaves no mark, those behind move up. */
typedef struct {
    PyObject_HEAD
    Held **places;
    size_t mask, length;
    long long turn;
    uint32_t added;
    Held end; /* no object: before the first and behind the last */
} Roster;

/* False with an exception set. */
static bool has_hash(PyObject *kind, PyObject *name, PyObject *tags, uint32_t *hash)
{
    Py_hash_t of_name = PyObject_Hash(name), of_tags = 0;
    if (of_name == -1)
        return false;
    if (PyTuple_Check(tags) && PyTuple_GET_SIZE(tags) > 0) {
        of_tags = PyObject_Hash(tags);
        if (of_tags == -1)
            return false;
    }
    uint64_t mixed = (uint64_t)of_name ^ ((uintptr_t)kind >> 4) * 0x9e3779b97f4a7c15u ^
                     (uint64_t)of_tags * 0xc2b2ae3d27d4eb4fu;
    *hash = (uint32_t)(mixed ^ mixed >> 32);
    return true;
}

/* Whether two texts, or two tuples of them, are equal; -1 with an exception set. */
static int are_equal(PyObject *one, PyObject *other)
{
    return one == other ? 1 : PyObject_RichCompareBool(one, other, Py_EQ);
}

/* The place of a series, or the free one where it belongs; NULL with an exception set. */
static Held **find(const Roster *roster, uint32_t hash, PyObject *kind, PyObject *name,
                   PyObject *tags)
{
    for (size_t at = hash & roster->mask;; at = (at + 1) & roster->mask) {
        Held *held = roster->places[at];
        if (held == NULL)
            return &roster->places[at];
        if (held->hash != hash || PyTuple_GET_ITEM(held->series, KIND) != kind)
            continue;
        int same = are_equal(PyTuple_GET_ITEM(held->series, NAME), name);
        if (same > 0)
            same = are_equal(PyTuple_GET_ITEM(held->series, TAGS), tags);
        if (same != 0)
            return same < 0 ? NULL : &roster->places[at];
    }
}

/* The place of one that is held. */
static Held **place_of(const Roster *roster, const Held *held)
{
    size_t at = held->hash & roster->mask;
    while (roster->places[at] != held)
        at = (at + 1) & roster->mask;
    return &roster->places[at];
}

static bool is_series(PyObject *series)
{
    if (PyTuple_Check(series) && PyTuple_GET_SIZE(series) > TAGS)
        return true;
    PyErr_SetString(PyExc_TypeError, "not a series");
    return false;
}

/* Of all of them one after the other, each is fetched from memory ahead of its time. */
static void fetch(const Roster *roster, size_t at)
{
    uintptr_t held = (uintptr_t)roster->places[at & roster->mask];
    __builtin_prefetch((const void *)(held + offsetof(Held, hash)));
}

/* Whoever adds keeps others from adding and removing; those who look find the places as
   they were, so that nobody waits for the 20 ms that a million take. */
static bool has_room(Roster *roster)
{
    /* Not where dicts of as many grow too: each takes 30 ms of a million. */
    if (roster->length * 8 < (roster->mask + 1) * 5)
        return true;
    size_t mask = roster->mask * 2 + 1;
    Held **places = PyMem_RawCalloc(mask + 1, sizeof(Held *));
    if (places == NULL) {
        PyErr_NoMemory();
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    for (size_t old = 0; old <= roster->mask; old++) {
        fetch(roster, old + AHEAD);
        Held *held = roster->places[old];
        if (held == NULL)
            continue;
        size_t at = held->hash & mask;
        while (places[at] != NULL)
            at = (at + 1) & mask;
        places[at] = held;
    }
    Py_END_ALLOW_THREADS
    PyMem_RawFree(roster->places);
    roster->places = places;
    roster->mask = mask;
    return true;
}

static void unlink_held(Held *held)
{
    held->before->after = held->after;
    held->after->before = held->before;
    held->before = held->after = NULL;
}

static void append(Roster *roster, Held *held)
{
    held->before = roster->end.before;
    held->after = &roster->end;
    held->before->after = held;
    roster->end.before = held;
}

static PyObject *roster_get(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "get takes a kind, a name and tags");
        return NULL;
    }
    uint32_t hash;
    Held **place = NULL;
    if (has_hash(args[0], args[1], args[2], &hash))
        place = find((Roster *)self, hash, args[0], args[1], args[2]);
    if (place == NULL)
        return NULL;
    return Py_NewRef(*place == NULL ? Py_None : (PyObject *)*place);
}

static Held **find_series(const Roster *roster, PyObject *series, uint32_t *hash)
{
    if (!is_series(series))
        return NULL;
    PyObject *kind = PyTuple_GET_ITEM(series, KIND), *name = PyTuple_GET_ITEM(series, NAME);
    PyObject *tags = PyTuple_GET_ITEM(series, TAGS);
    return has_hash(kind, name, tags, hash) ? find(roster, *hash, kind, name, tags) : NULL;
}

static PyObject *roster_of(PyObject *self, PyObject *series)
{
    uint32_t hash;
    Held **place = find_series((Roster *)self, series, &hash);
    if (place == NULL)
        return NULL;
    bool is_it = *place != NULL && (*place)->series == series;
    return Py_NewRef(is_it ? (PyObject *)*place : Py_None);
}

static PyObject *roster_add(PyObject *self, PyObject *args)
{
    Roster *roster = (Roster *)self;
    PyObject *series, *gauge = Py_None;
    long long seen, gauge_period = 0;
    if (!PyArg_ParseTuple(args, "OL|OL:add", &series, &seen, &gauge, &gauge_period) ||
        !has_room(roster))
        return NULL;
    uint32_t hash;
    Held **place = find_series(roster, series, &hash);
    if (place == NULL)
        return NULL;
    if (*place != NULL) {
        PyErr_SetString(PyExc_ValueError, "held already");
        return NULL;
    }
    Held *held = held_new(series, hash, seen, gauge, gauge_period);
    if (held == NULL)
        return NULL;
    held->turn = ++roster->turn;
    held->number = roster->added++;
    append(roster, held);
    *place = held;
    roster->length++;
    return Py_NewRef(held);
}

/* Another in the place of one; borrowed, NULL with an exception set. */
static Held *renew(Roster *roster, Held *before, long long seen, PyObject *gauge,
                   long long gauge_period)
{
    Held *held = held_new(before->series, before->hash, seen, gauge, gauge_period);
    if (held == NULL)
        return NULL;
    held->number = before->number;
    if (seen > before->seen) {
        held->turn = ++roster->turn;
        append(roster, held);
    } else {
        held->turn = before->turn;
        held->after = before;
        held->before = before->before;
        before->before->after = held;
        before->before = held;
    }
    unlink_held(before);
    *place_of(roster, before) = held;
    Py_DECREF(before);
    return held;
}

static PyObject *roster_renew(PyObject *self, PyObject *args)
{
    PyObject *old, *gauge;
    long long seen, gauge_period;
    if (!PyArg_ParseTuple(args, "OLOL:renew", &old, &seen, &gauge, &gauge_period) ||
        !is_held(old))
        return NULL;
    Held *held = renew((Roster *)self, (Held *)old, seen, gauge, gauge_period);
    return Py_XNewRef(held);
}

int roster_note(PyObject *self, PyObject *series, PyObject *slot, long long period)
{
    Roster *roster = (Roster *)self;
    uint32_t hash;
    Held **place = find_series(roster, series, &hash);
    if (place == NULL)
        return -1;
    Held *held = *place;
    if (held == NULL || held->series != series)
        return 0;
    long long gauge_period, seen = period > held->seen ? period : held->seen;
    PyObject *gauge = held_memory(held, &gauge_period);
    if (PyObject_TypeCheck(slot, &GaugeType) && (gauge == Py_None || period >= gauge_period)) {
        gauge = slot;
        gauge_period = period;
    } else if (seen == held->seen) {
        return 1;
    }
    return renew(roster, held, seen, gauge, gauge_period) == NULL ? -1 : 1;
}

static PyObject *roster_see_again(PyObject *self, PyObject *args)
{
    PyObject *series, *slot;
    long long period;
    if (!PyArg_ParseTuple(args, "OOL:see_again", &series, &slot, &period))
        return NULL;
    int is_held = roster_note(self, series, slot, period);
    return is_held < 0 ? NULL : PyBool_FromLong(is_held);
}

static PyObject *roster_remove(PyObject *self, PyObject *gone)
{
    Roster *roster = (Roster *)self;
    if (!is_held(gone))
        return NULL;
    Held *held = (Held *)gone;
    size_t hole = (size_t)(place_of(roster, held) - roster->places), at = hole;
    roster->places[hole] = NULL;
    unlink_held(held);
    roster->length--;
    for (;;) {
        at = (at + 1) & roster->mask;
        Held *next = roster->places[at];
        if (next == NULL)
            break;
        size_t wanted = next->hash & roster->mask;
        if (((at - wanted) & roster->mask) >= ((at - hole) & roster->mask)) {
            roster->places[hole] = next;
            roster->places[at] = NULL;
            hole = at;
        }
    }
    Py_DECREF(held);
    Py_RETURN_NONE;
}

static PyObject *roster_oldest(PyObject *self, PyObject *Py_UNUSED(none))
{
    Roster *roster = (Roster *)self;
    if (roster->length == 0)
        Py_RETURN_NONE;
    return Py_NewRef(roster->end.after);
}

/* In the order of their places, which is none. */
static PyObject *roster_all(PyObject *self, PyObject *Py_UNUSED(none))
{
    Roster *roster = (Roster *)self;
    PyObject *every = PyList_New((Py_ssize_t)roster->length);
    if (every == NULL)
        return NULL;
    Py_ssize_t count = 0;
    for (size_t at = 0; at <= roster->mask; at++) {
        fetch(roster, at + AHEAD);
        if (roster->places[at] != NULL)
            PyList_SET_ITEM(every, count++, Py_NewRef(roster->places[at]));
    }
    return every;
}

/* Also where numbers have begun anew. */
static int compare_numbers(const void *one, const void *other)
{
    int32_t apart = (int32_t)((*(Held *const *)one)->number - (*(Held *const *)other)->number);
    return (apart > 0) - (apart < 0);
}

static PyObject *roster_as_added(PyObject *self, PyObject *none)
{
    PyObject *every = roster_all(self, none);
    if (every != NULL && PyList_GET_SIZE(every) > 1)
        qsort(((PyListObject *)every)->ob_item, (size_t)PyList_GET_SIZE(every),
              sizeof(PyObject *), compare_numbers);
    return every;
}

static void drop_all(Roster *roster)
{
    for (size_t at = 0; roster->places != NULL && at <= roster->mask; at++) {
        Held *held = roster->places[at];
        if (held == NULL)
            continue;
        roster->places[at] = NULL;
        held->before = held->after = NULL;
        Py_DECREF(held);
    }
    roster->length = 0;
    roster->end.before = roster->end.after = &roster->end;
}

static PyObject *roster_clear(PyObject *self, PyObject *Py_UNUSED(none))
{
    drop_all((Roster *)self);
    Py_RETURN_NONE;
}

static Py_ssize_t roster_length(PyObject *self)
{
    return (Py_ssize_t)((Roster *)self)->length;
}

static PyObject *roster_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, names, ":Roster", words))
        return NULL;
    Roster *roster = (Roster *)type->tp_alloc(type, 0);
    if (roster == NULL)
        return NULL;
    roster->mask = FIRST_PLACES - 1;
    roster->end.before = roster->end.after = &roster->end;
    roster->places = PyMem_RawCalloc(FIRST_PLACES, sizeof(Held *));
    if (roster->places == NULL) {
        Py_DECREF(roster);
        return PyErr_NoMemory();
    }
    return (PyObject *)roster;
}

static void roster_dealloc(PyObject *self)
{
    Roster *roster = (Roster *)self;
    drop_all(roster);
    PyMem_RawFree(roster->places);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef roster_methods[] = {
    {"get", (PyCFunction)(void (*)(void))roster_get, METH_FASTCALL, "By kind, name, tags."},
    {"of", roster_of, METH_O, "For just this object."},
    {"add", roster_add, METH_VARARGS, "Hold a series, as the one seen last."},
    {"renew", roster_renew, METH_VARARGS, "Have another in the place of one."},
    {"see_again", roster_see_again, METH_VARARGS,
     "Note a value in a slot of a period; whether the series is held."},
    {"remove", roster_remove, METH_O, "Hold it no longer."},
    {"oldest", roster_oldest, METH_NOARGS, "The longest unseen, or None."},
    {"all", roster_all, METH_NOARGS, "A list of them, in no order."},
    {"as_added", roster_as_added, METH_NOARGS, "A list of them, the first added first."},
    {"clear", roster_clear, METH_NOARGS, "Hold none."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods roster_sequence = {.sq_length = roster_length};

PyTypeObject RosterType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Roster",
    .tp_doc = "Series that are held, from the longest unseen to the one seen last.",
    .tp_basicsize = sizeof(Roster),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = roster_new,
    .tp_dealloc = roster_dealloc,
    .tp_methods = roster_methods,
    .tp_as_sequence = &roster_sequence,
};

int roster_setup(PyObject *module)
{
    return PyModule_AddType(module, &RosterType);
}

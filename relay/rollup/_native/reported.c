/* See reported.h. Open addressing over two arrays, 12 bytes a place: a metric is made anew
   when it is asked for, so what is compared first is a part of its hash. */
#include "reported.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIMENSIONS = 4 }; /* of a Series, which is a tuple */
enum { FIRST_PLACES = 64 };

typedef struct {
    PyObject_HEAD
    PyObject **series; /* NULL is free; who is gone leaves no mark, those behind move up */
    uint32_t *hashes;
    size_t mask, length;
} Reported;

static PyObject *metric_name;

/* -1 with an exception set. */
static int hash_of(PyObject *metric, PyObject *dimensions, uint32_t *hash)
{
    Py_hash_t one = PyObject_Hash(metric), other = one == -1 ? -1 : PyObject_Hash(dimensions);
    if (other == -1)
        return -1;
    uint64_t mixed = (uint64_t)one ^ (uint64_t)other * 0xc2b2ae3d27d4eb4fu;
    *hash = (uint32_t)(mixed ^ mixed >> 32);
    return 0;
}

/* -1 with an exception set. */
static int is_it(PyObject *series, PyObject *metric, PyObject *dimensions)
{
    PyObject *its = PyTuple_GET_ITEM(series, DIMENSIONS);
    int same = its == dimensions ? 1 : PyObject_RichCompareBool(its, dimensions, Py_EQ);
    if (same <= 0)
        return same;
    PyObject *its_metric = PyObject_GetAttr(series, metric_name);
    same = its_metric == NULL ? -1 : PyObject_RichCompareBool(its_metric, metric, Py_EQ);
    Py_XDECREF(its_metric);
    return same;
}

/* Where it is or belongs; -1 with an exception set. */
static Py_ssize_t find(const Reported *reported, PyObject *metric, PyObject *dimensions,
                       uint32_t hash)
{
    for (size_t at = hash & reported->mask;; at = (at + 1) & reported->mask) {
        if (reported->series[at] == NULL)
            return (Py_ssize_t)at;
        if (reported->hashes[at] != hash)
            continue;
        int same = is_it(reported->series[at], metric, dimensions);
        if (same != 0)
            return same < 0 ? -1 : (Py_ssize_t)at;
    }
}

static Py_ssize_t find_series(const Reported *reported, PyObject *series, uint32_t *hash)
{
    if (!PyTuple_Check(series) || PyTuple_GET_SIZE(series) <= DIMENSIONS) {
        PyErr_SetString(PyExc_TypeError, "not a series");
        return -1;
    }
    PyObject *dimensions = PyTuple_GET_ITEM(series, DIMENSIONS);
    PyObject *metric = PyObject_GetAttr(series, metric_name);
    Py_ssize_t at = -1;
    if (metric != NULL && hash_of(metric, dimensions, hash) == 0)
        at = find(reported, metric, dimensions, *hash);
    Py_XDECREF(metric);
    return at;
}

static bool has_places(Reported *reported, size_t count)
{
    reported->series = PyMem_RawCalloc(count, sizeof *reported->series);
    reported->hashes = PyMem_RawMalloc(count * sizeof *reported->hashes);
    reported->mask = count - 1;
    return reported->series != NULL && reported->hashes != NULL;
}

static bool has_room(Reported *reported)
{
    if (reported->length * 3 < (reported->mask + 1) * 2)
        return true;
    Reported more;
    if (!has_places(&more, (reported->mask + 1) * 2)) {
        PyMem_RawFree(more.series);
        PyMem_RawFree(more.hashes);
        PyErr_NoMemory();
        return false;
    }
    for (size_t old = 0; old <= reported->mask; old++) {
        if (reported->series[old] == NULL)
            continue;
        size_t at = reported->hashes[old] & more.mask;
        while (more.series[at] != NULL)
            at = (at + 1) & more.mask;
        more.series[at] = reported->series[old];
        more.hashes[at] = reported->hashes[old];
    }
    PyMem_RawFree(reported->series);
    PyMem_RawFree(reported->hashes);
    reported->series = more.series;
    reported->hashes = more.hashes;
    reported->mask = more.mask;
    return true;
}

static PyObject *reported_get(PyObject *self, PyObject *series)
{
    uint32_t hash;
    Py_ssize_t at = find_series((Reported *)self, series, &hash);
    if (at < 0)
        return NULL;
    PyObject *found = ((Reported *)self)->series[at];
    return Py_NewRef(found == NULL ? Py_None : found);
}

static PyObject *reported_put(PyObject *self, PyObject *series)
{
    Reported *reported = (Reported *)self;
    uint32_t hash;
    Py_ssize_t at = has_room(reported) ? find_series(reported, series, &hash) : -1;
    if (at < 0)
        return NULL;
    PyObject *before = reported->series[at];
    reported->series[at] = Py_NewRef(series);
    reported->hashes[at] = hash;
    if (before == NULL)
        reported->length++;
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

static PyObject *reported_remove(PyObject *self, PyObject *series)
{
    Reported *reported = (Reported *)self;
    uint32_t hash;
    Py_ssize_t found = find_series(reported, series, &hash);
    if (found < 0)
        return NULL;
    size_t hole = (size_t)found, at = hole;
    PyObject *gone = reported->series[hole];
    if (gone == NULL) {
        PyErr_SetString(PyExc_KeyError, "nobody is reported so");
        return NULL;
    }
    reported->series[hole] = NULL;
    reported->length--;
    for (;;) {
        at = (at + 1) & reported->mask;
        if (reported->series[at] == NULL)
            break;
        size_t wanted = reported->hashes[at] & reported->mask;
        if (((at - wanted) & reported->mask) >= ((at - hole) & reported->mask)) {
            reported->series[hole] = reported->series[at];
            reported->hashes[hole] = reported->hashes[at];
            reported->series[at] = NULL;
            hole = at;
        }
    }
    Py_DECREF(gone);
    Py_RETURN_NONE;
}

static PyObject *reported_all(PyObject *self, PyObject *Py_UNUSED(none))
{
    Reported *reported = (Reported *)self;
    PyObject *every = PyList_New((Py_ssize_t)reported->length);
    Py_ssize_t count = 0;
    for (size_t at = 0; every != NULL && at <= reported->mask; at++)
        if (reported->series[at] != NULL)
            PyList_SET_ITEM(every, count++, Py_NewRef(reported->series[at]));
    return every;
}

static Py_ssize_t reported_length(PyObject *self)
{
    return (Py_ssize_t)((Reported *)self)->length;
}

static PyObject *reported_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, names, ":Reported", words))
        return NULL;
    Reported *reported = (Reported *)type->tp_alloc(type, 0);
    if (reported == NULL)
        return NULL;
    if (!has_places(reported, FIRST_PLACES)) {
        Py_DECREF(reported);
        return PyErr_NoMemory();
    }
    return (PyObject *)reported;
}

static void reported_dealloc(PyObject *self)
{
    Reported *reported = (Reported *)self;
    for (size_t at = 0; reported->series != NULL && at <= reported->mask; at++)
        Py_XDECREF(reported->series[at]);
    PyMem_RawFree(reported->series);
    PyMem_RawFree(reported->hashes);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef reported_methods[] = {
    {"get", reported_get, METH_O, "Who is reported as this series, or None."},
    {"put", reported_put, METH_O, "Have it, in the place of one that is reported so."},
    {"remove", reported_remove, METH_O, "Have none that is reported so."},
    {"all", reported_all, METH_NOARGS, "A list of them, in no order."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods reported_sequence = {.sq_length = reported_length};

static PyTypeObject ReportedType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Reported",
    .tp_doc = "Series by what they are reported as.",
    .tp_basicsize = sizeof(Reported),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = reported_new,
    .tp_dealloc = reported_dealloc,
    .tp_methods = reported_methods,
    .tp_as_sequence = &reported_sequence,
};

int reported_setup(PyObject *module)
{
    metric_name = PyUnicode_InternFromString("metric");
    return metric_name == NULL ? -1 : PyModule_AddType(module, &ReportedType);
}

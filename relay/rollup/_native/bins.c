/* See bins.h. The rules are those of Bins and _Row in bins.py, step by step. */
#include "bins.h"

#include <math.h>
#include <string.h>
#include <structmember.h>

enum { IN_CHUNK = CHUNK - 1, BELOW_ALL = -(1 << 30) };

/* Where chunk `at` is, or would be. */
static int find(const BinRow *row, int32_t at)
{
    int low = 0, high = row->length;
    while (low < high) {
        int middle = (low + high) / 2;
        if (row->at[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_room(BinRow *row)
{
    if (row->length < row->room)
        return true;
    int room = row->room ? 2 * row->room : 2;
    int32_t *at = PyMem_RawRealloc(row->at, (size_t)room * sizeof *at);
    if (at == NULL)
        return false;
    row->at = at;
    double **chunks = PyMem_RawRealloc(row->chunks, (size_t)room * sizeof *chunks);
    if (chunks == NULL)
        return false;
    row->chunks = chunks;
    row->room = room;
    return true;
}

/* The chunk of an index, made where it is not there; NULL without memory. */
static double *chunk_of(BinRow *row, int32_t index, bool *is_new)
{
    int32_t at = index >> CHUNK_BITS;
    int place = find(row, at);
    *is_new = place == row->length || row->at[place] != at;
    if (!*is_new)
        return row->chunks[place];
    double *chunk = make_room(row) ? PyMem_RawCalloc(CHUNK, sizeof *chunk) : NULL;
    if (chunk == NULL)
        return NULL;
    size_t behind = (size_t)(row->length - place);
    memmove(row->at + place + 1, row->at + place, behind * sizeof *row->at);
    memmove(row->chunks + place + 1, row->chunks + place, behind * sizeof *row->chunks);
    row->at[place] = at;
    row->chunks[place] = chunk;
    row->length++;
    return chunk;
}

/* Move the weight of the lowest chunk to the lowest bin of the next; of two. */
static void give_up_lowest(BinRow *row)
{
    double sum = 0.0;
    for (int each = 0; each < CHUNK; each++)
        sum += row->chunks[0][each];
    PyMem_RawFree(row->chunks[0]);
    row->length--;
    memmove(row->at, row->at + 1, (size_t)row->length * sizeof *row->at);
    memmove(row->chunks, row->chunks + 1, (size_t)row->length * sizeof *row->chunks);
    row->floor = row->at[0] * CHUNK;
    row->chunks[0][0] += sum;
}

static bool put(NativeBins *bins, bool is_negative, int32_t index, double weight)
{
    BinRow *row = is_negative ? &bins->negative : &bins->positive;
    bool is_new;
    if (index < row->floor)
        index = row->floor;
    double *chunk = chunk_of(row, index, &is_new);
    if (chunk == NULL)
        return false;
    chunk[index & IN_CHUNK] += weight;
    int negative = bins->negative.length, positive = bins->positive.length;
    if (is_new && negative + positive > MOST_CHUNKS)
        give_up_lowest(negative > positive ? &bins->negative : &bins->positive);
    return true;
}

size_t bins_add(NativeBins *bins, const double *values, size_t count, double weight)
{
    for (size_t each = 0; each < count; each++) {
        double value = values[each];
        if (value == 0.0) {
            bins->zero += weight;
            continue;
        }
        int32_t index = (int32_t)ceil(log(fabs(value)) * bins->per_log_gamma);
        if (!put(bins, value < 0.0, index, weight))
            return each;
    }
    return count;
}

static PyObject *bins_add_method(PyObject *self, PyObject *args)
{
    PyObject *values;
    double weight;
    if (!PyArg_ParseTuple(args, "Od:add", &values, &weight))
        return NULL;
    PyObject *each = PyObject_GetIter(values);
    if (each == NULL)
        return NULL;
    PyObject *number;
    while (!PyErr_Occurred() && (number = PyIter_Next(each)) != NULL) {
        double value = PyFloat_AsDouble(number);
        Py_DECREF(number);
        if (!PyErr_Occurred() && bins_add((NativeBins *)self, &value, 1, weight) != 1)
            PyErr_NoMemory();
    }
    Py_DECREF(each);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *bins_put(PyObject *self, PyObject *args)
{
    int is_negative, index;
    double weight;
    if (!PyArg_ParseTuple(args, "pid:put", &is_negative, &index, &weight))
        return NULL;
    if (!put((NativeBins *)self, is_negative, index, weight))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* (floor, [(at, bytes of doubles), ...]) */
static PyObject *row_parts(const BinRow *row)
{
    PyObject *chunks = PyList_New(row->length);
    for (int each = 0; chunks != NULL && each < row->length; each++) {
        PyObject *pair = Py_BuildValue("iy#", row->at[each], (char *)row->chunks[each],
                                       (Py_ssize_t)(CHUNK * sizeof(double)));
        if (pair == NULL)
            Py_CLEAR(chunks);
        else
            PyList_SET_ITEM(chunks, each, pair);
    }
    return chunks == NULL ? NULL : Py_BuildValue("iN", row->floor, chunks);
}

static PyObject *bins_rows(PyObject *self, PyObject *Py_UNUSED(none))
{
    NativeBins *bins = (NativeBins *)self;
    PyObject *negative = row_parts(&bins->negative);
    PyObject *positive = negative == NULL ? NULL : row_parts(&bins->positive);
    if (positive == NULL) {
        Py_XDECREF(negative);
        return NULL;
    }
    return Py_BuildValue("NdN", negative, bins->zero, positive);
}

static PyObject *bins_set_floors(PyObject *self, PyObject *args)
{
    int negative, positive;
    if (!PyArg_ParseTuple(args, "ii:set_floors", &negative, &positive))
        return NULL;
    ((NativeBins *)self)->negative.floor = negative;
    ((NativeBins *)self)->positive.floor = positive;
    Py_RETURN_NONE;
}

static PyObject *bins_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                          PyObject *Py_UNUSED(names))
{
    NativeBins *bins = (NativeBins *)type->tp_alloc(type, 0);
    if (bins != NULL)
        bins->negative.floor = bins->positive.floor = BELOW_ALL;
    return (PyObject *)bins;
}

static void row_free(BinRow *row)
{
    for (int each = 0; each < row->length; each++)
        PyMem_RawFree(row->chunks[each]);
    PyMem_RawFree(row->chunks);
    PyMem_RawFree(row->at);
}

static void bins_dealloc(PyObject *self)
{
    row_free(&((NativeBins *)self)->negative);
    row_free(&((NativeBins *)self)->positive);
    Py_TYPE(self)->tp_free(self);
}

static size_t row_bytes(const BinRow *row)
{
    return (size_t)row->room * (sizeof *row->at + sizeof *row->chunks) +
           (size_t)row->length * CHUNK * sizeof(double);
}

static PyObject *bins_sizeof(PyObject *self, PyObject *Py_UNUSED(none))
{
    NativeBins *bins = (NativeBins *)self;
    return PyLong_FromSize_t(sizeof *bins + row_bytes(&bins->negative) +
                             row_bytes(&bins->positive));
}

static PyMethodDef bins_methods[] = {
    {"__sizeof__", bins_sizeof, METH_NOARGS, "In bytes, with all chunks."},
    {"add", bins_add_method, METH_VARARGS, "Count values with a weight each."},
    {"put", bins_put, METH_VARARGS, "Add a weight to a bin, by sign and index."},
    {"rows", bins_rows, METH_NOARGS, "The negative row, zero, the positive row."},
    {"set_floors", bins_set_floors, METH_VARARGS, "Of the negative and the positive row."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef bins_fields[] = {
    {"zero", T_DOUBLE, offsetof(NativeBins, zero), 0, "The weight of 0."},
    {"per_log_gamma", T_DOUBLE, offsetof(NativeBins, per_log_gamma), 0, "Bins in e."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject BinsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Bins",
    .tp_basicsize = sizeof(NativeBins),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = bins_new,
    .tp_dealloc = bins_dealloc,
    .tp_methods = bins_methods,
    .tp_members = bins_fields,
};

int bins_setup(PyObject *module)
{
    return PyModule_AddType(module, &BinsType);
}

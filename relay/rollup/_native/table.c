/* See table.h: the hash table, its lock, and what Python may do with them. */
#include "table.h"

#include "feed.h"
#include "members.h"
#include "sip.h"
#include "slots.h"

#include <structmember.h>

enum { FIRST_PLACES = 1024 };

uint64_t sip_key[2];

void table_lock(Table *table)
{
    table_want(table);
    table_lock_wanted(table);
}

void table_want(Table *table)
{
    atomic_fetch_add(&table->wanted, 1);
}

void table_lock_wanted(Table *table)
{
    pthread_mutex_lock(&table->lock);
    atomic_fetch_sub(&table->wanted, 1);
}

void table_unlock(Table *table)
{
    pthread_mutex_unlock(&table->lock);
}

uint64_t table_hash(const char *name, size_t name_length, const char *form,
                    size_t form_length)
{
    Sip sip = sip_start();
    sip_text(&sip, name, name_length);
    sip_text(&sip, form, form_length);
    return sip_end(&sip, (uint64_t)name_length << 16 | form_length);
}

Entry *table_find(const Table *table, uint64_t hash, const char *name, size_t name_length,
                  const char *form, size_t form_length)
{
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        const Place *place = &table->places[at];
        Entry *entry = place->entry;
        if (entry == NULL)
            return NULL;
        if (place->hash == hash && entry->name_length == name_length &&
            entry->form_length == form_length &&
            memcmp(entry->text, name, name_length) == 0 &&
            memcmp(entry->text + name_length, form, form_length) == 0)
            return entry;
    }
}

static void put(Place *places, size_t mask, uint64_t hash, Entry *entry)
{
    size_t at = hash & mask;
    while (places[at].entry != NULL)
        at = (at + 1) & mask;
    places[at] = (Place){hash, entry};
}

/* Whoever has the lock keeps others from the places, which takes 30 ms of a million. */
static bool grow(Table *table)
{
    /* Not where a dict of as many grows too. */
    if ((table->length + 1) * 12 <= (table->mask + 1) * 7)
        return true;
    size_t wanted = (table->mask + 1) * 2;
    Place *places = PyMem_RawCalloc(wanted, sizeof *places);
    if (places == NULL)
        return false;
    Py_BEGIN_ALLOW_THREADS
    for (size_t at = 0; at <= table->mask; at++)
        if (table->places[at].entry != NULL)
            put(places, wanted - 1, table->places[at].hash, table->places[at].entry);
    Py_END_ALLOW_THREADS
    PyMem_RawFree(table->places);
    table->places = places;
    table->mask = wanted - 1;
    table->swept = 0;
    return true;
}

void table_enter(Table *table, Entry *entry)
{
    entry->epoch = table->epoch;
    if (entry->used != table->turn) {
        entry->used = table->turn;
        table->entered++;
    }
}

int table_point(Entry *entry, PyObject *slot, PyObject *cell)
{
    static PyTypeObject *const slots[] = {&CounterType, &GaugeType, &TimerType, &SetType};
    static PyTypeObject *const cells[] = {&CounterType, &GaugeType, &LaneType, &MembersType};
    if (!PyObject_TypeCheck(slot, slots[entry->operation]) ||
        !PyObject_TypeCheck(cell, cells[entry->operation])) {
        PyErr_SetString(PyExc_TypeError, "a slot of another kind");
        return -1;
    }
    PyObject *slot_before = entry->slot, *cell_before = entry->cell;
    entry->target = cell;
    entry->slot = Py_NewRef(slot);
    entry->cell = cell == slot ? NULL : Py_NewRef(cell);
    Py_XDECREF(slot_before);
    Py_XDECREF(cell_before);
    return 0;
}

static void entry_free(Entry *entry)
{
    Py_XDECREF(entry->slot);
    Py_XDECREF(entry->cell);
    Py_XDECREF(entry->series);
    PyMem_RawFree(entry);
}

/* The entry of a spelling, made where there is none; NULL where there is no room for
   another, with an exception set where it is memory that is missing. */
static Entry *entry_of(Table *table, const char *name, Py_ssize_t name_length,
                       const char *form, Py_ssize_t form_length)
{
    uint64_t hash = table_hash(name, (size_t)name_length, form, (size_t)form_length);
    Entry *entry =
        table_find(table, hash, name, (size_t)name_length, form, (size_t)form_length);
    if (entry != NULL)
        return entry;
    if (table->entered >= table->most || table->length >= 2 * table->most ||
        name_length > UINT16_MAX || form_length > UINT16_MAX)
        return NULL;
    size_t size = sizeof *entry + (size_t)name_length + (size_t)form_length;
    entry = grow(table) ? PyMem_RawCalloc(1, size) : NULL;
    if (entry == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    entry->used = table->turn - 1;
    entry->name_length = (uint32_t)name_length;
    entry->form_length = (uint16_t)form_length;
    memcpy(entry->text, name, (size_t)name_length);
    memcpy(entry->text + name_length, form, (size_t)form_length);
    put(table->places, table->mask, hash, entry);
    table->length++;
    return entry;
}

static PyObject *table_learn(PyObject *self, PyObject *args)
{
    Table *table = (Table *)self;
    const char *name, *form;
    Py_ssize_t name_length, form_length;
    unsigned char operation, index;
    double weight;
    PyObject *slot, *cell, *series;
    if (!PyArg_ParseTuple(args, "y#y#bbdOOO:learn", &name, &name_length, &form,
                          &form_length, &operation, &index, &weight, &slot, &cell, &series))
        return NULL;
    if (operation >= IGNORED || index >= KINDS) {
        PyErr_SetString(PyExc_ValueError, "no such operation or kind");
        return NULL;
    }
    Entry *entry = entry_of(table, name, name_length, form, form_length);
    if (entry == NULL) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NONE;
    }
    entry->operation = operation;
    if (table_point(entry, slot, cell) < 0) {
        entry->epoch = table->epoch - 1;
        return NULL;
    }
    PyObject *series_before = entry->series;
    entry->series = Py_NewRef(series);
    Py_XDECREF(series_before);
    entry->index = index;
    entry->weight = weight;
    table_enter(table, entry);
    Py_RETURN_NONE;
}

static PyObject *table_ignore(PyObject *self, PyObject *args)
{
    Table *table = (Table *)self;
    const char *name, *form;
    Py_ssize_t name_length, form_length;
    unsigned char index;
    if (!PyArg_ParseTuple(args, "y#y#b:ignore", &name, &name_length, &form, &form_length,
                          &index))
        return NULL;
    if (index >= VERDICTS) {
        PyErr_SetString(PyExc_ValueError, "no such verdict");
        return NULL;
    }
    Entry *entry = entry_of(table, name, name_length, form, form_length);
    if (entry != NULL) {
        entry->operation = IGNORED;
        entry->index = index;
        table_enter(table, entry);
    } else if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *table_turn(PyObject *self, PyObject *Py_UNUSED(none))
{
    Table *table = (Table *)self;
    table->turn++;
    table->epoch++;
    table->entered = 0;
    table->swept = 0;
    Py_RETURN_NONE;
}

static PyObject *table_pause(PyObject *self, PyObject *Py_UNUSED(none))
{
    ((Table *)self)->epoch++;
    Py_RETURN_NONE;
}

/* Close the gap that a removed entry leaves, so that what is behind it is still found. */
static void remove_at(Table *table, size_t gap)
{
    Place *places = table->places;
    for (size_t at = gap;;) {
        at = (at + 1) & table->mask;
        if (places[at].entry == NULL)
            break;
        size_t home = places[at].hash & table->mask;
        if (((at - home) & table->mask) >= ((at - gap) & table->mask)) {
            places[gap] = places[at];
            gap = at;
        }
    }
    places[gap] = (Place){0, NULL};
    table->length--;
}

enum { SWEPT_AT_ONCE = 1024 };

static PyObject *table_sweep(PyObject *self, PyObject *Py_UNUSED(none))
{
    Table *table = (Table *)self;
    Entry *dead[SWEPT_AT_ONCE];
    size_t count = 0;
    bool is_over;
    Py_BEGIN_ALLOW_THREADS
    table_lock(table);
    for (int steps = 0; steps < SWEPT_AT_ONCE && table->swept <= table->mask; steps++) {
        Entry *entry = table->places[table->swept].entry;
        if (entry != NULL && table->turn - entry->used >= 2) {
            dead[count++] = entry;
            remove_at(table, table->swept);
        } else {
            table->swept++;
        }
    }
    is_over = table->swept > table->mask;
    table_unlock(table);
    Py_END_ALLOW_THREADS
    for (size_t at = 0; at < count; at++)
        entry_free(dead[at]);
    return PyBool_FromLong(!is_over);
}

static PyObject *table_counts(PyObject *self, PyObject *Py_UNUSED(none))
{
    Table *table = (Table *)self;
    PyObject *taken = PyList_New(KINDS), *ignored = PyList_New(VERDICTS);
    if (taken == NULL || ignored == NULL)
        goto fail;
    for (Py_ssize_t at = 0; at < KINDS + VERDICTS; at++) {
        int64_t count = at < KINDS ? table->taken[at] : table->ignored[at - KINDS];
        PyObject *number = PyLong_FromLongLong(count);
        if (number == NULL)
            goto fail;
        if (at < KINDS)
            PyList_SET_ITEM(taken, at, number);
        else
            PyList_SET_ITEM(ignored, at - KINDS, number);
    }
    PyObject *counts = Py_BuildValue("LNN", (long long)table->lines, taken, ignored);
    if (counts != NULL) {
        table->lines = 0;
        memset(table->taken, 0, sizeof table->taken);
        memset(table->ignored, 0, sizeof table->ignored);
    }
    return counts;
fail:
    Py_XDECREF(taken);
    Py_XDECREF(ignored);
    return NULL;
}

static PyObject *table_enter_method(PyObject *self, PyObject *Py_UNUSED(none))
{
    Py_BEGIN_ALLOW_THREADS
    table_lock((Table *)self);
    Py_END_ALLOW_THREADS
    return Py_NewRef(self);
}

static PyObject *table_exit_method(PyObject *self, PyObject *Py_UNUSED(args))
{
    table_unlock((Table *)self);
    Py_RETURN_NONE;
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {"most", "enough", "folding", "again", "gate", NULL};
    Py_ssize_t most;
    long enough, folding;
    PyObject *again, *gate = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, names, "nllO|O:Table", words, &most, &enough,
                                     &folding, &again, &gate))
        return NULL;
    if (gate != Py_None && !PyObject_TypeCheck(gate, &GateType)) {
        PyErr_SetString(PyExc_TypeError, "no gate");
        return NULL;
    }
    Table *table = (Table *)type->tp_alloc(type, 0);
    if (table == NULL)
        return NULL;
    table->places = PyMem_RawCalloc(FIRST_PLACES, sizeof *table->places);
    if (table->places == NULL || pthread_mutex_init(&table->lock, NULL) != 0) {
        Py_DECREF(table);
        return PyErr_NoMemory();
    }
    table->has_lock = true;
    table->mask = FIRST_PLACES - 1;
    table->most = most < 0 ? 0 : (size_t)most;
    table->epoch = table->turn = 2;
    table->period = -1;
    table->enough = enough;
    table->folding = folding;
    table->again = Py_NewRef(again);
    table->gate = gate == Py_None ? NULL : (Gate *)Py_NewRef(gate);
    /* One object each: type caches keep every name that they see. */
    table->fold_name = PyUnicode_InternFromString("fold");
    table->trim_name = PyUnicode_InternFromString("trim");
    if (table->fold_name == NULL || table->trim_name == NULL)
        Py_SETREF(table, NULL);
    return (PyObject *)table;
}

static int table_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Table *)self)->again);
    return 0;
}

static int table_clear(PyObject *self)
{
    Py_CLEAR(((Table *)self)->again);
    return 0;
}

static void table_dealloc(PyObject *self)
{
    Table *table = (Table *)self;
    PyObject_GC_UnTrack(self);
    table_clear(self);
    if (table->places != NULL)
        for (size_t at = 0; at <= table->mask; at++)
            if (table->places[at].entry != NULL)
                entry_free(table->places[at].entry);
    PyMem_RawFree(table->places);
    Py_XDECREF(table->fold_name);
    Py_XDECREF(table->trim_name);
    Py_XDECREF(table->gate);
    if (table->has_lock)
        pthread_mutex_destroy(&table->lock);
    Py_TYPE(self)->tp_free(self);
}

static Py_ssize_t table_length(PyObject *self)
{
    return (Py_ssize_t)((Table *)self)->length;
}

static PyMethodDef table_methods[] = {
    {"learn", table_learn, METH_VARARGS,
     "Recognise a name and a form from now on, if there is room."},
    {"ignore", table_ignore, METH_VARARGS, "Recognise them as something nobody wants."},
    {"feed", table_feed, METH_VARARGS, "Take lines; gives where it stopped."},
    {"turn", table_turn, METH_NOARGS, "A period begins: ask for all slots again."},
    {"pause", table_pause, METH_NOARGS, "Ask for all slots again before writing to them."},
    {"sweep", table_sweep, METH_NOARGS,
     "Forget some that were not used in a whole period; whether there may be more."},
    {"counts", table_counts, METH_NOARGS, "Lines, samples and ignored ones since last asked."},
    {"__enter__", table_enter_method, METH_NOARGS, "Take the lock."},
    {"__exit__", table_exit_method, METH_VARARGS, "Give it back."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef table_fields[] = {
    {"period", T_LONGLONG, offsetof(Table, period), 0, "Of what is fed; below 0 none."},
    {NULL, 0, 0, 0, NULL},
};

static PySequenceMethods table_sequence = {.sq_length = table_length};

PyTypeObject TableType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Table",
    .tp_doc = "Spellings, and the lock of the engine that learned them.",
    .tp_basicsize = sizeof(Table),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = table_new,
    .tp_dealloc = table_dealloc,
    .tp_traverse = table_traverse,
    .tp_clear = table_clear,
    .tp_methods = table_methods,
    .tp_members = table_fields,
    .tp_as_sequence = &table_sequence,
};

int table_setup(PyObject *module)
{
    if (sip_key[0] == 0 && sip_key[1] == 0) {
        PyObject *os = PyImport_ImportModule("os");
        PyObject *key = os == NULL ? NULL : PyObject_CallMethod(os, "urandom", "i", 16);
        Py_XDECREF(os);
        if (key == NULL)
            return -1;
        memcpy(sip_key, PyBytes_AS_STRING(key), sizeof sip_key);
        Py_DECREF(key);
    }
    return PyModule_AddType(module, &TableType);
}

/* See shards.h: the gate, and all locks at once. */
#include "shards.h"

#include "table.h"

#include <errno.h>
#include <time.h>

enum { WAIT_NANOSECONDS = 1000000 };

static const long SECOND = 1000000000;

static bool is_called(Gate *gate, uint64_t number)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_NANOSECONDS;
    until.tv_sec += until.tv_nsec / SECOND;
    until.tv_nsec %= SECOND;
    int error = 0;
    while (gate->called_number != number && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&gate->called[number % QUEUES], &gate->mutex, &until);
    return gate->called_number == number;
}

void gate_lock(Gate *gate, Meanwhile meanwhile)
{
    pthread_mutex_lock(&gate->mutex);
    uint64_t number = gate->next++;
    while (gate->called_number != number && !is_called(gate, number)) {
        if (meanwhile.call == NULL)
            continue;
        pthread_mutex_unlock(&gate->mutex);
        meanwhile.call(meanwhile.whose);
        pthread_mutex_lock(&gate->mutex);
    }
    pthread_mutex_unlock(&gate->mutex);
}

void gate_unlock(Gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    uint64_t number = ++gate->called_number;
    if (number != gate->next)
        pthread_cond_broadcast(&gate->called[number % QUEUES]);
    pthread_mutex_unlock(&gate->mutex);
}

bool gate_is_wanted(Gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    bool is_wanted = gate->next - gate->called_number > 1;
    pthread_mutex_unlock(&gate->mutex);
    return is_wanted;
}

static PyObject *gate_enter(PyObject *self, PyObject *Py_UNUSED(none))
{
    Py_BEGIN_ALLOW_THREADS
    gate_lock((Gate *)self, (Meanwhile){NULL, NULL});
    Py_END_ALLOW_THREADS
    return Py_NewRef(self);
}

static PyObject *gate_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    gate_unlock((Gate *)self);
    Py_RETURN_NONE;
}

static PyObject *gate_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, names, ":Gate", words))
        return NULL;
    Gate *gate = (Gate *)type->tp_alloc(type, 0);
    if (gate == NULL)
        return NULL;
    pthread_condattr_t steady;
    bool is_made = pthread_condattr_init(&steady) == 0 &&
                   pthread_condattr_setclock(&steady, CLOCK_MONOTONIC) == 0 &&
                   pthread_mutex_init(&gate->mutex, NULL) == 0;
    for (int at = 0; is_made && at < QUEUES; at++)
        is_made = pthread_cond_init(&gate->called[at], &steady) == 0;
    gate->is_made = is_made;
    if (!is_made) {
        Py_DECREF(gate);
        return PyErr_NoMemory();
    }
    pthread_condattr_destroy(&steady);
    return (PyObject *)gate;
}

static void gate_dealloc(PyObject *self)
{
    Gate *gate = (Gate *)self;
    if (gate->is_made) {
        pthread_mutex_destroy(&gate->mutex);
        for (int at = 0; at < QUEUES; at++)
            pthread_cond_destroy(&gate->called[at]);
    }
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef gate_methods[] = {
    {"__enter__", gate_enter, METH_NOARGS, "Wait for one's turn."},
    {"__exit__", gate_exit, METH_VARARGS, "Let the next one in."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject GateType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Gate",
    .tp_doc = "Lets one thread in at a time, in the order in which they come.",
    .tp_basicsize = sizeof(Gate),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = gate_new,
    .tp_dealloc = gate_dealloc,
    .tp_methods = gate_methods,
};

/* All tables of an engine, in the order in which they are locked. */
typedef struct {
    PyObject_HEAD
    Gate *gate;
    PyObject *tables; /* a tuple */
} Shards;

static Table *table_at(const Shards *shards, Py_ssize_t at)
{
    return (Table *)PyTuple_GET_ITEM(shards->tables, at);
}

static PyObject *shards_enter(PyObject *self, PyObject *Py_UNUSED(none))
{
    Shards *shards = (Shards *)self;
    Py_ssize_t count = PyTuple_GET_SIZE(shards->tables);
    Py_BEGIN_ALLOW_THREADS
    /* All give way at the same time, not one after the other. */
    for (Py_ssize_t at = 0; at < count; at++)
        table_want(table_at(shards, at));
    for (Py_ssize_t at = 0; at < count; at++)
        table_lock_wanted(table_at(shards, at));
    gate_lock(shards->gate, (Meanwhile){NULL, NULL});
    Py_END_ALLOW_THREADS
    return Py_NewRef(self);
}

static PyObject *shards_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    Shards *shards = (Shards *)self;
    gate_unlock(shards->gate);
    for (Py_ssize_t at = PyTuple_GET_SIZE(shards->tables); at-- > 0;)
        table_unlock(table_at(shards, at));
    Py_RETURN_NONE;
}

static PyObject *shards_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {"gate", "tables", NULL};
    PyObject *gate, *tables;
    if (!PyArg_ParseTupleAndKeywords(args, names, "O!O!:Shards", words, &GateType, &gate,
                                     &PyTuple_Type, &tables))
        return NULL;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(tables); at++)
        if (!PyObject_TypeCheck(PyTuple_GET_ITEM(tables, at), &TableType)) {
            PyErr_SetString(PyExc_TypeError, "no table");
            return NULL;
        }
    Shards *shards = (Shards *)type->tp_alloc(type, 0);
    if (shards != NULL) {
        shards->gate = (Gate *)Py_NewRef(gate);
        shards->tables = Py_NewRef(tables);
    }
    return (PyObject *)shards;
}

static int shards_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Shards *)self)->tables);
    return 0;
}

static int shards_clear(PyObject *self)
{
    Py_CLEAR(((Shards *)self)->tables);
    return 0;
}

static void shards_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    shards_clear(self);
    Py_XDECREF(((Shards *)self)->gate);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef shards_methods[] = {
    {"__enter__", shards_enter, METH_NOARGS, "Lock all tables, and pass the gate."},
    {"__exit__", shards_exit, METH_VARARGS, "Give all of that back."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject ShardsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Shards",
    .tp_doc = "All tables of an engine, to be locked together.",
    .tp_basicsize = sizeof(Shards),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = shards_new,
    .tp_dealloc = shards_dealloc,
    .tp_traverse = shards_traverse,
    .tp_clear = shards_clear,
    .tp_methods = shards_methods,
};

int shards_setup(PyObject *module)
{
    return PyModule_AddType(module, &GateType) < 0 ? -1 : PyModule_AddType(module, &ShardsType);
}

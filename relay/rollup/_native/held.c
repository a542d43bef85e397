/* See held.h. Never changed but for its neighbours: another takes its place, so that those
   of one moment can be saved. */
#include "held.h"

#include <stddef.h>
#include <structmember.h>

/* With a memory, for which the others have no room. */
typedef struct {
    Held held;
    PyObject *gauge;
    long long gauge_period;
} HeldGauge;

static PyTypeObject HeldType, HeldGaugeType;

static HeldGauge *with_memory(PyObject *held)
{
    return Py_IS_TYPE(held, &HeldGaugeType) ? (HeldGauge *)held : NULL;
}

static PyMemberDef held_fields[] = {
    {"series", T_OBJECT_EX, offsetof(Held, series), READONLY, "What is remembered."},
    {"seen", T_LONGLONG, offsetof(Held, seen), READONLY, "The period it was seen in last."},
    {"turn", T_LONGLONG, offsetof(Held, turn), READONLY, "Grows with each that is seen."},
    {NULL, 0, 0, 0, NULL},
};

static PyObject *held_last(PyObject *self, void *Py_UNUSED(closure))
{
    HeldGauge *memory = with_memory(self);
    return memory == NULL ? PyFloat_FromDouble(0.0)
                          : PyObject_GetAttrString(memory->gauge, "last");
}

PyObject *held_memory(Held *held, long long *period)
{
    HeldGauge *memory = with_memory((PyObject *)held);
    *period = memory == NULL ? 0 : memory->gauge_period;
    return memory == NULL ? Py_None : memory->gauge;
}

static PyObject *held_gauge(PyObject *self, void *Py_UNUSED(closure))
{
    long long period;
    return Py_NewRef(held_memory((Held *)self, &period));
}

static PyObject *held_gauge_period(PyObject *self, void *Py_UNUSED(closure))
{
    long long period;
    held_memory((Held *)self, &period);
    return PyLong_FromLongLong(period);
}

static PyGetSetDef held_figures[] = {
    {"last", held_last, NULL, "What a gauge was last, 0 where nobody knows.", NULL},
    {"gauge", held_gauge, NULL, "A gauge's latest slot, or None.", NULL},
    {"gauge_period", held_gauge_period, NULL, "That of the slot, else 0.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static void held_dealloc(PyObject *self)
{
    HeldGauge *memory = with_memory(self);
    if (memory != NULL)
        Py_CLEAR(memory->gauge);
    Py_CLEAR(((Held *)self)->series);
    Py_TYPE(self)->tp_free(self);
}

#define REMEMBERED(variable, of, word)                                                   \
    static PyTypeObject variable = {                                                     \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native." word,           \
        .tp_doc = "What a roster remembers of a series.",                                \
        .tp_basicsize = sizeof(of),                                                      \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,              \
        .tp_dealloc = held_dealloc,                                                      \
        .tp_members = held_fields,                                                       \
        .tp_getset = held_figures,                                                       \
    }

REMEMBERED(HeldType, Held, "Held");
REMEMBERED(HeldGaugeType, HeldGauge, "HeldGauge");

Held *held_new(PyObject *series, uint32_t hash, long long seen, PyObject *gauge,
               long long gauge_period)
{
    Held *held;
    if (gauge == Py_None) {
        held = PyObject_New(Held, &HeldType);
    } else {
        HeldGauge *memory = PyObject_New(HeldGauge, &HeldGaugeType);
        if (memory != NULL) {
            memory->gauge = Py_NewRef(gauge);
            memory->gauge_period = gauge_period;
        }
        held = (Held *)memory;
    }
    if (held == NULL)
        return NULL;
    held->series = Py_NewRef(series);
    held->before = held->after = NULL;
    held->hash = hash;
    held->seen = seen;
    held->turn = 0;
    held->number = 0;
    return held;
}

bool is_held(PyObject *held)
{
    bool is_one = Py_IS_TYPE(held, &HeldType) || Py_IS_TYPE(held, &HeldGaugeType);
    if (is_one && ((Held *)held)->before != NULL)
        return true;
    PyErr_SetString(PyExc_ValueError, "not held");
    return false;
}

int held_setup(PyObject *module)
{
    return PyModule_AddType(module, &HeldType) < 0 ? -1
                                                   : PyModule_AddType(module, &HeldGaugeType);
}

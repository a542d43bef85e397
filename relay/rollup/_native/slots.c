/* See slots.h: counters, gauges and sets. */
#include "slots.h"

#include "storage.h"

#include <float.h>
#include <math.h>

static PyMemberDef counter_fields[] = {
    FIELD(Counter, total, T_DOUBLE),
    FIELD(Counter, count, T_DOUBLE),
    {NULL, 0, 0, 0, NULL},
};

static PyMemberDef gauge_fields[] = {
    FIELD(Gauge, last, T_DOUBLE),    FIELD(Gauge, total, T_DOUBLE),
    FIELD(Gauge, minimum, T_DOUBLE), FIELD(Gauge, maximum, T_DOUBLE),
    FIELD(Gauge, count, T_PYSSIZET), {NULL, 0, 0, 0, NULL},
};

static PyMemberDef set_fields[] = {
    FIELD(Set, most, T_PYSSIZET),
    FIELD(Set, registers, T_OBJECT),
    {NULL, 0, 0, 0, NULL},
};

static void set_dealloc(PyObject *self)
{
    Py_CLEAR(((Set *)self)->registers);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *gauge_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                           PyObject *Py_UNUSED(names))
{
    Gauge *gauge = (Gauge *)type->tp_alloc(type, 0);
    if (gauge != NULL) {
        gauge->minimum = Py_HUGE_VAL;
        gauge->maximum = -Py_HUGE_VAL;
    }
    return (PyObject *)gauge;
}

static PyObject *gauge_take_method(PyObject *self, PyObject *number)
{
    double value = PyFloat_AsDouble(number);
    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    gauge_lock((Gauge *)self);
    gauge_take((Gauge *)self, value);
    gauge_unlock((Gauge *)self);
    Py_RETURN_NONE;
}

/* Of what is set rather than added up only the mean suffers where a sum has no room. */
static bool is_set(Gauge *gauge, double value)
{
    if (!isfinite(value))
        return false;
    gauge_take(gauge, value);
    gauge->total = fmin(fmax(gauge->total, -DBL_MAX), DBL_MAX);
    return true;
}

static PyObject *gauge_add(PyObject *self, PyObject *args)
{
    double value, weight;
    if (!PyArg_ParseTuple(args, "dd:add", &value, &weight))
        return NULL;
    gauge_lock((Gauge *)self);
    bool is_taken = is_set((Gauge *)self, value);
    gauge_unlock((Gauge *)self);
    return PyBool_FromLong(is_taken);
}

static PyObject *gauge_shift(PyObject *self, PyObject *args)
{
    Gauge *gauge = (Gauge *)self;
    double delta, last;
    if (!PyArg_ParseTuple(args, "dd:shift", &delta, &last))
        return NULL;
    gauge_lock(gauge);
    bool is_taken = is_set(gauge, (gauge->count ? gauge->last : last) + delta);
    gauge_unlock(gauge);
    return PyBool_FromLong(is_taken);
}

/* In the place of the one of Python's, which costs more than all the rest of a slot. */
static int counter_init(PyObject *self, PyObject *args, PyObject *Py_UNUSED(names))
{
    Counter *counter = (Counter *)self;
    counter->total = counter->count = 0.0;
    return PyArg_ParseTuple(args, "|dd:Counter", &counter->total, &counter->count) ? 0 : -1;
}

static int gauge_init(PyObject *Py_UNUSED(self), PyObject *args, PyObject *Py_UNUSED(names))
{
    return PyArg_ParseTuple(args, ":Gauge") ? 0 : -1;
}

static PyMethodDef gauge_methods[] = {
    {"take", gauge_take_method, METH_O, "Take a value that is known to keep the sum finite."},
    {"add", gauge_add, METH_VARARGS, "As GaugeBase.add."},
    {"shift", gauge_shift, METH_VARARGS, "As GaugeBase.shift."},
    {NULL, NULL, 0, NULL},
};

PyObject *storage_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                      PyObject *Py_UNUSED(names))
{
    return type->tp_alloc(type, 0);
}

STORAGE(CounterType, Counter, "Counter", counter_fields, NULL, NULL, storage_new, counter_init, NULL);
STORAGE(GaugeType, Gauge, "Gauge", gauge_fields, NULL, gauge_methods, gauge_new, gauge_init, NULL);
STORAGE(SetType, Set, "Set", set_fields, NULL, NULL, storage_new, NULL, set_dealloc);

int slots_setup(PyObject *module)
{
    PyTypeObject *types[] = {&CounterType, &GaugeType, &TimerType, &SetType, &LaneType};
    for (size_t at = 0; at < sizeof types / sizeof types[0]; at++)
        if (PyModule_AddType(module, types[at]) < 0)
            return -1;
    return 0;
}

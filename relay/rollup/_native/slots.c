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

/* As clamp() of finite.py, which sums of sums stop at. */
static double clamped(double sum)
{
    return fmin(fmax(sum, -DBL_MAX), DBL_MAX);
}

/* Of what is set rather than added up only the mean suffers where a sum has no room. */
static bool is_set(Gauge *gauge, double value)
{
    if (!isfinite(value))
        return false;
    gauge_take(gauge, value);
    gauge->total = clamped(gauge->total);
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

static bool is_a(PyObject *other, PyTypeObject *type)
{
    if (PyObject_TypeCheck(other, type))
        return true;
    PyErr_SetString(PyExc_TypeError, "a slot of another kind");
    return false;
}

static PyObject *gauge_absorb(PyObject *self, PyObject *later)
{
    Gauge *gauge = (Gauge *)self, *other = (Gauge *)later;
    if (!is_a(later, &GaugeType))
        return NULL;
    gauge->last = other->last;
    gauge->total = clamped(gauge->total + other->total);
    gauge->count += other->count;
    if (other->minimum < gauge->minimum)
        gauge->minimum = other->minimum;
    if (other->maximum > gauge->maximum)
        gauge->maximum = other->maximum;
    Py_RETURN_NONE;
}

static PyObject *gauge_copy(PyObject *self, PyObject *Py_UNUSED(none))
{
    Gauge *gauge = (Gauge *)self, *same = (Gauge *)Py_TYPE(self)->tp_alloc(Py_TYPE(self), 0);
    if (same == NULL)
        return NULL;
    same->last = gauge->last;
    same->total = gauge->total;
    same->count = gauge->count;
    same->minimum = gauge->minimum;
    same->maximum = gauge->maximum;
    return (PyObject *)same;
}

static PyObject *counter_absorb(PyObject *self, PyObject *later)
{
    Counter *counter = (Counter *)self, *other = (Counter *)later;
    if (!is_a(later, &CounterType))
        return NULL;
    counter->total = clamped(counter->total + other->total);
    counter->count = clamped(counter->count + other->count);
    Py_RETURN_NONE;
}

static PyObject *counter_copy(PyObject *self, PyObject *Py_UNUSED(none))
{
    Counter *counter = (Counter *)self;
    Counter *same = (Counter *)Py_TYPE(self)->tp_alloc(Py_TYPE(self), 0);
    if (same == NULL)
        return NULL;
    same->total = counter->total;
    same->count = counter->count;
    return (PyObject *)same;
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
    {"absorb", gauge_absorb, METH_O, "As GaugeBase.absorb."},
    {"copy", gauge_copy, METH_NOARGS, "As GaugeBase.copy."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef counter_methods[] = {
    {"absorb", counter_absorb, METH_O, "As CounterBase.absorb."},
    {"copy", counter_copy, METH_NOARGS, "As CounterBase.copy."},
    {NULL, NULL, 0, NULL},
};

PyObject *storage_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                      PyObject *Py_UNUSED(names))
{
    return type->tp_alloc(type, 0);
}

STORAGE(CounterType, Counter, "Counter", counter_fields, NULL, counter_methods, storage_new, counter_init, NULL);
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

/* See slots.h: timers, and the lanes that their samples are in. */
#include "bins.h"
#include "storage.h"

static PyMemberDef timer_fields[] = {
    FIELD(Timer, room, T_PYSSIZET),  FIELD(Timer, weight, T_DOUBLE),
    FIELD(Timer, total, T_DOUBLE),   FIELD(Timer, minimum, T_DOUBLE),
    FIELD(Timer, maximum, T_DOUBLE), FIELD(Timer, bins, T_OBJECT),
    FIELD(Timer, room_folded, T_PYSSIZET), FIELD(Timer, has_strays, T_BOOL),
    {NULL, 0, 0, 0, NULL},
};

enum { FIRST_ROOM = 4 };

static bool lane_make_room(Lane *lane, Py_ssize_t wanted)
{
    if (wanted <= lane->room)
        return true;
    Py_ssize_t room = lane->room ? lane->room : FIRST_ROOM;
    while (room < wanted)
        room *= 2;
    double *values = PyMem_RawRealloc(lane->values, (size_t)room * sizeof(double));
    if (values == NULL)
        return false;
    lane->values = values;
    lane->room = room;
    return true;
}

bool lane_append(Lane *lane, double value)
{
    if (!lane_make_room(lane, lane->length + 1))
        return false;
    lane->values[lane->length++] = value;
    return true;
}

static PyObject *lane_append_method(PyObject *self, PyObject *number)
{
    double value = PyFloat_AsDouble(number);
    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    if (!lane_append((Lane *)self, value))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static int lane_extend(Lane *lane, PyObject *numbers)
{
    if (PyObject_TypeCheck(numbers, &LaneType)) {
        Lane *other = (Lane *)numbers;
        Py_ssize_t more = other->length;
        if (more == 0)
            return 0;
        if (!lane_make_room(lane, lane->length + more)) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(lane->values + lane->length, other->values, (size_t)more * sizeof(double));
        lane->length += more;
        return 0;
    }
    PyObject *each = PyObject_GetIter(numbers);
    if (each == NULL)
        return -1;
    PyObject *number, *done = Py_None;
    while (done != NULL && (number = PyIter_Next(each)) != NULL) {
        done = lane_append_method((PyObject *)lane, number);
        Py_XDECREF(done);
        Py_DECREF(number);
    }
    Py_DECREF(each);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *lane_inplace_concat(PyObject *self, PyObject *numbers)
{
    return lane_extend((Lane *)self, numbers) < 0 ? NULL : Py_NewRef(self);
}

static int lane_init(PyObject *self, PyObject *args, PyObject *Py_UNUSED(names))
{
    PyObject *numbers = NULL;
    if (!PyArg_ParseTuple(args, "|O:Lane", &numbers))
        return -1;
    /* Room for the first sample is here from the start, so that it cannot lack. */
    if (!lane_make_room((Lane *)self, 1)) {
        PyErr_NoMemory();
        return -1;
    }
    return numbers == NULL ? 0 : lane_extend((Lane *)self, numbers);
}

static void lane_dealloc(PyObject *self)
{
    PyMem_RawFree(((Lane *)self)->values);
    Py_TYPE(self)->tp_free(self);
}

static Py_ssize_t lane_length(PyObject *self)
{
    return ((Lane *)self)->length;
}

static PyObject *lane_item(PyObject *self, Py_ssize_t at)
{
    Lane *lane = (Lane *)self;
    if (at < 0 || at >= lane->length) {
        PyErr_SetString(PyExc_IndexError, "lane index out of range");
        return NULL;
    }
    return PyFloat_FromDouble(lane->values[at]);
}

static PyObject *lane_clear(PyObject *self, PyObject *Py_UNUSED(none))
{
    ((Lane *)self)->length = 0;
    Py_RETURN_NONE;
}

typedef struct {
    double total, least, most;
} Figures;

/* Plain addition in the order of arrival, from the first sample on: as functools.reduce
   with operator.add does it. Of one sample at least. */
static Figures figures_of(const double *values, size_t count)
{
    Figures figures = {values[0], values[0], values[0]};
    for (size_t at = 1; at < count; at++) {
        double value = values[at];
        figures.total += value;
        if (value < figures.least)
            figures.least = value;
        if (value > figures.most)
            figures.most = value;
    }
    return figures;
}

/* Whether all samples of a lane were moved; those that were are settled. */
static bool lane_fold(Timer *timer, Lane *lane, double weight)
{
    size_t count = (size_t)lane->length;
    if (count == 0)
        return true;
    size_t done = bins_add((NativeBins *)timer->bins, lane->values, count, weight);
    if (done == 0)
        return false;
    Figures figures = figures_of(lane->values, done);
    timer->weight += weight * (double)done;
    timer->total += weight * figures.total;
    if (figures.least < timer->minimum)
        timer->minimum = figures.least;
    if (figures.most > timer->maximum)
        timer->maximum = figures.most;
    memmove(lane->values, lane->values + done, (count - done) * sizeof *lane->values);
    lane->length -= (Py_ssize_t)done;
    return done == count;
}

bool timer_fold(Timer *timer)
{
    if (timer->bins == NULL || !PyObject_TypeCheck(timer->bins, &BinsType) ||
        timer->has_strays)
        return false;
    for (int each = 0; each < timer->lanes_count; each++)
        if (!lane_fold(timer, timer->lanes[each].lane, timer->lanes[each].weight))
            return false;
    timer->room = timer->room_folded;
    return true;
}

/* As TimerBase._figures, with the same operations in the same order. */
static PyObject *timer_figures(PyObject *self, PyObject *Py_UNUSED(none))
{
    Timer *timer = (Timer *)self;
    double weight = timer->weight, total = timer->total;
    double minimum = timer->minimum, maximum = timer->maximum;
    for (int each = 0; each < timer->lanes_count; each++) {
        Weighted *one = &timer->lanes[each];
        if (one->lane->length == 0)
            continue;
        Figures figures = figures_of(one->lane->values, (size_t)one->lane->length);
        weight += one->weight * (double)one->lane->length;
        total += one->weight * figures.total;
        minimum = figures.least < minimum ? figures.least : minimum;
        maximum = figures.most > maximum ? figures.most : maximum;
    }
    return Py_BuildValue("dddd", weight, total, minimum, maximum);
}

static Lane *lane_with(const Timer *timer, double weight)
{
    for (int each = 0; each < timer->lanes_count; each++)
        if (timer->lanes[each].weight == weight)
            return timer->lanes[each].lane;
    return NULL;
}

static bool timer_has_lane(Timer *timer, double weight, Lane *lane)
{
    size_t wanted = ((size_t)timer->lanes_count + 1) * sizeof *timer->lanes;
    Weighted *lanes = PyMem_RawRealloc(timer->lanes, wanted);
    if (lanes == NULL)
        return false;
    timer->lanes = lanes;
    lanes[timer->lanes_count++] = (Weighted){weight, (Lane *)Py_NewRef(lane)};
    return true;
}

Lane *timer_lane(Timer *timer, double weight)
{
    Lane *lane = lane_with(timer, weight);
    if (lane != NULL)
        return lane;
    lane = (Lane *)PyObject_CallNoArgs((PyObject *)&LaneType);
    if (lane == NULL)
        return NULL;
    bool has_it = timer_has_lane(timer, weight, lane);
    Py_DECREF((PyObject *)lane);
    if (has_it)
        return lane;
    PyErr_NoMemory();
    return NULL;
}

/* Whether there is nothing but samples in lanes. */
static bool is_plain(const Timer *timer)
{
    return (timer->bins == NULL || timer->bins == Py_None) && !timer->has_strays &&
           timer->weight == 0.0;
}

/* A lane for each of another's, where there is none yet, and room for its samples; -1 with
   an exception set, 0 where not all have one. */
static int has_all_lanes(Timer *timer, const Timer *other)
{
    bool is_empty = timer->lanes_count == 0;
    Py_ssize_t samples = 0;
    for (int each = 0; each < other->lanes_count; each++)
        samples += other->lanes[each].lane->length;
    if (samples >= timer->room)
        return 0;
    for (int each = 0; each < other->lanes_count; each++) {
        double weight = other->lanes[each].weight;
        if (!is_empty && lane_with(timer, weight) == NULL)
            return 0;
        Lane *lane = timer_lane(timer, weight);
        if (lane == NULL)
            return -1;
        if (!lane_make_room(lane, lane->length + other->lanes[each].lane->length)) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 1;
}

static PyObject *timer_absorb_lanes(PyObject *self, PyObject *part)
{
    Timer *timer = (Timer *)self, *other = (Timer *)part;
    if (!PyObject_TypeCheck(part, &TimerType)) {
        PyErr_SetString(PyExc_TypeError, "no timer");
        return NULL;
    }
    if (!is_plain(timer) || !is_plain(other) || self == part)
        Py_RETURN_FALSE;
    int has_all = has_all_lanes(timer, other);
    if (has_all <= 0)
        return has_all < 0 ? NULL : Py_NewRef(Py_False);
    for (int each = 0; each < other->lanes_count; each++) {
        const Lane *more = other->lanes[each].lane;
        Lane *lane = lane_with(timer, other->lanes[each].weight);
        memcpy(lane->values + lane->length, more->values,
               (size_t)more->length * sizeof(double));
        lane->length += more->length;
        timer->room -= more->length;
    }
    Py_RETURN_TRUE;
}

static PyObject *timer_lane_of(PyObject *self, PyObject *number)
{
    Timer *timer = (Timer *)self;
    double weight = PyFloat_AsDouble(number);
    if (weight == -1.0 && PyErr_Occurred())
        return NULL;
    Lane *lane = lane_with(timer, weight);
    return Py_NewRef(lane == NULL ? Py_None : (PyObject *)lane);
}

static PyObject *timer_put_lane(PyObject *self, PyObject *args)
{
    Timer *timer = (Timer *)self;
    double weight;
    PyObject *lane;
    if (!PyArg_ParseTuple(args, "dO!:put_lane", &weight, &LaneType, &lane))
        return NULL;
    if (!timer_has_lane(timer, weight, (Lane *)lane))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* Pairs of a weight and a lane, made when somebody asks. */
static PyObject *timer_lanes(PyObject *self, void *Py_UNUSED(closure))
{
    Timer *timer = (Timer *)self;
    PyObject *pairs = PyTuple_New(timer->lanes_count);
    for (int each = 0; pairs != NULL && each < timer->lanes_count; each++) {
        Weighted *one = &timer->lanes[each];
        PyObject *pair = Py_BuildValue("dO", one->weight, one->lane);
        if (pair == NULL)
            Py_CLEAR(pairs);
        else
            PyTuple_SET_ITEM(pairs, each, pair);
    }
    return pairs;
}

static PyGetSetDef timer_views[] = {
    {"lanes", timer_lanes, NULL, "Pairs of a weight and the samples that have it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static void timer_dealloc(PyObject *self)
{
    Timer *timer = (Timer *)self;
    Py_CLEAR(timer->bins);
    for (int each = 0; each < timer->lanes_count; each++)
        Py_DECREF((PyObject *)timer->lanes[each].lane);
    PyMem_RawFree(timer->lanes);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *timer_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                           PyObject *Py_UNUSED(names))
{
    Timer *timer = (Timer *)type->tp_alloc(type, 0);
    if (timer != NULL) {
        timer->minimum = Py_HUGE_VAL;
        timer->maximum = -Py_HUGE_VAL;
    }
    return (PyObject *)timer;
}

static PyMethodDef timer_methods[] = {
    {"figures", timer_figures, METH_NOARGS, "As TimerBase._figures."},
    {"absorb_lanes", timer_absorb_lanes, METH_O,
     "As TimerBase.absorb, where all is in lanes that both have; else False."},
    {"lane_of", timer_lane_of, METH_O, "The lane of a weight, or None."},
    {"put_lane", timer_put_lane, METH_VARARGS, "Have a lane for one more weight."},
    {NULL, NULL, 0, NULL},
};

STORAGE(TimerType, Timer, "Timer", timer_fields, timer_views, timer_methods,
        timer_new, NULL, timer_dealloc);

static int ascending(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static PyObject *lane_sorted(PyObject *self, PyObject *Py_UNUSED(none))
{
    Lane *same = (Lane *)PyObject_CallOneArg((PyObject *)&LaneType, self);
    if (same != NULL && same->length > 1)
        qsort(same->values, (size_t)same->length, sizeof(double), ascending);
    return (PyObject *)same;
}

static PyObject *lane_sizeof(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyLong_FromSize_t(sizeof(Lane) + (size_t)((Lane *)self)->room * sizeof(double));
}

static PyMethodDef lane_methods[] = {
    {"append", lane_append_method, METH_O, "Add a sample at the end."},
    {"clear", lane_clear, METH_NOARGS, "Have no samples."},
    {"__sizeof__", lane_sizeof, METH_NOARGS, "In bytes, with the samples."},
    {"sorted", lane_sorted, METH_NOARGS, "A lane with the same samples, ascending."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods lane_sequence = {
    .sq_length = lane_length,
    .sq_item = lane_item,
    .sq_inplace_concat = lane_inplace_concat,
};

PyTypeObject LaneType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Lane",
    .tp_basicsize = sizeof(Lane),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = storage_new,
    .tp_init = lane_init,
    .tp_dealloc = lane_dealloc,
    .tp_methods = lane_methods,
    .tp_as_sequence = &lane_sequence,
};

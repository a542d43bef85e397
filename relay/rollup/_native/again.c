/* See again.h. What is not so simple is left to whom it was made with. */
#include "again.h"

#include "roster.h"
#include "slots.h"

#include <stddef.h>

typedef struct {
    PyObject_HEAD
    PyObject *makers;    /* what makes an empty slot, by kind */
    PyObject *roster;    /* a Roster */
    PyObject *otherwise; /* (series, weight) -> what this one gives */
    PyObject *slots;     /* of the present period, by series; NULL before the first */
    PyObject *members;   /* the name of what a set has its members in */
    long long age;
} Again;

static PyObject *cell_of(Again *again, PyObject *slot, double weight)
{
    if (PyObject_TypeCheck(slot, &TimerType))
        return Py_XNewRef(timer_lane((Timer *)slot, weight));
    if (PyObject_TypeCheck(slot, &SetType))
        return PyObject_GetAttr(slot, again->members);
    return Py_NewRef(slot);
}

static PyObject *entered(Again *again, PyObject *series, PyObject *slot, double weight)
{
    int is_held = roster_note(again->roster, series, slot, again->age);
    if (is_held <= 0)
        return is_held < 0 ? NULL : Py_NewRef(Py_None);
    if (PyDict_SetItem(again->slots, series, slot) < 0)
        return NULL;
    PyObject *cell = cell_of(again, slot, weight);
    if (cell == NULL)
        return NULL;
    PyObject *pair = PyTuple_Pack(2, slot, cell);
    Py_DECREF(cell);
    return pair;
}

static PyObject *again_call(PyObject *self, PyObject *args, PyObject *Py_UNUSED(names))
{
    Again *again = (Again *)self;
    PyObject *series;
    double weight;
    if (!PyArg_ParseTuple(args, "O!d:again", &PyTuple_Type, &series, &weight))
        return NULL;
    int has_one = again->slots == NULL ? 1 : PyDict_Contains(again->slots, series);
    if (has_one != 0 || PyTuple_GET_SIZE(series) == 0)
        return has_one < 0 ? NULL : PyObject_Call(again->otherwise, args, NULL);
    PyObject *maker = PyObject_GetItem(again->makers, PyTuple_GET_ITEM(series, 0));
    PyObject *slot = maker == NULL ? NULL : PyObject_CallNoArgs(maker);
    Py_XDECREF(maker);
    if (slot == NULL)
        return NULL;
    PyObject *pair = entered(again, series, slot, weight);
    Py_DECREF(slot);
    return pair;
}

static PyObject *again_turn(PyObject *self, PyObject *args)
{
    PyObject *slots;
    long long age;
    if (!PyArg_ParseTuple(args, "O!L:turn", &PyDict_Type, &slots, &age))
        return NULL;
    Py_XSETREF(((Again *)self)->slots, Py_NewRef(slots));
    ((Again *)self)->age = age;
    Py_RETURN_NONE;
}

static PyObject *again_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {"makers", "roster", "otherwise", NULL};
    PyObject *makers, *roster, *otherwise;
    if (!PyArg_ParseTupleAndKeywords(args, names, "OO!O:Again", words, &makers, &RosterType,
                                     &roster, &otherwise))
        return NULL;
    Again *again = (Again *)type->tp_alloc(type, 0);
    if (again == NULL)
        return NULL;
    again->makers = Py_NewRef(makers);
    again->roster = Py_NewRef(roster);
    again->otherwise = Py_NewRef(otherwise);
    again->members = PyUnicode_InternFromString("members");
    if (again->members == NULL)
        Py_CLEAR(again);
    return (PyObject *)again;
}

static int again_traverse(PyObject *self, visitproc visit, void *arg)
{
    Again *again = (Again *)self;
    Py_VISIT(again->makers);
    Py_VISIT(again->roster);
    Py_VISIT(again->otherwise);
    Py_VISIT(again->slots);
    return 0;
}

static int again_clear(PyObject *self)
{
    Again *again = (Again *)self;
    Py_CLEAR(again->makers);
    Py_CLEAR(again->roster);
    Py_CLEAR(again->otherwise);
    Py_CLEAR(again->slots);
    return 0;
}

static void again_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    again_clear(self);
    Py_CLEAR(((Again *)self)->members);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef again_methods[] = {
    {"turn", again_turn, METH_VARARGS, "Go on with the slots and the age of a period."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject AgainType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Again",
    .tp_doc = "Where values of a spelling go in the present period.",
    .tp_basicsize = sizeof(Again),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = again_new,
    .tp_dealloc = again_dealloc,
    .tp_traverse = again_traverse,
    .tp_clear = again_clear,
    .tp_call = again_call,
    .tp_methods = again_methods,
};

int again_setup(PyObject *module)
{
    return PyModule_AddType(module, &AgainType);
}

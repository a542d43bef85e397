/* See members.h. */
#include "members.h"

#include "blake2b.h"
#include "sip.h"

#include <stdbool.h>

enum { PRECISION = 14, RANK_BITS = 64 - PRECISION };
enum { FIRST_PLACES = 8, FIRST_TEXT = 1 + MEMBER_BYTES };

static uint64_t hash_of(const char *member, size_t length)
{
    Sip sip = sip_start();
    sip_text(&sip, member, length);
    return sip_end(&sip, length);
}

/* The place of a member, or the free one that it would get. */
static uint32_t *place_of(const Members *members, const char *member, size_t length)
{
    uint32_t at = (uint32_t)hash_of(member, length) & members->mask;
    for (;; at = (at + 1) & members->mask) {
        uint32_t place = members->places[at];
        if (place == 0)
            return &members->places[at];
        const char *other = members->text + place - 1;
        if ((unsigned char)other[0] == length && memcmp(other + 1, member, length) == 0)
            return &members->places[at];
    }
}

static bool grow_places(Members *members)
{
    if (members->mask && (size_t)members->length * 4 < ((size_t)members->mask + 1) * 3)
        return true;
    uint32_t *before = members->places;
    uint32_t mask = members->mask;
    uint32_t wanted = mask ? (mask + 1) * 2 : FIRST_PLACES;
    uint32_t *places = PyMem_RawCalloc(wanted, sizeof *places);
    if (places == NULL)
        return false;
    members->places = places;
    members->mask = wanted - 1;
    for (size_t at = 0; at < members->used; at += 1 + (unsigned char)members->text[at]) {
        const char *member = members->text + at;
        *place_of(members, member + 1, (unsigned char)member[0]) = (uint32_t)at + 1;
    }
    PyMem_RawFree(before);
    return true;
}

static bool grow_text(Members *members, size_t more)
{
    size_t wanted = members->used + more;
    if (wanted <= members->room)
        return true;
    size_t room = members->room ? members->room : FIRST_TEXT;
    while (room < wanted)
        room += room / 2;
    if (room > UINT32_MAX / 2)
        return false;
    char *text = PyMem_RawRealloc(members->text, room);
    if (text == NULL)
        return false;
    members->text = text;
    members->room = room;
    return true;
}

int members_add(Members *members, const char *member, size_t length)
{
    if (!grow_places(members))
        return -1;
    uint32_t *place = place_of(members, member, length);
    if (*place != 0)
        return 0;
    if (!grow_text(members, 1 + length))
        return -1;
    char *end = members->text + members->used;
    end[0] = (char)length;
    memcpy(end + 1, member, length);
    *place = (uint32_t)members->used + 1;
    members->used += 1 + length;
    members->length++;
    return 1;
}

static int add_object(Members *members, PyObject *member)
{
    char *text;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(member, &text, &length) < 0)
        return -1;
    if (length > MEMBER_BYTES) {
        PyErr_SetString(PyExc_ValueError, "a member is too long");
        return -1;
    }
    if (members_add(members, text, (size_t)length) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject *members_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(names))
{
    if (!PyArg_ParseTuple(args, ":Members"))
        return NULL;
    Members *members = (Members *)type->tp_alloc(type, 0);
    /* Room for the first member is here from the start, so that it cannot lack. */
    if (members != NULL && !(grow_places(members) && grow_text(members, 1))) {
        Py_DECREF(members);
        return PyErr_NoMemory();
    }
    return (PyObject *)members;
}

static void members_dealloc(PyObject *self)
{
    PyMem_RawFree(((Members *)self)->text);
    PyMem_RawFree(((Members *)self)->places);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *members_add_method(PyObject *self, PyObject *member)
{
    if (add_object((Members *)self, member) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static void have_none(Members *members)
{
    PyMem_RawFree(members->text);
    PyMem_RawFree(members->places);
    members->text = NULL;
    members->places = NULL;
    members->used = members->room = 0;
    members->mask = 0;
    members->length = 0;
}

static PyObject *members_clear(PyObject *self, PyObject *Py_UNUSED(none))
{
    have_none((Members *)self);
    Py_RETURN_NONE;
}

void members_fold(Members *members, unsigned char *registers)
{
    for (size_t at = 0; at < members->used; at += 1 + (unsigned char)members->text[at]) {
        const char *member = members->text + at;
        uint64_t digest = blake2b_8(member + 1, (unsigned char)member[0]);
        uint64_t rest = digest & ((UINT64_C(1) << RANK_BITS) - 1);
        unsigned rank = rest ? RANK_BITS - 63 + (unsigned)__builtin_clzll(rest) : RANK_BITS + 1;
        unsigned char *one = &registers[digest >> RANK_BITS];
        if (*one < rank)
            *one = (unsigned char)rank;
    }
    have_none(members);
}

static bool absorb(Members *members, const Members *other)
{
    for (size_t at = 0; at < other->used; at += 1 + (unsigned char)other->text[at]) {
        const char *member = other->text + at;
        if (members_add(members, member + 1, (unsigned char)member[0]) < 0)
            return false;
    }
    return true;
}

static PyObject *members_update(PyObject *self, PyObject *some)
{
    if (PyObject_TypeCheck(some, &MembersType)) {
        if (!absorb((Members *)self, (Members *)some))
            return PyErr_NoMemory();
        Py_RETURN_NONE;
    }
    PyObject *each = PyObject_GetIter(some);
    if (each == NULL)
        return NULL;
    PyObject *member;
    int done = 0;
    while (done == 0 && (member = PyIter_Next(each)) != NULL) {
        done = add_object((Members *)self, member);
        Py_DECREF(member);
    }
    Py_DECREF(each);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *members_copy(PyObject *self, PyObject *Py_UNUSED(none))
{
    Members *same = (Members *)PyObject_CallNoArgs((PyObject *)&MembersType);
    if (same != NULL && !absorb(same, (Members *)self)) {
        Py_DECREF((PyObject *)same);
        return PyErr_NoMemory();
    }
    return (PyObject *)same;
}

static Py_ssize_t members_length(PyObject *self)
{
    return ((Members *)self)->length;
}

/* Of a list of them: nobody looks at many sets at a time. */
static PyObject *members_iter(PyObject *self)
{
    Members *members = (Members *)self;
    PyObject *list = PyList_New(members->length);
    if (list == NULL)
        return NULL;
    Py_ssize_t count = 0;
    for (size_t at = 0; at < members->used; at += 1 + (unsigned char)members->text[at]) {
        const char *member = members->text + at;
        PyObject *bytes = PyBytes_FromStringAndSize(member + 1, (unsigned char)member[0]);
        if (bytes == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, count++, bytes);
    }
    PyObject *each = PyObject_GetIter(list);
    Py_DECREF(list);
    return each;
}

static PyObject *members_sizeof(PyObject *self, PyObject *Py_UNUSED(none))
{
    Members *members = (Members *)self;
    size_t places = (size_t)members->mask + 1;
    return PyLong_FromSize_t(sizeof *members + members->room + places * sizeof(uint32_t));
}

static PyMethodDef members_methods[] = {
    {"__sizeof__", members_sizeof, METH_NOARGS, "In bytes, with the members."},
    {"add", members_add_method, METH_O, "Add a member of at most 64 bytes."},
    {"update", members_update, METH_O, "Add some."},
    {"clear", members_clear, METH_NOARGS, "Have none."},
    {"copy", members_copy, METH_NOARGS, "Others with the same members."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods members_sequence = {.sq_length = members_length};

PyTypeObject MembersType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Members",
    .tp_basicsize = sizeof(Members),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = members_new,
    .tp_dealloc = members_dealloc,
    .tp_iter = members_iter,
    .tp_methods = members_methods,
    .tp_as_sequence = &members_sequence,
};

int members_setup(PyObject *module)
{
    return PyModule_AddType(module, &MembersType);
}

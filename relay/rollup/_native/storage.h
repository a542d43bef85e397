/* How the storages of slots.h become Python types to derive from. */
#ifndef CMS_RELAY_STORAGE_H
#define CMS_RELAY_STORAGE_H

#include "slots.h"

#include <stddef.h>
#include <structmember.h>

#define FIELD(type, name, kind) {#name, kind, offsetof(type, name), 0, NULL}

/* Arguments are for the __init__ of whoever derives from it. */
PyObject *storage_new(PyTypeObject *type, PyObject *args, PyObject *names);

#define STORAGE(variable, of, word, fields, getters, methods, maker, init, unmaker)      \
    PyTypeObject variable = {                                                            \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native." word,           \
        .tp_basicsize = sizeof(of),                                                      \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                            \
        .tp_members = fields,                                                            \
        .tp_getset = getters,                                                            \
        .tp_methods = methods,                                                           \
        .tp_new = maker,                                                                 \
        .tp_init = init,                                                                 \
        .tp_dealloc = unmaker,                                                           \
    }

#endif

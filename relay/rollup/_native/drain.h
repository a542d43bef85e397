/* A socket that is read without the GIL: datagrams go right into a table. Linux only. */
#ifndef CMS_RELAY_DRAIN_H
#define CMS_RELAY_DRAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int drain_setup(PyObject *module);

#endif

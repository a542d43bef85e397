/* The slot of a series that is seen again in a new period: once a series and period, so
   without a step of Python's. For whoever has the GIL. */
#ifndef CMS_RELAY_AGAIN_H
#define CMS_RELAY_AGAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int again_setup(PyObject *module);

#endif

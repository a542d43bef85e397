/* Series by what they are reported as, a metric and Dimensions: see reported.py. For
   whoever has the GIL. */
#ifndef CMS_RELAY_REPORTED_H
#define CMS_RELAY_REPORTED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int reported_setup(PyObject *module);

#endif

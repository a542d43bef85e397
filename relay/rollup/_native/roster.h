/* Series that are held, as roster.py has them: one object each, which is its own place in
   a hash table and in the order in which they were seen. For whoever has the GIL. */
#ifndef CMS_RELAY_ROSTER_H
#define CMS_RELAY_ROSTER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject RosterType;

/* As Roster.see_again: 1 or 0, -1 with an exception set. */
int roster_note(PyObject *roster, PyObject *series, PyObject *slot, long long period);

int roster_setup(PyObject *module);

#endif

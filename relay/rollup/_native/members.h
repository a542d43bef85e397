/* The distinct members of a set, kept as they are: a small hash table of byte strings. */
#ifndef CMS_RELAY_MEMBERS_H
#define CMS_RELAY_MEMBERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

typedef struct {
    PyObject_HEAD
    char *text; /* all members behind one another, each behind a byte with its length */
    size_t used, room;
    uint32_t *places; /* where in the text, plus one; 0 is free */
    uint32_t mask;    /* places less one; 0 where there are none yet */
    Py_ssize_t length;
} Members;

enum { MEMBER_BYTES = 64 };

extern PyTypeObject MembersType;

/* 1 if it is new, 0 if it is known, -1 without memory. At most MEMBER_BYTES. Needs no
   GIL. */
int members_add(Members *members, const char *member, size_t length);

/* Count all members in the 2^14 registers of a sketch, and have none: see distinct.py. */
void members_fold(Members *members, unsigned char *registers);

int members_setup(PyObject *module);

#endif
